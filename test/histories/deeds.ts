import {
  acceptSeat,
  beginCheckout,
  beginGift,
  beginPayment,
  cancelSubscription,
  changePlanLater,
  changeSeatsLater,
  endPause,
  findGroup,
  findOfferByCode,
  giftCode,
  giftsOf,
  helpWithSubscription,
  inviteToSeats,
  letGoOn,
  listOffers,
  pauseSubscription,
  redeemGift,
  refundPayment,
  resumeSubscription,
  subscriptionsOf,
  withdrawSeat,
  withdrawSubscription,
} from '#billing';
import { takePrintSubscribers } from '#entitlements';
import { uuidv7 } from '#platform/ids';
import { dayAt } from '#values/term';
import type { Dice } from '../../demo/dice.ts';
import {
  changeDispute,
  changeMandate,
  makeRefund,
  newestCapture,
  newestMandate,
  OUTCOME_CODES,
  type OutcomeCode,
  type Rail,
  setMandateOutcome,
} from '../../src/sandbox/sandbox.ts';
import type { TestPaper } from '../paper.ts';
import { pay } from '../shop.ts';

export type Reader = {
  readonly id: string;
  readonly email: string;
  readonly country: string;
  readonly state: string | undefined;
};
/** A reader, one of the processes, and who has to do with this reader: they give each other gifts and seats. */
export type Scene = {
  readonly paper: TestPaper;
  /** The other process of the same paper. */
  readonly other: TestPaper;
  readonly reader: Reader;
  readonly neighbour: Reader;
  readonly dice: Dice;
};
type Deed = (scene: Scene) => Promise<unknown>;

export const PLANS = ['quarterly', 'yearly', 'two-yearly'] as const;
const RAILS: readonly Rail[] = ['card_intl', 'card_in', 'upi'];
/** Outcomes that come back at once: a hang would take as long as the paper's patience. */
const OUTCOMES = OUTCOME_CODES.filter((code) => code !== 'hang');
export const CHARGES: readonly OutcomeCode[] = OUTCOMES.filter((code) => code !== 'authenticate');
/** What is on offer besides the plans as they are; see crowd.ts. */
export const CODE = 'COME IN';

const now = ({ clock }: TestPaper) => clock.now();
const by = (reader: Reader) => ({ readerId: reader.id, actor: 'support', reason: 'a history' });
const said = { actor: 'support', reason: 'a history' };
const noRecord = async () => undefined;

async function payAt({ dice, paper }: Scene, begun: { readonly kind: string; readonly url?: string }) {
  const { url } = begun;
  if (url === undefined) return;
  // Some look at the page and go.
  if (dice.chance(0.06)) return;
  await pay(paper, url, dice.of(['approve', 'approve', ...OUTCOMES]), dice.of(RAILS));
}

async function chosenOffer({ dice, paper }: Scene) {
  const { db } = paper.database;
  if (dice.chance(0.5)) return undefined;
  if (dice.chance(0.3)) return findOfferByCode(db, CODE);
  const offer = dice.of(await listOffers(db));
  return { offer, codeHash: undefined };
}

function order({ dice, paper, reader }: Scene) {
  const slug = dice.of(PLANS);
  const plan = paper.plans().find((one) => one.slug === slug);
  if (plan === undefined) throw new Error(`there is no plan ${slug}`);
  const { country, state } = reader;
  return { plan, reader, country, state, consent: 'I agree.', next: '/' };
}

async function running({ paper, reader }: Scene) {
  const all = await subscriptionsOf(paper.database.db, reader.id);
  return all.find(({ state }) => state !== 'incomplete' && state !== 'canceled' && state !== 'expired');
}

