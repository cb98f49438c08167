import { describe, expect, it } from 'vitest';
import { beginCharge, type ChargeAsked, type ChargesBefore, chargeRefusal, dueCharge } from './charge.ts';
import { afterAct, giveMandate, type Mandate, mandateShown, statusOf } from './mandate.ts';
import { fingerprintOf, methodLabel, methodOf, RAILS, type Rail, takes } from './methods.ts';
import { OUTCOME_CODES, type OutcomeCode } from './outcomes.ts';
import type { Payment } from './payment.ts';

const at = (text: string) => Temporal.Instant.from(text);
const NOW = at('2026-11-23T06:30:00Z');
const inr = (minor: bigint) => ({ minor, currency: 'INR' });
const CARD = { brand: 'visa', last4: '4242' } as const;

const given = (rail: Rail, over: Partial<Mandate> = {}): Mandate => ({
  ...giveMandate(
    { maxAmount: inr(400_000n), months: 3 },
    {
      id: 'man_1',
      rail,
      customer: 'meera',
      email: 'meera@example.com',
      method: methodOf(rail, CARD, 'meera@example.com'),
    },
    at('2026-08-23T06:30:00Z'),
  ),
  ...over,
});
const asked = (over: Partial<ChargeAsked> = {}): ChargeAsked => ({
  paymentId: 'pay_1',
  key: 'k',
  reference: 'renewal 2',
  mandateId: 'man_1',
  customer: 'meera',
  amount: inr(270_000n),
  description: 'Three months',
  notBefore: undefined,
  ...over,
});
const NONE: ChargesBefore = { pending: [], succeededAt: [] };
const TOMORROW = NOW.add({ hours: 24 });

describe('a charge is not even tried', () => {
  it.each<[string, Rail, Partial<ChargeAsked>, Partial<Mandate>, Partial<ChargesBefore>, string | undefined]>(
    [
      ['nothing speaks against it', 'card_intl', {}, {}, {}, undefined],
      ['F78: the mandate is another’s', 'card_intl', { customer: 'asha' }, {}, {}, 'mandate_of_another'],
      ['F70: it is paused', 'upi', { notBefore: TOMORROW }, { status: 'paused' }, {}, 'mandate_not_active'],
      ['F69: it is revoked', 'card_intl', {}, { status: 'revoked' }, {}, 'mandate_not_active'],
      [
        'its card has expired today',
        'card_intl',
        {},
        { expiresOn: Temporal.PlainDate.from('2026-11-23') },
        {},
        'mandate_expired',
      ],
      [
        'its card expires tomorrow',
        'card_intl',
        {},
        { expiresOn: Temporal.PlainDate.from('2026-11-24') },
        {},
        undefined,
      ],
      [
        'it is in dollars',
        'card_intl',
        { amount: { minor: 1n, currency: 'USD' } },
        {},
        {},
        'currency_not_of_mandate',
      ],
      ['F71: it is a paisa too much', 'card_intl', { amount: inr(400_001n) }, {}, {}, 'amount_above_mandate'],
      ['it is the most that is allowed', 'card_intl', { amount: inr(400_000n) }, {}, {}, undefined],
      ['F71: before any notice', 'upi', { amount: inr(400_001n) }, {}, {}, 'amount_above_mandate'],
      ['UPI without a notice', 'upi', {}, {}, {}, 'notice_too_short'],
      ['an Indian card without one', 'card_in', {}, {}, {}, 'notice_too_short'],
      [
        'a notice a second too short',
        'upi',
        { notBefore: TOMORROW.subtract({ seconds: 1 }) },
        {},
        {},
        'notice_too_short',
      ],
      ['a notice of 24 hours', 'upi', { notBefore: TOMORROW }, {}, {}, undefined],
      ['a card from anywhere, later', 'card_intl', { notBefore: TOMORROW }, {}, {}, 'not_before_not_taken'],
      ['a card from anywhere, from now on', 'card_intl', { notBefore: NOW }, {}, {}, undefined],
      [
        'F74: the same amount was announced',
        'card_in',
        { notBefore: TOMORROW },
        {},
        { pending: [inr(270_000n)] },
        'notice_in_flight',
      ],
      [
        'F74: another amount was announced',
        'card_in',
        { notBefore: TOMORROW },
        {},
        { pending: [inr(90_000n)] },
        undefined,
      ],
      [
        'F72: UPI took money in this cycle',
        'upi',
        { notBefore: TOMORROW },
        {},
        { succeededAt: [NOW.subtract({ hours: 24 * 18 })] },
        'already_charged_in_cycle',
      ],
      [
        'F72: UPI took money in the last cycle',
        'upi',
        { notBefore: TOMORROW },
        {},
        { succeededAt: [NOW.subtract({ hours: 24 * 20 })] },
        undefined,
      ],
      ['a card has no cycle', 'card_intl', {}, {}, { succeededAt: [NOW.subtract({ hours: 1 })] }, undefined],
    ],
  )('%s', (_, rail, over, mandate, before, why) => {
    expect(chargeRefusal(asked(over), given(rail, mandate), { ...NONE, ...before }, NOW)).toBe(why);
  });
});

