import { postMails } from '#mail';
import { seal, unseal } from '#platform/sealing';
import { findReaders } from '#readers';
import { NotFound } from '#values/errors';
import { dayAt, isAmong } from '#values/term';
import { listPricedPlans } from './catalog.store.ts';
import { type Plan, plansOn } from './catalog.ts';
import { insertFacts } from './facts.store.ts';
import { listOffers, offerRefusal } from './offers.store.ts';
import { COMES_BACK_DAYS, type Offer, phasesOf } from './offers.ts';
import type { BillingParts } from './parts.ts';
import { areOffersWanted, type Gone, goneReaders, markAskedBack, setOffersWanted } from './win-back.store.ts';

/** Whoever is gone for longer does not remember us, and is not written to out of the blue. */
const LONGEST_GONE_DAYS = 365;
const BATCH = 200;
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Writes to readers who are gone for long enough, where an offer for those who come back is open to them: once for each
 * subscription, and no more than once in 180 days (billing, 1.9). Without such an offer nobody is written to. Safe to
 * repeat, and to run in several processes at once.
 *
 * @returns how many were written to
 */
export async function askBack(parts: BillingParts, now: Temporal.Instant): Promise<number> {
  const { db, publication } = parts;
  const today = dayAt(now, publication().zone);
  const offers = (await listOffers(db)).filter(
    (one) => one.who === 'lapsed' && !one.needsCode && isAmong(today, one),
  );
  if (offers.length === 0) return 0;
  const plans = plansOn(await listPricedPlans(db), today);
  const soonest = Math.min(...offers.map(({ lapsedDays }) => lapsedDays));
  let written = 0;
  let after = FIRST;
  for (;;) {
    const gone = await goneReaders(
      db,
      {
        endedAfter: now.subtract({ hours: 24 * LONGEST_GONE_DAYS }),
        endedBefore: now.subtract({ hours: 24 * soonest }),
        askedSince: now.subtract({ hours: 24 * COMES_BACK_DAYS }),
        after,
        limit: BATCH,
      },
      now,
    );
    for (const one of gone) {
      try {
        if (await askOne(parts, one, { offers, plans }, now)) written++;
      } catch (error) {
        // What fails for one reader keeps no mail from the others.
        parts.log.error({ err: error, subscriptionId: one.id }, 'a reader could not be asked to come back');
      }
    }
    if (gone.length < BATCH) return written;
    after = gone.at(-1)?.id ?? after;
  }
}

async function askOne(
  parts: BillingParts,
  gone: Gone,
  open: { readonly offers: readonly Offer[]; readonly plans: readonly Plan[] },
  now: Temporal.Instant,
): Promise<boolean> {
  const { db, publication } = parts;
  const found = await offerFor(parts, gone, open, dayAt(now, publication().zone));
  const reader = (await findReaders(db, [gone.readerId])).get(gone.readerId);
  if (found === undefined || reader === undefined) return false;
  const { offer, plan } = found;
  return db.transaction().execute(async (tx) => {
    if (!(await markAskedBack(tx, gone.id, now))) return false;
    await insertFacts(
      tx,
      [{ subscriptionId: gone.id, fact: 'asked back', actor: 'the calendar', reason: offer.name }],
      now,
    );
    const payload = {
      readUntil: dayAt(gone.endedAt, gone.zone),
      months: plan.months,
      price: plan.price,
      trialDays: offer.trialDays,
      phases: [...phasesOf(offer, plan)],
      ...(offer.untilOn === undefined ? {} : { untilOn: offer.untilOn }),
      offerPath: `/subscribe/${encodeURIComponent(plan.slug)}?offer=${encodeURIComponent(offer.slug)}`,
      stopPath: `/offers-by-mail/${offersToken(parts, gone.readerId)}`,
    };
    await postMails(tx, [{ kind: 'come-back', to: reader.email, readerId: gone.readerId, payload }], now);
    return true;
  });
}

/** The first offer that they may have, for the plan that they had where it is for that. */
async function offerFor(
  { db }: BillingParts,
  { planSlug, readerId }: Gone,
  { offers, plans }: { readonly offers: readonly Offer[]; readonly plans: readonly Plan[] },
  today: Temporal.PlainDate,
): Promise<{ offer: Offer; plan: Plan } | undefined> {
  for (const offer of offers) {
    const fitting = plans.filter(({ slug }) => offer.planSlug === undefined || offer.planSlug === slug);
    const plan = fitting.find(({ slug }) => slug === planSlug) ?? fitting[0];
    if (plan === undefined) continue;
    const refused = await offerRefusal(db, { offer, codeHash: undefined }, plan, readerId, today);
    if (refused === undefined) return { offer, plan };
  }
  return undefined;
}

const OWNER = 'offers by mail';

/** What a link in a mail holds, by which its reader says without signing in that they want no offers. */
function offersToken({ sealing }: BillingParts, readerId: string): string {
  return seal(sealing, Buffer.from(readerId), OWNER).toString('base64url');
}

/** Whose link it is, and whether they want offers by mail. @throws NotFound `no-such-link` */
export async function readOffersLink(
  { db, sealing }: BillingParts,
  token: string,
): Promise<{ readonly readerId: string; readonly areWanted: boolean }> {
  const readerId = unseal(sealing, Buffer.from(token, 'base64url'), OWNER)?.toString();
  if (readerId === undefined) throw new NotFound('no-such-link', 'that link is none of ours');
  return { readerId, areWanted: await areOffersWanted(db, readerId) };
}

/** Keeps what somebody says by such a link. @throws NotFound `no-such-link` */
export async function chooseOffers(
  parts: BillingParts,
  token: string,
  areWanted: boolean,
  now: Temporal.Instant,
): Promise<void> {
  const { readerId } = await readOffersLink(parts, token);
  await setOffersWanted(parts.db, readerId, areWanted, now);
}
