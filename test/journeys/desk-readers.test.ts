import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { post, seated } from '../desk.ts';
import { mailsTo } from '../mails.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/** A reader writes in, and support sees at the desk what the paper knows of them. */
let paper: TestPaper;
let premium: StoredStory;
let metered: StoredStory;
beforeAll(async () => {
  paper = await testPaper();
  [premium, metered] = (await storeStories(paper.database.db, [
    storyInput({ headline: 'What the drains committee did not say', access: 'premium' }),
    storyInput({ headline: 'Seven bids for the ferry licence' }),
  ])) as [StoredStory, StoredStory];
});
afterAll(() => paper.end());

describe('a reader who asks why the wall was shown', () => {
  it('is found by their address, explained, signed out elsewhere, and sent the receipt again', async () => {
    await expect.poll(async () => (await paper.get(premium.path)).status).toBe(200);
    const reader = await signedInBrowser(paper, 'meera@paper.example');
    await reader.get(premium.path);
    await reader.get(metered.path);
    await paper.access.flush();
    const { cookie, email } = await seated(paper, 'support');
    const look = async (path: string) => (await paper.get(path, { cookie })).text();
    const path = `/desk/readers/${reader.readerId}`;

    expect(await look('/desk/readers?q=MEERA')).toContain(`href="${path}"`);
    const before = await look(path);
    for (const words of [
      'account only',
      'What the drains committee did not say',
      'No right to it (premium) was in force at that time, before or after.',
      'Seven bids for the ferry licence',
      'Signed in',
    ])
      expect(before.toLowerCase()).toContain(words.toLowerCase());

    paper.clock.set('2026-11-23T07:00:00Z');
    await pay(paper, await beginOrder(reader));
    await settle(paper);
    const after = await look(path);
    expect(after).toContain('₹2,700');
    expect(after).toContain('paid until 22 November 2027');
    expect(after).not.toContain('paid until 23 November 2027');
    expect(after).toMatch(/No right to it \(premium\) was in force at that time: the next began on/);

    const { length } = await mailsTo(paper, reader.email);
    const sent = await post(paper, `${path}/mails`, { kind: 'receipt', reason: 'For her tax' }, { cookie });
    expect(sent.headers.get('location')).toBe(`${path}?done=mail-sent`);
    await settle(paper);
    expect(await mailsTo(paper, reader.email)).toHaveLength(length + 1);

    expect((await reader.get('/account')).status).toBe(200);
    const session = /name="session" value="([^"]+)"/.exec(after)?.[1] ?? '';
    const ended = await post(
      paper,
      `${path}/session-endings`,
      { session, reason: 'She lost the phone' },
      { cookie },
    );
    expect(ended.headers.get('location')).toBe(`${path}?done=session-ended`);
    await expect.poll(async () => (await reader.get('/account')).status).toBe(303);
    expect(
      await paper.staff.actions({ on: { kind: 'reader', id: reader.readerId }, limit: 9 }),
    ).toMatchObject([
      { actor: email, what: 'session-ending', reason: 'She lost the phone' },
      { actor: email, what: 'mail-resending', reason: 'For her tax' },
    ]);
  }, 60_000);
});
