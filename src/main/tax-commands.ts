import { setTaxRate, type TaxRate, taxRates } from '#billing';
import { COUNTRIES } from '#values/places';
import { dayAt, isAmong } from '#values/term';
import { type Command, type CommandContext, type CommandResult, day, Misuse, one, text } from './command.ts';

/** The law’s rates, as the publisher knows them: rows with days. */
export const TAX_COMMANDS: readonly Command[] = [
  {
    name: 'tax list',
    usage: '',
    does: 'every rate of tax, and the days for which it is in force',
    run: list,
  },
  {
    name: 'tax set',
    usage: 'COUNTRY --kind gst|vat --percent 18 --from DATE [--until DATE]',
    does: 'a rate from a day on; the one before ends there, and what was invoiced stays as it is',
    run: set,
  },
];

async function list({ clock, paper }: CommandContext): Promise<CommandResult> {
  const today = dayAt(clock.now(), paper.publication().zone);
  return told(await taxRates(paper.database.db), today);
}

async function set(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const country = one(args, 'tax set COUNTRY --kind gst|vat --percent N --from DATE').toUpperCase();
  if (!COUNTRIES.includes(country)) throw new Misuse('COUNTRY is two letters of ISO 3166, such as IN or DE');
  const kind = text(options.kind, '--kind');
  if (kind !== 'gst' && kind !== 'vat') throw new Misuse('--kind is gst or vat');
  const fromOn = day(options.from, '--from');
  if (fromOn === undefined) throw new Misuse('--from is needed: a day such as 2027-04-01');
  const basisPoints = basisPointsIn(text(options.percent, '--percent'));
  const rate: TaxRate = { country, kind, basisPoints, fromOn, untilOn: day(options.until, '--until') };
  const rates = await paper.database.db.transaction().execute(async (tx) => {
    const after = await setTaxRate(tx, rate);
    await paper.staff.recordAction(tx, {
      by: 'command line',
      what: 'tax-rate',
      on: { kind: 'country', id: country },
      details: { kind, basis_points: basisPoints, from_on: fromOn.toString() },
    });
    return after;
  });
  return told(rates, dayAt(clock.now(), paper.publication().zone));
}

/** `18` or `2.1`, in hundredths of a per cent. */
function basisPointsIn(percent: string): number {
  const [, whole, part = ''] = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(percent) ?? [];
  if (whole === undefined) throw new Misuse('--percent is a number such as 18 or 2.1');
  return Number(whole) * 100 + Number(part.padEnd(2, '0'));
}

function told(rates: readonly TaxRate[], today: Temporal.PlainDate): CommandResult {
  return {
    json: rates.map((rate) => ({
      country: rate.country,
      kind: rate.kind,
      basis_points: rate.basisPoints,
      from_on: rate.fromOn.toString(),
      until_on: rate.untilOn?.toString() ?? null,
      in_force: isAmong(today, rate),
    })),
    text: rates
      .map((rate) => {
        const days = `${rate.fromOn} to ${rate.untilOn ?? 'whenever'}`;
        return `${rate.country} ${rate.kind} ${`${rate.basisPoints / 100}%`.padStart(6)}  ${days}${isAmong(today, rate) ? '' : ' (not in force)'}`;
      })
      .join('\n'),
  };
}
