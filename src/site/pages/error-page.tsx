import { documentText } from '../components/document.ts';
import { Furniture, Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';

type Status = 400 | 403 | 404 | 409 | 410 | 413 | 414 | 422 | 429 | 500 | 503;

type ErrorProps = {
  /** Left out while the database is away and nothing is known of the paper. */
  frame?: Frame;
  /** The built files, when there is no frame to name them. */
  assets?: Frame['assets'];
  status: Status;
  /** For a reader to quote and for us to find in the log; empty when the page is the same for everybody. */
  requestId: string;
};

/** The page that stands where another should have: what happened, whose fault it is, and where to go on. */
export function renderError(props: ErrorProps): string {
  const { frame, status } = props;
  const { title } = WORDS[status];
  if (frame !== undefined) {
    return documentText(
      <Layout frame={frame} title={title}>
        <Words {...props} />
      </Layout>,
    );
  }
  return documentText(
    <html lang="en">
      <head>
        <Furniture assets={props.assets ?? {}} title={title} />
        <meta name="robots" content="noindex" />
      </head>
      <body>
        <main id="main" class="bare-page">
          <Words {...props} />
        </main>
      </body>
    </html>,
  );
}

const WORDS: Readonly<Record<Status, { readonly title: string; readonly says: string }>> = {
  400: {
    title: 'We could not read that request',
    says: 'Something in the address is not as it should be. Going to it from the front usually helps.',
  },
  403: {
    title: 'This is not open to you',
    says: 'You may not do this here, or the request did not come from one of our own pages.',
  },
  404: {
    title: 'There is no page here',
    says: 'The address may be mistyped, or the page has moved and left no word of where to.',
  },
  409: {
    title: 'That has changed meanwhile',
    says: 'Somebody, or you in another window, was faster. Look at it again and then decide.',
  },
  410: {
    title: 'This story has been withdrawn',
    says: 'We published it and have taken it down. When we withdraw a story for a mistake, we say so under Corrections.',
  },
  413: {
    title: 'That is too much at once',
    says: 'More was sent than this page can take. Please go back and send less.',
  },
  414: {
    title: 'That address is too long',
    says: 'It is longer than any of ours. Please start again from the front.',
  },
  422: {
    title: 'We could not use what was sent',
    says: 'Something in it is missing or not as it should be. Please go back and look at it again.',
  },
  429: {
    title: 'That was tried too often',
    says: 'To keep accounts safe, some things can be tried only so often. Please wait a few minutes and try again.',
  },
  500: {
    title: 'Something went wrong on our side',
    says: 'The fault is ours and has been noted. Please try again.',
  },
  503: {
    title: 'We are not printing just now',
    says: 'Something that we need cannot be reached. Please try again in a minute.',
  },
};

function Words({ status, requestId, frame }: ErrorProps) {
  const { title, says } = WORDS[status];
  return (
    <div class="wrap page error-page">
      <p class="error-status">{status}</p>
      <h1 class="page-title">{title}</h1>
      <p class="page-standfirst">{says}</p>
      <p class="error-ways">
        <a href={PATHS.front}>
          {frame === undefined ? 'To the front' : `To the front of ${frame.paper.name}`}
        </a>
        {status === 410 && <a href={PATHS.corrections}>Corrections</a>}
      </p>
      {requestId !== '' && (
        <p class="error-id">
          If you write to us about this, please quote <code>{requestId}</code>.
        </p>
      )}
    </div>
  );
}