describe('a card from anywhere is answered at once', () => {
  it.each<[OutcomeCode, Payment['status'] | undefined, string | undefined]>([
    ['approve', 'succeeded', undefined],
    ['lost', 'succeeded', undefined],
    ['hang', 'succeeded', undefined],
    ['error_502_html', 'succeeded', undefined],
    ['decline', 'failed', 'card_declined'],
    ['insufficient_funds', 'failed', 'insufficient_funds'],
    ['expired_card', 'failed', 'expired_card'],
    ['stolen_card', 'failed', 'stolen_card'],
    ['processing_error', 'failed', 'processing_error'],
    ['late', 'failed', 'processing_error'],
    ['authenticate', 'failed', 'authentication_required'],
    ['authentication_required', 'failed', 'authentication_required'],
    ['later', 'pending', undefined],
    ['later_decline', 'pending', undefined],
    ['error_500', undefined, undefined],
    ['conflict_409', undefined, undefined],
  ])('%s: %s %s', (code, status, failureCode) => {
    const payment = beginCharge(asked(), given('card_intl'), code, NOW);
    expect([payment?.status, payment?.failureCode]).toEqual([status, failureCode]);
  });
});

describe('what a bank announces', () => {
  const charge = asked({ notBefore: TOMORROW });

  it.each(['card_in', 'upi'] as const)('is pending until an hour after it may be, by %s', (rail) => {
    const payment = beginCharge(charge, given(rail), 'approve', NOW) as Payment;
    expect(payment).toMatchObject({ status: 'pending', failureCode: undefined });
    expect(payment.settlesAt?.toString()).toBe('2026-11-24T07:30:00Z');
    expect(dueCharge(payment, given(rail), NONE, TOMORROW)).toBeUndefined();
    const settled = dueCharge(payment, given(rail), NONE, at('2026-12-01T00:00:00Z'));
    expect(settled).toMatchObject({ status: 'succeeded', settlesAt: undefined });
    expect(settled?.changedAt.toString()).toBe('2026-11-24T07:30:00Z');
  });

  it.each<[string, OutcomeCode, Partial<Mandate>, Temporal.Instant[], string]>([
    ['it is declined', 'insufficient_funds', {}, [], 'insufficient_funds'],
    ['nobody is there to answer the bank', 'authenticate', {}, [], 'authentication_required'],
    ['F69: revoked after the notice', 'approve', { status: 'revoked' }, [], 'mandate_not_active'],
    ['F70: paused after the notice', 'approve', { status: 'paused' }, [], 'mandate_not_active'],
    [
      'expired after the notice',
      'approve',
      { expiresOn: Temporal.PlainDate.from('2026-11-24') },
      [],
      'mandate_expired',
    ],
    ['F72: another of this cycle came first', 'approve', {}, [NOW], 'already_charged_in_cycle'],
  ])('fails where %s', (_, code, mandate, succeededAt, failureCode) => {
    const payment = beginCharge(charge, given('upi'), code, NOW) as Payment;
    expect(
      dueCharge(payment, given('upi', mandate), { succeededAt }, TOMORROW.add({ hours: 1 })),
    ).toMatchObject({
      status: 'failed',
      failureCode,
      lateAt: undefined,
    });
  });
});

