import type { Month } from '#access';
import type { Offer, Plan } from '#billing';
import type { Named } from '#content';
import type { Publication } from '#publication';

/** Whom a page is printed for, as far as its masthead and footer differ. Nobody's name is on them. */
export const AUDIENCES = ['stranger', 'reader', 'subscriber'] as const;
export type Audience = (typeof AUDIENCES)[number];

/** What every page of the paper is set in: facts that all pages share, as they are known when the page is made. */
export type Frame = {
  readonly audience: Audience;
  readonly paper: Publication;
  /** The public address, without a slash at its end. */
  readonly baseUrl: string;
  /** Sections in the order of the masthead. */
  readonly sections: readonly (Named & { readonly description: string })[];
  readonly plans: readonly Plan[];
  /** What plans can be begun with today, without a code. */
  readonly offers: readonly Offer[];
  /** How many metered stories a visitor may open in a calendar month. */
  readonly freeStories: number;
  /** How many a reader with an account may. */
  readonly readerStories: number;
  /** The current calendar month in the paper's zone. */
  readonly month: Month;
  /** The day in the paper's zone. */
  readonly today: Temporal.PlainDate;
  /** Logical name (`site.css`, `site.js`) → address of the built file, with a digest of its content in the name. */
  readonly assets: Readonly<Record<string, string>>;
};
