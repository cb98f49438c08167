import { sql } from 'kysely';
import { z } from 'zod';
import { type ChangeFeed, keepCurrent } from '#platform/change-feed';
import { type Db, toInstant } from '#platform/db';
import { Invalid } from '#values/errors';
import { DEFAULT_POLICY, type Policy } from './policy.ts';

const limits = z.object({ visitors: z.int().min(0).max(10_000), readers: z.int().min(0).max(10_000) });
const terms = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('open') }),
  z.object({ kind: z.literal('registered') }),
  z.object({ kind: z.literal('metered'), meter: z.string() }),
  z.object({ kind: z.literal('subscribers') }),
  z.object({ kind: z.literal('closed') }),
]);
const condition = z.object({
  levels: z.array(z.string()).exactOptional(),
  sections: z.array(z.string()).exactOptional(),
  topics: z.array(z.string()).exactOptional(),
  olderThanDays: z.number().min(0).exactOptional(),
  youngerThanDays: z.number().min(0).exactOptional(),
});
const policySchema: z.ZodType<Omit<Policy, 'version'>> = z
  .object({
    meters: z.record(z.string(), limits),
    rules: z.array(z.object({ name: z.string().min(1), when: condition, terms })),
    otherwise: terms,
    premiumForCrawlers: z.boolean(),
  })
  .refine(
    (policy) =>
      [...policy.rules.map((rule) => rule.terms), policy.otherwise].every(
        (one) => one.kind !== 'metered' || Object.hasOwn(policy.meters, one.meter),
      ),
    'a rule names a meter that has no limits',
  );

/** `fromMs`: from when it is in force, in milliseconds since the epoch. */
type Version = { readonly policy: Policy; readonly fromMs: number };

/** The policy that is in force at an instant. Versions are read once and again when one is added. */
export type PolicyBook = { at(now: Temporal.Instant): Policy };

/**
 * Opens the book. A paper that has no policy yet gets the default one, as its first version.
 * A version that cannot be understood stops the start: a paper must not guess what is locked.
 */
export async function openPolicyBook(
  db: Db,
  changes: ChangeFeed,
  now: Temporal.Instant,
): Promise<PolicyBook> {
  await sql`
    insert into access.policies (policy, in_force_from, made_at, made_by)
    select ${JSON.stringify(DEFAULT_POLICY)}::jsonb, '-infinity', ${now.toString()}, 'broadsheet'
    where not exists (select from access.policies)`.execute(db);
  const versions = await keepCurrent(changes, ['access.policies'], () => load(db));
  return {
    at(now) {
      const nowMs = now.epochMilliseconds;
      for (const { policy, fromMs } of versions()) if (fromMs <= nowMs) return policy;
      return (versions().at(-1) as Version).policy;
    },
  };
}

/** Newest first. */
async function load(db: Db): Promise<Version[]> {
  const { rows } = await sql<{ version: number; policy: unknown; from: string }>`
    select version, policy,
      case when in_force_from = '-infinity' then '0001-01-01 00:00:00+00' else in_force_from::text end as from
    from access.policies order by in_force_from desc, version desc limit 100`.execute(db);
  return rows.map((row) => ({
    policy: { ...policySchema.parse(row.policy), version: row.version },
    fromMs: toInstant(row.from).epochMilliseconds,
  }));
}

/**
 * Adds a version of the policy, in force from `from`; the ones before stay, so that an old decision can be explained.
 *
 * @throws Invalid when it does not make sense, with the reason
 */
export async function addPolicy(
  db: Db,
  policy: Omit<Policy, 'version'>,
  made: { readonly from: Temporal.Instant; readonly at: Temporal.Instant; readonly by: string },
): Promise<void> {
  const checked = policySchema.safeParse(policy);
  if (!checked.success)
    throw new Invalid(
      'bad-policy',
      checked.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`.trim()).join('; '),
    );
  await sql`
    insert into access.policies (policy, in_force_from, made_at, made_by)
    values (${JSON.stringify(checked.data)}::jsonb, ${made.from.toString()}, ${made.at.toString()}, ${made.by})`.execute(
    db,
  );
}
