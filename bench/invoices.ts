import type { Invoice } from '../src/newspaper/billing/invoice.ts';
import { monotonicMs } from '../src/platform/clock.ts';
import { keepHeapLean } from '../src/platform/lean-heap.ts';
import { openInvoicePress } from '../src/site/documents/invoice-sheet.ts';
import { machine, say } from './paper.ts';
import { median } from './processes.ts';

/**
 * Measures the sheets of invoices: the first, one after the other, many at once, and what the process keeps of them.
 *
 *     node bench/invoices.ts
 */
const SHEETS = 3_000;
const AT_ONCE = 40;

const paper = { language: 'en-IN', zone: 'Asia/Kolkata' };
const day = Temporal.PlainDate.from;
const invoice = (number: number): Invoice => ({
  kind: 'invoice',
  id: String(number),
  number: `INV/2627/${String(number).padStart(7, '0')}`,
  issuedOn: day('2026-11-23'),
  seller: {
    name: 'Courier Media',
    address: '1 Quay Road\nKadalpur 560001',
    country: 'IN',
    state: 'KA',
    gstin: '29ABCDE1234F1Z5',
  },
  buyer: { name: '', email: `reader-${number}@post.example`, country: 'IN', state: 'KA', gstin: undefined },
  placeOfSupply: 'IN-KA',
  currency: 'INR',
  lines: [
    {
      description: 'The Courier: Yearly',
      serviceCode: '998431',
      fromOn: day('2026-11-23'),
      untilOn: day('2027-11-23'),
      amount: 270_000n,
    },
  ],
  taxable: 228_814n,
  tax: ['CGST', 'SGST'].map((name) => ({ name, basisPoints: 900, amount: 20_593n })),
  total: 270_000n,
  status: 'paid',
  payment: undefined,
  credited: 0n,
});

const megabytes = () => `${Math.round(process.memoryUsage.rss() / 1e6)} MB`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = monotonicMs();
  await work();
  return monotonicMs() - begun;
}

keepHeapLean();
say(machine());
const press = await openInvoicePress();
say(`before: ${megabytes()}`);
say(`the first: ${Math.round(await timed(() => press.sheet(invoice(0), paper)))} ms, ${megabytes()}`);
const each: number[] = [];
for (let number = 1; number <= SHEETS; number++) {
  each.push(await timed(() => press.sheet(invoice(number), paper)));
  if ([100, 1_000, SHEETS].includes(number)) say(`after ${number}: ${megabytes()}`);
}
each.sort((a, b) => a - b);
say(`one: median ${median(each).toFixed(1)} ms, 99th ${each[Math.floor(SHEETS * 0.99)]?.toFixed(1)} ms`);
const all = await timed(() =>
  Promise.all(Array.from({ length: AT_ONCE }, (_, at) => press.sheet(invoice(SHEETS + at), paper))),
);
say(`${AT_ONCE} at once: all after ${Math.round(all)} ms`);
await press.close();
say(`closed: ${megabytes()}`);
