import { z } from 'zod';
import { type ChangeFeed, keepCurrent } from '#platform/change-feed';
import type { Db } from '#platform/db';
import { Invalid } from '#values/errors';
import { COUNTRIES } from '#values/places';
import { readPublication, writePublication } from './publication.store.ts';

/** What the paper says of itself. */
export type Publication = {
  readonly name: string;
  readonly tagline: string;
  /** IANA time zone: the paper's dates, and when its month turns. */
  readonly zone: string;
  /** ISO 4217. */
  readonly currency: string;
  /** BCP 47, for instance en-IN. */
  readonly language: string;
  readonly contactEmail: string;
  readonly sellerName: string;
  readonly sellerAddress: string;
  /** ISO 3166-1. */
  readonly sellerCountry: string;
  readonly sellerState: string;
  readonly sellerGstin: string;
  /** For sales that VAT is charged on; empty where there are none. */
  readonly vatNumber: string;
  /** India's letter of undertaking of this financial year, for sales to other countries without IGST. */
  readonly lutNumber: string;
  readonly defaultAccess: 'free' | 'registered' | 'metered' | 'premium';
  /** What goes back to a reader who withdraws: all of it, or what is left by days where they asked it to begin at once. */
  readonly withdrawalRefund: 'full' | 'pro-rata';
};

const text = z.string().trim().max(500);
const schema: z.ZodType<Publication> = z.object({
  name: text.min(1, 'a paper needs a name'),
  tagline: text,
  zone: z.string().refine(isZone, 'not an IANA time zone, such as Asia/Kolkata'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'not an ISO 4217 code, such as INR'),
  language: z.string().refine(isLanguage, 'not a BCP 47 language, such as en-IN'),
  contactEmail: z.union([z.literal(''), z.email('not an e-mail address')]),
  sellerName: text,
  sellerAddress: text,
  sellerCountry: z.enum(COUNTRIES, 'not a country (ISO 3166-1), such as IN'),
  sellerState: text,
  sellerGstin: z.string().regex(/^([0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]Z[0-9A-Z])?$/, 'not a GSTIN'),
  vatNumber: z
    .string()
    .regex(/^([A-Z]{2}[0-9A-Z]{2,13})?$/, 'not a VAT number, such as EU372000041 or GB123456789'),
  lutNumber: z
    .string()
    .regex(/^([0-9A-Z]{15})?$/, 'not the number (ARN) of a letter of undertaking, such as AD290426000001X'),
  defaultAccess: z.enum(['free', 'registered', 'metered', 'premium']),
  withdrawalRefund: z.enum(['full', 'pro-rata'], 'full or pro-rata'),
});

/** The names that the command line and its users know the settings by. */
export const SETTING_NAMES: Readonly<Record<string, keyof Publication>> = {
  name: 'name',
  tagline: 'tagline',
  zone: 'zone',
  currency: 'currency',
  language: 'language',
  contact_email: 'contactEmail',
  seller_name: 'sellerName',
  seller_address: 'sellerAddress',
  seller_country: 'sellerCountry',
  seller_state: 'sellerState',
  seller_gstin: 'sellerGstin',
  vat_number: 'vatNumber',
  lut_number: 'lutNumber',
  default_access: 'defaultAccess',
  withdrawal_refund: 'withdrawalRefund',
};

/** The settings as they are now known to this process; a change elsewhere is heard. */
export function openPublication(db: Db, changes: ChangeFeed): Promise<() => Publication> {
  return keepCurrent(changes, ['publication.settings'], () => readPublication(db));
}

export { decideFirstStart } from './first-start.store.ts';
export { readPublication };

/**
 * Changes one setting, named as in SETTING_NAMES.
 *
 * @throws Invalid for an unknown name or a value that does not fit, saying what would
 */
export async function setPublication(db: Db, name: string, value: string): Promise<void> {
  const key = SETTING_NAMES[name];
  if (key === undefined) {
    throw new Invalid(
      'no-such-setting',
      `there is no setting ${name}; there are ${Object.keys(SETTING_NAMES).join(', ')}`,
    );
  }
  await db.transaction().execute(async (tx) => {
    const checked = schema.safeParse({ ...(await readPublication(tx)), [key]: value });
    if (!checked.success) throw new Invalid('bad-setting', `${name}: ${checked.error.issues[0]?.message}`);
    await writePublication(tx, checked.data);
  });
}

function isZone(zone: string): boolean {
  try {
    return /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

function isLanguage(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length === 1;
  } catch {
    return false;
  }
}
