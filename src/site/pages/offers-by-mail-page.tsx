import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';

/** Whether a reader is sent offers, and the button that changes it. */
export function renderOffersByMail(props: { frame: Frame; path: string; areWanted: boolean }): string {
  const { areWanted, frame, path } = props;
  const { name } = frame.paper;
  return documentText(
    <Layout frame={frame} title="Offers by mail" head='<meta name="referrer" content="no-referrer">'>
      <div class="wrap page order">
        <header class="page-head">
          <h1 class="page-title">Offers by mail</h1>
          <p class="page-standfirst">
            {areWanted
              ? `When there is an offer for readers who come back, ${name} may write to you about it: once, and then for half a year not again.`
              : `${name} sends you no offers any more.`}
          </p>
        </header>
        <form class="act" method="post" action={path}>
          <input type="hidden" name="offers" value={areWanted ? 'no' : 'yes'} />
          <button class={areWanted ? 'button' : 'button-quiet'} type="submit">
            {areWanted ? 'Send me no offers' : 'Send me offers after all'}
          </button>
        </form>
        <p class="field-hint">
          Whatever you choose, you get what belongs to your account: codes, receipts, and what changes in a
          subscription.
        </p>
      </div>
    </Layout>,
  );
}
