import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { Frame } from '../frame.ts';
import { feedPath } from '../urls.ts';
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
  feed?: string;
  children: Child;
};

/** The sheet that every page is printed on. */
export function Layout(props: LayoutProps) {
  const { frame } = props;
  const { paper, assets } = frame;
  const title =
    props.title === undefined ? `${paper.name}: ${paper.tagline}` : `${props.title} — ${paper.name}`;
  return (
    <html lang={paper.language}>
      <head>
        <Furniture
          assets={assets}
          title={props.title === undefined && paper.tagline === '' ? paper.name : title}
        />
        {props.head === undefined ? <UsualHead {...props} /> : raw(props.head)}
        <link rel="alternate" type="application/rss+xml" title={paper.name} href={props.feed ?? feedPath()} />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the story
        </a>
        <Masthead frame={frame} kind={props.masthead ?? { size: 'page' }} current={props.current} />
        <main id="main" tabindex={-1}>
          {props.children}
        </main>
        <Footer frame={frame} />
      </body>
    </html>
  );
}

/** The fonts that every page needs, asked for before the style sheet has said so. Italics come when they are used. */
const FIRST_FONTS = ['stix-two-text-latin-wght-normal.woff2', 'libre-franklin-latin-wght-normal.woff2'];

/** What stands in the head of every page, also of one that is printed while the database is away. */
export function Furniture({ assets, title }: { assets: Frame['assets']; title: string }) {
  return (
    <>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>{title}</title>
      {FIRST_FONTS.filter((name) => assets[name] !== undefined).map((name) => (
        <link rel="preload" href={assets[name]} as="font" type="font/woff2" crossorigin="anonymous" />
      ))}
      {assets['site.css'] !== undefined && <link rel="stylesheet" href={assets['site.css']} />}
      {assets['icon.svg'] !== undefined && <link rel="icon" href={assets['icon.svg']} type="image/svg+xml" />}
      <meta name="theme-color" content="#fbfaf6" media="(prefers-color-scheme: light)" />
      <meta name="theme-color" content="#14161a" media="(prefers-color-scheme: dark)" />
    </>
  );
}

function UsualHead({ frame, title, path, description }: LayoutProps) {
  if (path === undefined) return <meta name="robots" content="noindex" />;
  const url = `${frame.baseUrl}${path}`;
  return (
    <>
      <link rel="canonical" href={url} />
      {description !== undefined && description !== '' && <meta name="description" content={description} />}
      <meta property="og:type" content="website" />
      <meta property="og:site_name" content={frame.paper.name} />
      <meta property="og:title" content={title ?? frame.paper.name} />
      <meta property="og:url" content={url} />
      {description !== undefined && description !== '' && (
        <meta property="og:description" content={description} />
      )}
    </>
  );
}
