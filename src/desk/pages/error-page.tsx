import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { DESK } from '../urls.ts';

export type ErrorStatus = 403 | 404 | 409 | 413 | 414 | 422 | 429 | 500 | 503;

const WORDS: Readonly<Record<ErrorStatus, { readonly title: string; readonly says: string }>> = {
  403: {
    title: 'Your role does not include this',
    says: 'If you need it for your work, ask an administrator. Nothing was changed.',
  },
  404: {
    title: 'There is no such page at the desk',
    says: 'It may have been deleted, or the address is mistyped.',
  },
  409: {
    title: 'That has changed meanwhile',
    says: 'Somebody was faster. Look at it again and then decide.',
  },
  413: { title: 'That is too much at once', says: 'Go back and send less.' },
  414: { title: 'That address is too long', says: 'It is longer than any of ours.' },
  422: {
    title: 'We could not use what was sent',
    says: 'Something in it is missing or not as it should be.',
  },
  429: { title: 'That was tried too often', says: 'Wait a few minutes and try again.' },
  500: {
    title: 'Something went wrong on our side',
    says: 'The fault is ours and has been noted. Try again.',
  },
  503: { title: 'The desk cannot be reached just now', says: 'Its database is away. Try again in a minute.' },
};

/** What happened, whose fault it is, and where to go on. */
export function renderError(props: { frame: Frame; status: ErrorStatus; requestId: string }): string {
  const { says, title } = WORDS[props.status];
  return documentText(
    <Layout frame={props.frame} title={title}>
      <div class="narrow">
        <p class="kicker">{props.status}</p>
        <h1>{title}</h1>
        <p class="standfirst">{says}</p>
        <p class="ways">
          <a href={DESK.today}>To the desk</a>
        </p>
        <p class="small">
          If you tell somebody about this, quote <code>{props.requestId}</code>.
        </p>
      </div>
    </Layout>,
  );
}