/** What may happen to a reader's subscription in the time between two looks, and how it is done. */
export const DEEDS: Readonly<Record<string, Deed>> = {
  buy: async (scene) => {
    const offer = await chosenOffer(scene);
    await payAt(
      scene,
      await beginCheckout(scene.paper.billing, { ...order(scene), offer }, now(scene.paper)),
    );
  },
  'buy for a group': async (scene) => {
    const given = { ...order(scene), seats: scene.dice.whole(2, 4) };
    await payAt(scene, await beginCheckout(scene.paper.billing, given, now(scene.paper)));
  },
  'open two windows': async (scene) => {
    const [one, two] = [order(scene), order(scene)];
    const begun = await Promise.all([
      beginCheckout(scene.paper.billing, one, now(scene.paper)),
      beginCheckout(scene.other.billing, two, now(scene.paper)),
    ]);
    await Promise.all(begun.map((window) => payAt(scene, window)));
  },
  'pay what is open': async (scene) =>
    payAt(scene, await beginPayment(scene.paper.billing, scene.reader, now(scene.paper))),
  'have another plan today': async (scene) =>
    payAt(scene, await beginPayment(scene.paper.billing, scene.reader, now(scene.paper), order(scene).plan)),
  'have another plan later': (scene) =>
    changePlanLater(scene.paper.billing, scene.reader.id, order(scene).plan, 'reader', now(scene.paper)),
  'have more seats today': async (scene) => {
    const current = await running(scene);
    if (current === undefined || current.seats < 2) return;
    const seats = current.seats + scene.dice.whole(1, 2);
    await payAt(scene, await beginPayment(scene.paper.billing, scene.reader, now(scene.paper), { seats }));
  },
  'have fewer seats later': ({ dice, paper, reader }) =>
    changeSeatsLater(paper.billing, reader.id, dice.whole(2, 4), 'reader', now(paper)),
  'give a seat away': async ({ neighbour, paper, reader }) => {
    const group = await findGroup(paper.billing, reader.id);
    if (group === undefined) return;
    const { id } = group.subscription;
    await inviteToSeats(paper.billing, { groupId: id, by: reader.id, emails: [neighbour.email] }, now(paper));
    const token = await invitationTo(paper, neighbour);
    if (token !== undefined) await acceptSeat(paper.billing, token, neighbour, now(paper));
  },
  'promise seats to many': async ({ dice, paper, reader }) => {
    const group = await findGroup(paper.billing, reader.id);
    if (group === undefined) return;
    const emails = Array.from({ length: dice.whole(1, 4) }, () => `${uuidv7()}@elsewhere.example`);
    await inviteToSeats(paper.billing, { groupId: group.subscription.id, by: reader.id, emails }, now(paper));
  },
  'take a seat oneself': async ({ paper, reader }) => {
    const group = await findGroup(paper.billing, reader.id);
    if (group === undefined) return;
    const { id } = group.subscription;
    await inviteToSeats(paper.billing, { groupId: id, by: reader.id, emails: [reader.email] }, now(paper));
    const token = await invitationTo(paper, reader);
    if (token !== undefined) await acceptSeat(paper.billing, token, reader, now(paper));
  },
  'take a seat back': async ({ dice, paper, reader }) => {
    const group = await findGroup(paper.billing, reader.id);
    if (group === undefined || group.seats.length === 0) return;
    const { id: seatId } = dice.of(group.seats);
    const { id: groupId } = group.subscription;
    await withdrawSeat(paper.billing, { groupId, seatId, by: reader.id }, now(paper));
  },
  'give a gift': async (scene) => {
    const { dice, paper } = scene;
    const words = { toName: 'A', fromName: 'B', message: '' };
    const today = dayAt(now(paper), paper.publication().zone);
    const sent = dice.chance(0.5)
      ? { toEmail: undefined, deliverOn: undefined }
      : { toEmail: scene.neighbour.email, deliverOn: today.add({ days: dice.whole(0, 40) }) };
    const given = { ...order(scene), ...words, ...sent, id: uuidv7() };
    await payAt(scene, await beginGift(paper.billing, given, now(paper)));
  },
  'redeem a gift': async ({ neighbour, paper, reader }) => {
    const gifts = await giftsOf(paper.database.db, neighbour.id);
    const gift = gifts.find(({ state }) => state === 'waiting');
    const code = gift && giftCode(paper.billing, gift);
    if (code !== undefined) await redeemGift(paper.billing, code, reader, now(paper));
  },
  'have the printed paper': async ({ dice, paper, reader }) => {
    const untilOn = dayAt(now(paper), paper.publication().zone).add({ days: dice.whole(-10, 120) });
    const printed = { number: reader.id, email: reader.email, untilOn };
    await paper.database.db.transaction().execute((tx) => takePrintSubscribers(tx, [printed], now(paper)));
  },
  cancel: ({ paper, reader }) => cancelSubscription(paper.billing, reader.id, 'reader', now(paper)),
  'take it back': ({ paper, reader }) => resumeSubscription(paper.billing, reader.id, 'reader', now(paper)),
  withdraw: ({ paper, reader }) => withdrawSubscription(paper.billing, reader.id, 'reader', now(paper)),
  pause: ({ dice, paper, reader }) =>
    pauseSubscription(paper.billing, reader.id, dice.whole(7, 90), 'reader', now(paper)),
  'end the pause': ({ paper, reader }) => endPause(paper.billing, reader.id, 'reader', now(paper)),
  'refund a part': ({ dice, paper, reader }) =>
    refundPayment(paper.billing, { ...by(reader), minor: BigInt(dice.whole(3, 50_000)) }, now(paper)),
  'refund all': ({ paper, reader }) => refundPayment(paper.billing, by(reader), now(paper)),
  'be helped': async (scene) => {
    const { dice, paper } = scene;
    const current = await running(scene);
    if (current === undefined) return;
    const fact = dice.of([
      { kind: 'extend', days: dice.whole(1, 60) },
      { kind: 'extend', days: dice.whole(1, 60) },
      { kind: 'cancel' },
      { kind: 'undo cancel' },
      { kind: 'end', reason: 'admin' },
    ] as const);
    await helpWithSubscription(paper.billing, current.id, fact, said, now(paper), noRecord);
  },
  'have what is parked go on': async (scene) => {
    const current = await running(scene);
    if (current !== undefined)
      await letGoOn(scene.paper.billing, current.id, said, now(scene.paper), noRecord);
  },
  'refund at the gateway': async ({ dice, paper: { clock, database }, reader }) => {
    const paymentId = await newestCapture(database.db, reader.email, 'any');
    if (paymentId === undefined) return;
    const minor = BigInt(dice.whole(3, 90_000));
    await makeRefund(database.db, { named: undefined, paymentId, minor }, clock.now());
  },
  dispute: async ({ dice, paper: { clock, database }, reader }) => {
    const to = dice.of(['open', 'won', 'lost'] as const);
    const paymentId = await newestCapture(
      database.db,
      reader.email,
      to === 'open' ? 'undisputed' : 'disputed',
    );
    if (paymentId !== undefined) await changeDispute(database.db, paymentId, to, clock.now());
  },
  'tell the bank': async ({ dice, paper: { clock, database }, reader }) => {
    const mandate = await newestMandate(database.db, reader.email);
    const act = dice.of(['revoke', 'pause', 'resume', 'resume'] as const);
    if (mandate !== undefined) await changeMandate(database.db, mandate.id, act, clock.now());
  },
  'change how charges end': async ({ dice, paper: { database }, reader }) => {
    const mandate = await newestMandate(database.db, reader.email);
    const outcome = dice.of<OutcomeCode>(['approve', 'approve', ...CHARGES]);
    if (mandate !== undefined) await setMandateOutcome(database.db, mandate.id, outcome);
  },
  'do nothing': async () => undefined,
};

/** Some happen more often. */
export const NAMES = [...Object.keys(DEEDS), 'buy', 'buy', 'pay what is open', 'do nothing', 'do nothing'];

/** The invitation that was sent last to an address, out of the queue of mails: it is kept nowhere else. */
async function invitationTo({ database: { pool } }: TestPaper, { email }: Reader) {
  const { rows } = await pool.query<{ token: string | null }>(
    `select substring(payload::text from position($1 in payload::text) for 2000) as token
    from jobs._private_jobs where payload::text like '%/account/seats/%' and payload::text like '%' || $1 || '%'
    order by id desc limit 1`,
    [email],
  );
  return /\/account\/seats\/([\w-]{43})/.exec(rows[0]?.token ?? '')?.[1];
}
