import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';

/** There is nothing to sign in to yet, and a form that nobody could use would only promise something. */
export function renderLogin({ frame }: { frame: Frame }): string {
  const { contactEmail } = frame.paper;
  return documentText(
    <Layout frame={frame} title="Sign in">
      <div class="wrap page page-aside">
        <header class="page-head">
          <h1 class="page-title">Sign in</h1>
          <p class="page-standfirst">Readers’ accounts open together with subscriptions.</p>
        </header>
        <div class="prose">
          <p>
            Until then there is nothing to sign in to. You can read {frame.freeStories}{' '}
            {frame.freeStories === 1 ? 'story' : 'stories'} free each month without an account, and the count
            does not ask who you are.
          </p>
          <p>
            <a href={PATHS.meter}>Your free stories this month</a>
          </p>
          <p>
            <a href={PATHS.subscribe}>The plans, and what they include</a>
          </p>
          {contactEmail !== '' && (
            <p>
              Any question: <a href={`mailto:${contactEmail}`}>{contactEmail}</a>
            </p>
          )}
        </div>
      </div>
    </Layout>,
  );
}
