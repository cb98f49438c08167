import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { postMail, SEND_MAIL } from '#mail';
import { machineMs, monotonicMs } from '#platform/clock';
import { createLogger } from '#platform/log';
import { enqueue, releaseAbandoned } from '#platform/queue';
import { runDueJobs, startJobs } from '../../src/main/jobs.ts';
import { MAIL_SAMPLES, mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';

let paper: TestPaper;
const log = createLogger('silent');

beforeEach(async () => {
  paper = await testPaper();
});
afterEach(() => paper.end());

async function postMails(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await postMail(
      paper.database.db,
      { kind: 'receipt', to: 'reader@example.org', payload: MAIL_SAMPLES.receipt },
      paper.clock.now().add({ seconds: n }),
    );
  }
}

async function waiting(): Promise<number> {
  const { rows } = await paper.database.pool.query('select 1 from jobs._private_jobs');
  return rows.length;
}

describe('running the jobs that are due', () => {
  it('does all of them and leaves what is for later', async () => {
    await postMails(3);
    await enqueue(paper.database.db, SEND_MAIL, {}, { notBefore: new Date(machineMs() + 60_000) });
    expect(await runDueJobs(paper, log)).toEqual({ done: 3, failed: 0 });
    expect(await waiting()).toBe(1);
    expect(await runDueJobs(paper, log)).toEqual({ done: 0, failed: 0 });
  });

  it('does each once, however many processes do so', async () => {
    const other = await paper.another();
    await postMails(12);
    const reports = await Promise.all([
      runDueJobs(paper, log),
      runDueJobs(other, log),
      runDueJobs(paper, log),
    ]);
    expect(reports.reduce((sum, { done }) => sum + done, 0)).toBe(12);
    expect(await mailsTo(paper, 'reader@example.org')).toHaveLength(12);
  });

  it('waits for what another process has taken up', async () => {
    await postMails(1);
    const { pool } = paper.database;
    await pool.query("update jobs._private_jobs set locked_at = now(), locked_by = 'another'");
    const started = monotonicMs();
    const running = runDueJobs(paper, log);
    await sleep(400);
    await pool.query('delete from jobs._private_jobs');
    expect(await running).toEqual({ done: 0, failed: 0 });
    expect(monotonicMs() - started).toBeGreaterThan(390);
  });
});

describe('a job whose process died', () => {
  it('is taken up by another a quarter of an hour later', async () => {
    const { db, pool } = paper.database;
    const lockedFor = (minutes: number) =>
      pool.query(
        "update jobs._private_jobs set locked_at = now() - $1 * interval '1 minute', locked_by = 'the dead'",
        [minutes],
      );
    await postMails(1);
    await lockedFor(14);
    expect(await releaseAbandoned(db)).toBe(0);
    await lockedFor(15.1);
    expect(await releaseAbandoned(db)).toBe(1);
    expect(await releaseAbandoned(db)).toBe(0);
    expect(await runDueJobs(paper, log)).toEqual({ done: 1, failed: 0 });
    expect(await mailsTo(paper, 'reader@example.org')).toHaveLength(1);
  });
});

describe('a job that fails', () => {
  it('is told of, and left to be tried again', async () => {
    await paper.end();
    // Nobody listens on the port of discarded mail.
    paper = await testPaper(undefined, { smtpUrl: 'smtp://127.0.0.1:9' });
    await postMails(1);
    expect(await runDueJobs(paper, log)).toEqual({ done: 0, failed: 1 });
    expect(await waiting()).toBe(1);
  });
});

describe('a worker that cannot put away what it did', () => {
  /** The queue takes note of nothing any more, as while its database is away. */
  async function refuseNotes(): Promise<void> {
    await paper.database.pool.query(`
      create function jobs.refuse() returns trigger language plpgsql as $$ begin raise 'not now'; end $$;
      create trigger refuse_deletes before delete on jobs._private_jobs
        for each row when (old.locked_at is not null) execute function jobs.refuse();
      create trigger refuse_failures before update on jobs._private_jobs
        for each row when (new.last_error is distinct from old.last_error) execute function jobs.refuse()`);
  }
  const takeNotesAgain = () => paper.database.pool.query('drop function jobs.refuse cascade');

  it.each([
    { job: 'was done', smtpUrl: undefined },
    { job: 'failed', smtpUrl: 'smtp://127.0.0.1:9' },
  ])('is followed by one that can, after a job that $job', async ({ smtpUrl }) => {
    await paper.end();
    paper = await testPaper(undefined, smtpUrl === undefined ? {} : { smtpUrl });
    const told = createLogger('silent');
    const broke = vi.spyOn(told, 'warn');
    const jobs = await startJobs(paper, told);
    try {
      await refuseNotes();
      await postMails(1);
      await expect.poll(() => broke.mock.calls.length, { timeout: 10_000 }).toBeGreaterThan(0);
      await takeNotesAgain();
      await postMails(1);
      await expect.poll(unnoted, { timeout: 10_000 }).toBe(0);
    } finally {
      await jobs.stop();
    }
  });

  /** Mails of which the queue knows neither that they were sent nor that they were tried. */
  async function unnoted(): Promise<number> {
    const { rows } = await paper.database.pool.query(
      'select 1 from jobs.jobs where task_identifier = $1 and last_error is null',
      [SEND_MAIL],
    );
    return rows.length;
  }
});
