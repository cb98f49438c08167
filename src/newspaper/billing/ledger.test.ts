import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Account,
  type Amounts,
  captured,
  credited,
  disputed,
  disputeLost,
  disputeWon,
  type Entry,
  issued,
  overpaid,
  refunded,
  refundFailed,
} from './ledger.ts';
import { taxOfCredit } from './tax.ts';

const RUPEES = (minor: bigint) => ({ minor, currency: 'INR' });
/** ₹2,700 within a State, at 18 %. */
const INVOICE: Amounts = {
  id: 'i1',
  currency: 'INR',
  taxable: 228_814n,
  tax: [
    { name: 'CGST', basisPoints: 900, amount: 20_593n },
    { name: 'SGST', basisPoints: 900, amount: 20_593n },
  ],
  total: 270_000n,
};

/** What each account comes to after some entries, those at nothing left out. */
function balances(entries: readonly Entry[]): Partial<Record<Account, bigint>> {
  const all = new Map<Account, bigint>();
  for (const { postings } of entries)
    for (const [account, amount] of postings) all.set(account, (all.get(account) ?? 0n) + amount);
  return Object.fromEntries([...all].filter(([, amount]) => amount !== 0n));
}

describe('the journal', () => {
  it('has what was sold as deferred and tax, and the money at the gateway, once it is paid', () => {
    expect(balances([issued(INVOICE), captured('p1', 'sandbox', RUPEES(270_000n))])).toEqual({
      'cash:sandbox': 270_000n,
      deferred: -228_814n,
      'tax:CGST': -20_593n,
      'tax:SGST': -20_593n,
    });
  });

  it('F105 F113: a credit takes back the tax too, and is owed until it is refunded; a refund that fails is owed again', () => {
    const paid = [issued(INVOICE), captured('p1', 'sandbox', RUPEES(270_000n))];
    const all = [...paid, credited({ ...INVOICE, id: 'c1' }, true)];
    expect(balances(all)).toEqual({ 'cash:sandbox': 270_000n, owed: -270_000n });
    const gone = [...all, refunded('r1', 'sandbox', RUPEES(270_000n))];
    expect(balances(gone)).toEqual({});
    expect(balances([...gone, refundFailed('r1', 'sandbox', RUPEES(270_000n))])).toEqual({
      'cash:sandbox': 270_000n,
      owed: -270_000n,
    });
  });

  it('F90: an invoice that was never paid and is credited leaves nothing', () => {
    expect(balances([issued(INVOICE), credited({ ...INVOICE, id: 'c1' }, false)])).toEqual({});
  });

  it('money that buys nothing is its reader’s', () => {
    expect(balances([overpaid('p2', 'sandbox', RUPEES(90_000n))])).toEqual({
      'cash:sandbox': 90_000n,
      owed: -90_000n,
    });
  });

  it('a dispute takes the money until it is won, and for good when it is lost', () => {
    const open = [disputed('d1', 'sandbox', RUPEES(5n))];
    expect(balances(open)).toEqual({ disputed: 5n, 'cash:sandbox': -5n });
    expect(balances([...open, disputeWon('d1', 'sandbox', RUPEES(5n))])).toEqual({});
    expect(balances([...open, disputeLost('d1', RUPEES(5n))])).toEqual({
      written_off: 5n,
      'cash:sandbox': -5n,
    });
  });

  it('I1: takes no entry that does not balance', () => {
    expect(() => issued({ ...INVOICE, total: 270_001n })).toThrow(/does not balance by 1/);
  });

  it('I20: parts that are credited one after the other leave nothing of an invoice, whatever their sizes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 3n, max: 60_000n }), { minLength: 1, maxLength: 12 }),
        (sizes) => {
          let before = 0n;
          const entries = [issued(INVOICE), captured('p', 'sandbox', RUPEES(270_000n))];
          const whole = { placeOfSupply: 'IN-KA', taxable: INVOICE.taxable, lines: INVOICE.tax };
          for (const [at, size] of [...sizes, 270_000n].entries()) {
            const total = size > INVOICE.total - before ? INVOICE.total - before : size;
            if (total === 0n) break;
            const { lines, taxable } = taxOfCredit(whole, before, total);
            entries.push(credited({ id: String(at), currency: 'INR', taxable, tax: lines, total }, true));
            before += total;
          }
          expect(balances(entries)).toEqual({ 'cash:sandbox': 270_000n, owed: -270_000n });
        },
      ),
    );
  });
});
