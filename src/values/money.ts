/** An amount of money: whole minor units (paise, cents) and an ISO 4217 code. Never a fraction. */
export type Money = { readonly minor: bigint; readonly currency: string };

/** An amount as JSON has it, which knows no whole numbers of this size. */
export function moneyRecord({ currency, minor }: Money): {
  readonly minor: string;
  readonly currency: string;
} {
  return { minor: minor.toString(), currency };
}

/** How many decimal places a currency's minor unit has (ISO 4217); two where it is not listed. */
const EXPONENTS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3])),
};

function minorPerUnit(currency: string): bigint {
  return 10n ** BigInt(EXPONENTS[currency] ?? 2);
}

/**
 * What a term costs a month, rounded down to a whole unit of the currency (₹3,900 over 24 months is ₹162), because a
 * price that is shown must never be understated by a rule of rounding that differs between runtimes.
 *
 * @throws RangeError when months is not a positive whole number
 */
export function perMonth(total: Money, months: number): Money {
  if (!Number.isInteger(months) || months < 1) throw new RangeError(`a term of ${months} months`);
  const unit = minorPerUnit(total.currency);
  return { minor: (total.minor / (BigInt(months) * unit)) * unit, currency: total.currency };
}

/** The amount as a reader sees it (₹2,700, £4.50): no decimal places where there are none to show. */
export function formatMoney(money: Money, language: string): string {
  const unit = minorPerUnit(money.currency);
  return money.minor % unit === 0n
    ? moneyFormat(language, money.currency, 0).format(money.minor / unit)
    : formatExactly(money, language);
}

/** The amount to the last minor unit (₹2,700.00, ¥500, KWD 4.500), as books and invoices give it. */
export function formatExactly(money: Money, language: string): string {
  const digits = EXPONENTS[money.currency] ?? 2;
  return moneyFormat(language, money.currency, digits).format(decimal(money, digits));
}

/** A number's text, which Intl reads without making it a fraction of base two. */
function decimal({ currency, minor }: Money, digits: number): `${number}` {
  const unit = minorPerUnit(currency);
  const rest = digits === 0 ? '' : `.${(minor % unit).toString().padStart(digits, '0')}`;
  return `${minor / unit}${rest}` as `${number}`;
}

/** A formatter costs a thousand times what using it costs, so each is made once: there are few languages and currencies. */
const formats = new Map<string, Intl.NumberFormat>();

function moneyFormat(language: string, currency: string, digits: number): Intl.NumberFormat {
  const key = `${language} ${currency} ${digits}`;
  let known = formats.get(key);
  if (known === undefined) {
    known = new Intl.NumberFormat(language, {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    formats.set(key, known);
  }
  return known;
}

/**
 * An amount as a person types it (`450`, `450.5`, `1,450.50`), in minor units; undefined where it is no amount of the
 * currency, such as one with more decimal places than that has.
 */
export function minorFrom(text: string, currency: string): bigint | undefined {
  const digits = EXPONENTS[currency] ?? 2;
  const [, whole, rest = ''] = /^(\d{1,12})(?:\.(\d+))?$/.exec(text.trim().replaceAll(',', '')) ?? [];
  if (whole === undefined || rest.length > digits) return undefined;
  return BigInt(whole + rest.padEnd(digits, '0'));
}

/** An amount in digits alone, as programs and tables read it: `-1450.50`, `500` in yen. */
export function minorText({ currency, minor }: Money): string {
  const digits = EXPONENTS[currency] ?? 2;
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return `${minor < 0n ? '-' : ''}${whole}${digits === 0 ? '' : `.${text.slice(-digits)}`}`;
}

/** The same sum in the same currency. */
export function isSameMoney(a: Money, b: Money): boolean {
  return a.minor === b.minor && a.currency === b.currency;
}

/**
 * A part of an amount, to the nearest minor unit; a half is rounded up. All three are minor units or plain numbers, none
 * below zero.
 */
export function shareOf(amount: bigint, numerator: bigint, denominator: bigint): bigint {
  return (2n * amount * numerator + denominator) / (2n * denominator);
}

/**
 * Divides an amount in proportion to weights, to the last minor unit: what rounding leaves goes to those who lost most by
 * it, and of equals to the first.
 *
 * @throws RangeError when there is no weight above zero
 */
export function allocate(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((all, weight) => all + weight, 0n);
  if (sum <= 0n) throw new RangeError('nothing to divide by');
  const parts = weights.map((weight) => (total * weight) / sum);
  const left = Number(parts.reduce((rest, part) => rest - part, total));
  const lost = (at: number) => (total * (weights[at] ?? 0n)) % sum;
  const most = [...weights.keys()].sort((a, b) => (lost(a) === lost(b) ? a - b : lost(a) > lost(b) ? -1 : 1));
  for (const at of most.slice(0, left)) parts[at] = (parts[at] ?? 0n) + 1n;
  return parts;
}
