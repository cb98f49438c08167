import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { Named } from '#content';
import type { Frame } from '../frame.ts';
import { listHead } from '../structured-data.ts';
import { feedPath } from '../urls.ts';
import { printedOnce } from './document.ts';
import { Footer } from './footer.tsx';
import { Masthead, type MastheadKind } from './masthead.tsx';

type LayoutProps = {
  frame: Frame;
  /** Without the paper's name, which is added. Left out on the front. */
  title?: string;
  /** The page's own address, when it is one to be found by; left out, the page asks not to be listed. */
  path?: string;
  description?: string;
  /** Meta elements and structured data that were made safe where they were made; they replace the usual ones. */
  head?: string;
  masthead?: MastheadKind;
  /** Slug of the section that this page belongs to, or a path, to mark in the navigation. */
  current?: string;
  /** The section whose feed belongs to this page; left out, it is the whole paper's. */
  feed?: Named;
  /** Where the list on this page goes on. */
  next?: string | undefined;
  /** The language of the page's main text, when it is not the paper's. */
  textLanguage?: string;
  children: Child;
};

/** The sheet that every page is printed on. */
export function Layout(props: LayoutProps) {
  const { frame } = props;
  const { paper, assets } = frame;
  const front = paper.tagline === '' ? paper.name : `${paper.name}: ${paper.tagline}`;
  return (
    <html lang={paper.language}>
      <head>
        <Furniture
          assets={assets}
          title={props.title === undefined ? front : `${props.title} — ${paper.name}`}
          textLanguage={props.textLanguage ?? paper.language}
        />
        {props.head === undefined ? <UsualHead {...props} /> : raw(props.head)}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        {props.masthead === undefined ? (
          printedOnce(frame, `masthead ${props.current ?? ''}`, () => (
            <Masthead frame={frame} kind={{ size: 'page' }} current={props.current} />
          ))
        ) : (
          <Masthead frame={frame} kind={props.masthead} current={props.current} />
        )}
        <main id="main" tabindex={-1}>
          {props.children}
        </main>
        {printedOnce(frame, 'footer', () => (
          <Footer frame={frame} />
        ))}
      </body>
    </html>
  );
}

/**
 * The fonts that a page needs at once, asked for before the style sheet has said so: fonts are optional to the browser,
 * so one that comes late is not shown until the next page. Italics may wait.
 */
const FIRST_FONTS = ['stix-two-text-latin-wght-normal.woff2', 'libre-franklin-latin-wght-normal.woff2'];
const DEVANAGARI_FONTS = ['martel-devanagari-700-normal.woff2', 'martel-devanagari-400-normal.woff2'];
/** Languages that are written in Devanagari. */
const DEVANAGARI = /^(hi|mr|ne|sa|kok|mai|bho|doi)\b/;

/** What stands in the head of every page, also of one that is printed while the database is away. */
export function Furniture(props: { assets: Frame['assets']; title: string; textLanguage?: string }) {
  const { assets, title, textLanguage = '' } = props;
  const fonts = DEVANAGARI.test(textLanguage) ? [...FIRST_FONTS, ...DEVANAGARI_FONTS] : FIRST_FONTS;
  return (
    <>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>{title}</title>
      {fonts
        .filter((name) => assets[name] !== undefined)
        .map((name) => (
          <link rel="preload" href={assets[name]} as="font" type="font/woff2" crossorigin="anonymous" />
        ))}
      {assets['site.css'] !== undefined && <link rel="stylesheet" href={assets['site.css']} />}
      {assets['icon.svg'] !== undefined && <link rel="icon" href={assets['icon.svg']} type="image/svg+xml" />}
      <meta name="theme-color" content="#fbfaf6" media="(prefers-color-scheme: light)" />
      <meta name="theme-color" content="#14161a" media="(prefers-color-scheme: dark)" />
    </>
  );
}

function UsualHead({ frame, title, path, description, feed, next }: LayoutProps) {
  const { paper } = frame;
  return (
    <>
      {path === undefined ? (
        <meta name="robots" content="noindex" />
      ) : (
        raw(
          listHead({
            frame,
            path,
            title: title ?? paper.name,
            description: description ?? '',
            ...(feed === undefined ? {} : { feed }),
            ...(next === undefined ? {} : { next }),
          }),
        )
      )}
      {feed === undefined && (
        <link rel="alternate" type="application/rss+xml" title={paper.name} href={feedPath()} />
      )}
    </>
  );
}