describe('money that comes late', () => {
  it('is taken two days after the bank said no, by itself', () => {
    const failed = beginCharge(asked(), given('card_intl'), 'late', NOW) as Payment;
    expect(failed.lateAt?.toString()).toBe('2026-11-25T06:30:00Z');
    expect(dueCharge(failed, given('card_intl'), NONE, NOW.add({ hours: 47 }))).toBeUndefined();
    const taken = dueCharge(failed, given('card_intl'), NONE, NOW.add({ hours: 72 })) as Payment;
    expect(taken).toMatchObject({ status: 'succeeded', failureCode: undefined, lateAt: undefined });
    expect(taken.changedAt.toString()).toBe('2026-11-25T06:30:00Z');
    expect(dueCharge(taken, given('card_intl'), NONE, NOW.add({ hours: 99_999 }))).toBeUndefined();
  });

  it('by UPI fails at the debit first, and is not taken where the retry was', () => {
    const pending = beginCharge(asked({ notBefore: TOMORROW }), given('upi'), 'late', NOW) as Payment;
    const failed = dueCharge(pending, given('upi'), NONE, TOMORROW.add({ hours: 1 })) as Payment;
    expect(failed).toMatchObject({ status: 'failed', failureCode: 'processing_error' });
    expect(failed.lateAt?.toString()).toBe('2026-11-26T07:30:00Z');
    const later = at('2026-11-30T00:00:00Z');
    expect(dueCharge(failed, given('upi'), NONE, later)?.status).toBe('succeeded');
    const retried = { succeededAt: [at('2026-11-26T07:00:00Z')] };
    expect(dueCharge(failed, given('upi'), retried, later)).toMatchObject({
      status: 'failed',
      lateAt: undefined,
    });
  });
});

describe('a mandate', () => {
  it('is good for as long as its card, or for ten years by UPI', () => {
    expect(RAILS.map((rail) => given(rail).expiresOn.toString())).toEqual([
      '2030-08-23',
      '2030-08-23',
      '2036-08-23',
    ]);
    expect(statusOf(given('card_intl'), at('2030-08-22T23:59:59Z'))).toBe('active');
    expect(statusOf(given('card_intl'), at('2030-08-23T00:00:00Z'))).toBe('expired');
    expect(mandateShown(given('card_intl'), at('2031-01-01T00:00:00Z')).status).toBe('expired');
  });

  it.each([
    ['active', 'pause', 'paused'],
    ['active', 'revoke', 'revoked'],
    ['active', 'resume', undefined],
    ['paused', 'resume', 'active'],
    ['paused', 'revoke', 'revoked'],
    ['paused', 'pause', undefined],
    ['revoked', 'resume', undefined],
    ['revoked', 'revoke', undefined],
  ] as const)('that is %s, told to %s, is %s', (status, act, then) => {
    expect(afterAct(given('upi', { status }), act, NOW)?.status).toBe(then);
  });

  it('that has expired is over: nothing is done to it any more', () => {
    const late = at('2037-01-01T00:00:00Z');
    for (const act of ['pause', 'resume', 'revoke'] as const)
      expect(afterAct(given('upi', { status: 'paused' }), act, late)).toBeUndefined();
  });

  it('has the fingerprint of its card or address, whoever uses it', () => {
    const print = (rail: Rail, email: string) => fingerprintOf(methodOf(rail, CARD, email));
    expect(print('card_intl', 'a@x.example')).toBe(print('card_intl', 'b@x.example'));
    expect(print('upi', 'a@x.example')).toBe(print('upi', 'a@y.example'));
    expect(
      new Set([print('card_intl', 'a@x'), print('card_in', 'a@x'), print('upi', 'a@x'), print('upi', 'b@x')])
        .size,
    ).toBe(4);
  });

  it('is named as its payer knows it', () => {
    expect(RAILS.map((rail) => methodLabel(methodOf(rail, CARD, 'meera@example.com')))).toEqual([
      'Visa ending 4242',
      'RuPay ending 4242',
      'UPI meera@sandbox',
    ]);
    expect(RAILS.map((rail) => takes(rail, 'USD'))).toEqual([true, false, false]);
  });
});

it('every outcome is one that a charge can end in, whatever it is charged to', () => {
  for (const rail of RAILS) {
    for (const code of OUTCOME_CODES) {
      const payment = beginCharge(asked({ notBefore: TOMORROW }), given(rail), code, NOW);
      expect(['pending', 'succeeded', 'failed', undefined]).toContain(payment?.status);
    }
  }
});
