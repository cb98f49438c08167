import { afterEach, beforeEach, expect, it } from 'vitest';
import { askUnanswered } from '#billing';
import { changeDispute, makeRefund, newestCapture } from '../../src/sandbox/sandbox.ts';
import { booksHold } from '../books.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/**
 * The inbox of what gateways told: whoever has it, and the books of an earlier day, has the books of today (I27). It is what
 * stands behind a backup that is brought back. (A term begins on the day on which its payment is known here: all happens on one.)
 */
let paper: TestPaper;

beforeEach(async () => {
  paper = await testPaper('2026-11-23T06:30:00Z');
});
afterEach(() => paper.end());

/** What the books say, without the names and moments that each writing makes up for itself. */
const SAID = `
  select
    (select json_agg(json_build_array(r.email, s.plan_slug, s.state, s.anchor_on, s.paid_through_on, s.next_seq, s.ended_reason,
        s.is_disputed) order by r.email)
      from billing.subscriptions s join readers.readers r on r.id = s.reader_id) as subscriptions,
    (select json_agg(json_build_array(s.id, t.seq, t.start_on, t.end_on, t.amount_minor, t.status) order by s.id, t.seq)
      from billing.terms t join billing.subscriptions s on s.id = t.subscription_id) as terms,
    (select json_agg(json_build_array(i.subscription_id, i.term_seq, i.status, i.total_minor, i.tax_minor, i.number is null)
        order by i.subscription_id, i.term_seq, i.status) from billing.invoices i) as invoices,
    (select json_agg(number order by number) from billing.invoices where number is not null) as numbers,
    (select json_agg(json_build_array(gateway_payment_id, status, amount_minor, failure_code) order by gateway_payment_id)
      from billing.payments) as payments,
    (select json_agg(json_build_array(f.amount_minor, f.status) order by f.amount_minor) from billing.refunds f) as refunds,
    (select json_agg(json_build_array(kind, subscription_id, accounts, amounts) order by kind, subscription_id, amounts::text)
      from billing.journal) as journal,
    (select json_agg(json_build_array(reader_id, benefit, from_at, until_at, revoked_at) order by reader_id, benefit, from_at,
      until_at) from entitlements.grants) as grants,
    (select json_agg(json_build_array(reader_id, kind) order by reader_id, kind) from mail.mails) as mails`;

it('I27: what gateways told, replayed over the books of before, gives the books of today', async () => {
  const { pool, db } = paper.database;
  const readers = await Promise.all(
    ['asha', 'bina', 'chitra', 'dev'].map((name, at) =>
      signedInBrowser(paper, `${name}@paper.example`, { address: `198.51.100.${at + 1}` }),
    ),
  );
  const [asha, bina, chitra, dev] = readers;
  if (!(asha && bina && chitra && dev)) throw new Error('somebody is missing');
  const urls = await Promise.all(
    readers.map((one, at) => beginOrder(one, { plan: at === 0 ? 'yearly' : 'quarterly' })),
  );
  await keepBooks();

  for (const [at, url] of urls.entries()) await pay(paper, url, at === 3 ? 'insufficient_funds' : 'approve');
  await settle(paper);
  const ofBina = (await newestCapture(db, bina.email, 'any')) ?? '';
  await makeRefund(db, { named: undefined, paymentId: ofBina, minor: 20_000n }, paper.clock.now());
  await settle(paper);
  const ofChitra = (await newestCapture(db, chitra.email, 'undisputed')) ?? '';
  await changeDispute(db, ofChitra, 'open', paper.clock.now());
  await settle(paper);
  await changeDispute(db, ofChitra, 'lost', paper.clock.now());
  await settle(paper);
  const { rows: first } = await pool.query(SAID);
  await booksHold(paper);

  await bringBooksBack();
  const { rows: before } = await pool.query(SAID);
  expect(before).not.toEqual(first);
  await askUnanswered(paper.billing, paper.clock.now().add({ minutes: 5 }));
  await settle(paper);
  const { rows: again } = await pool.query(SAID);
  expect(again).toEqual(first);
  await booksHold(paper);
});

const OURS = `
  select schemaname || '.' || tablename as name from pg_tables
  where schemaname in ('billing', 'entitlements', 'mail') and tablename <> 'gateway_events'`;

async function keepBooks(): Promise<void> {
  await paper.database.pool.query(`
    create schema kept;
    do $$ declare t text; begin
      for t in ${OURS} loop execute format('create table kept.%I as table %s', t, t); end loop;
    end $$`);
}

/** As a backup does: everything is as it was, but what has been told since is still in the inbox. */
async function bringBooksBack(): Promise<void> {
  await paper.database.pool.query(`
    set session_replication_role = replica;
    do $$ declare t text; columns text; begin
      for t in ${OURS} loop
        select string_agg(quote_ident(attname), ', ') into columns from pg_attribute
          where attrelid = t::regclass and attnum > 0 and not attisdropped and attgenerated = '';
        execute format('delete from %s', t);
        execute format('insert into %s (%s) overriding system value select %s from kept.%I', t, columns, columns, t);
      end loop;
      update billing.gateway_events set processed_at = null;
    end $$;
    set session_replication_role = origin`);
}
