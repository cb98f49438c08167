import { createLogger } from '#platform/log';
import { runDueJobs } from '../src/main/jobs.ts';
import { deliverHeld, payAsReader, type Rail } from '../src/sandbox/sandbox.ts';
import type { TestPaper } from './paper.ts';

const log = createLogger(process.env.TEST_LOG === '1' ? 'warn' : 'silent');

/** A browser of a test's own: it keeps its cookies, and follows no redirect by itself. */
export type TestBrowser = {
  cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, fields?: Record<string, string>): Promise<Response>;
};

/** @param address the one that its requests come from */
export function testBrowser(paper: Pick<TestPaper, 'app' | 'baseUrl'>, address = ''): TestBrowser {
  const cookies = new Map<string, string>();
  const base = paper.baseUrl;
  function keep(response: Response): Response {
    for (const setting of response.headers.getSetCookie()) {
      const [pair = ''] = setting.split(';');
      const at = pair.indexOf('=');
      if (/Max-Age=0/.test(setting)) cookies.delete(pair.slice(0, at));
      else cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }
  const cookie = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return {
    cookies,
    get: async (path, headers = {}) =>
      keep(
        await paper.app.request(
          base + path,
          { headers: { ...headers, cookie: cookie() }, redirect: 'manual' },
          address,
        ),
      ),
    post: async (path, fields = {}) =>
      keep(
        await paper.app.request(
          base + path,
          {
            method: 'POST',
            headers: {
              cookie: cookie(),
              origin: base,
              'content-type': 'application/x-www-form-urlencoded',
            },
            body: new URLSearchParams(fields).toString(),
            redirect: 'manual',
          },
          address,
        ),
      ),
  };
}

/** A reader with an account, signed in with a browser. */
export async function signedInBrowser(
  paper: Pick<TestPaper, 'app' | 'baseUrl' | 'readers'>,
  email: string,
  { address = '', password = 'correct horse battery' } = {},
): Promise<TestBrowser & { readerId: string; email: string }> {
  const reader = await paper.readers.create(email, password);
  const browser = testBrowser(paper, address);
  const answer = await browser.post('/login', { email, password });
  if (answer.status !== 303) throw new Error(`signing in answered ${answer.status}`);
  return { ...browser, readerId: reader.id, email };
}

/** What a reader sends with an order. */
export const ORDER = { plan: 'yearly', country: 'IN', state: 'KA', consent: 'yes' } as const;

/** Begins an order as a reader does, and gives the address of the gateway's page. */
export async function beginOrder(browser: TestBrowser, more: Record<string, string> = {}): Promise<string> {
  const answer = await browser.post('/subscriptions', { ...ORDER, ...more });
  const to = answer.headers.get('location');
  if (answer.status !== 303 || to === null) throw new Error(`the order answered ${answer.status}`);
  return to;
}

/** Pays at the gateway's page as a reader does; with a Visa card unless told. */
export function pay(
  paper: TestPaper,
  url: string,
  outcome: Parameters<typeof payAsReader>[0]['outcome'] = 'approve',
  rail: Rail = 'card_intl',
) {
  return payAsReader({
    url,
    rail,
    ...(outcome === undefined ? {} : { outcome }),
    ...(paper.send === undefined ? {} : { send: paper.send }),
  });
}

/** Lets the gateway's webhooks come, and the jobs that they make be done. */
export async function settle(paper: TestPaper): Promise<void> {
  await deliver(paper);
  await runDueJobs(paper, log);
}

/** Lets the gateway's webhooks come. */
export async function deliver(paper: TestPaper): Promise<void> {
  const { baseUrl, credentials, database } = paper;
  await deliverHeld({
    db: database.db,
    baseUrl,
    webhookSecrets: credentials.webhookSecrets,
    log,
    ...(paper.send === undefined ? {} : { send: paper.send }),
  });
}
