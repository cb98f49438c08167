/** ISO 3166-1 alpha-2. Their names are the language's to say (Intl.DisplayNames). */
export const COUNTRIES: readonly string[] = (
  'AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD ' +
  'CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GD GE ' +
  'GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN ' +
  'KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY ' +
  'MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD ' +
  'SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA ' +
  'VC VE VG VI VN VU WF WS YE YT ZA ZM ZW'
).split(' ');

/** The states and union territories of India (ISO 3166-2:IN, as amended in 2023): which one decides how GST is split. */
export const INDIAN_STATES: Readonly<Record<string, string>> = {
  AN: 'Andaman and Nicobar Islands',
  AP: 'Andhra Pradesh',
  AR: 'Arunachal Pradesh',
  AS: 'Assam',
  BR: 'Bihar',
  CH: 'Chandigarh',
  CG: 'Chhattisgarh',
  DH: 'Dadra and Nagar Haveli and Daman and Diu',
  DL: 'Delhi',
  GA: 'Goa',
  GJ: 'Gujarat',
  HR: 'Haryana',
  HP: 'Himachal Pradesh',
  JK: 'Jammu and Kashmir',
  JH: 'Jharkhand',
  KA: 'Karnataka',
  KL: 'Kerala',
  LA: 'Ladakh',
  LD: 'Lakshadweep',
  MP: 'Madhya Pradesh',
  MH: 'Maharashtra',
  MN: 'Manipur',
  ML: 'Meghalaya',
  MZ: 'Mizoram',
  NL: 'Nagaland',
  OD: 'Odisha',
  PY: 'Puducherry',
  PB: 'Punjab',
  RJ: 'Rajasthan',
  SK: 'Sikkim',
  TN: 'Tamil Nadu',
  TS: 'Telangana',
  TR: 'Tripura',
  UP: 'Uttar Pradesh',
  UK: 'Uttarakhand',
  WB: 'West Bengal',
};

/**
 * The number that GST knows each of them by, which is also how a GSTIN begins. 25 and 28 went with the places that had them
 * (Daman and Diu, the Andhra Pradesh of before 2014).
 */
const GST_CODES: Readonly<Record<string, string>> = {
  JK: '01',
  HP: '02',
  PB: '03',
  CH: '04',
  UK: '05',
  HR: '06',
  DL: '07',
  RJ: '08',
  UP: '09',
  BR: '10',
  SK: '11',
  AR: '12',
  NL: '13',
  MN: '14',
  MZ: '15',
  TR: '16',
  ML: '17',
  AS: '18',
  WB: '19',
  JH: '20',
  OD: '21',
  CG: '22',
  MP: '23',
  GJ: '24',
  DH: '26',
  MH: '27',
  KA: '29',
  GA: '30',
  LD: '31',
  KL: '32',
  TN: '33',
  PY: '34',
  AN: '35',
  TS: '36',
  AP: '37',
  LA: '38',
};

/** Two digits; undefined for what is no state of India. */
export const gstCodeOf = (state: string): string | undefined =>
  Object.hasOwn(GST_CODES, state) ? GST_CODES[state] : undefined;

/** The number that GST has for what is supplied to another country. */
export const GST_ABROAD = '96';

/** Karnataka (29): an Indian state as an invoice has to name it; a code that is none of India's as it is. */
export function stateWithGstCode(code: string): string {
  return Object.hasOwn(INDIAN_STATES, code) ? `${INDIAN_STATES[code]} (${GST_CODES[code]})` : code;
}

/** Whether these are a country and, in India, a state of it: what tax needs to know of a buyer. */
export function isPlace(country: string, state: string | undefined): boolean {
  if (!COUNTRIES.includes(country)) return false;
  return country === 'IN' ? state !== undefined && Object.hasOwn(INDIAN_STATES, state) : state === undefined;
}

/** The code of an Indian state that is given by its code or its name; undefined where it is neither. */
export function stateCode(text: string): string | undefined {
  const code = text.trim().toUpperCase();
  if (Object.hasOwn(INDIAN_STATES, code)) return code;
  return Object.entries(INDIAN_STATES).find(([, name]) => name.toUpperCase() === code)?.[0];
}
