import type { Child } from 'hono/jsx';
import { writeZone } from '#values/dates';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { feedPath, PATHS, sectionPath } from '../urls.ts';

/** What the paper says of itself and of what it does with its readers' data: true of every paper on this software. */

type PaperPage = { frame: Frame };

function PolicyPage(props: PaperPage & { title: string; path: string; standfirst: string; children: Child }) {
  return (
    <Layout frame={props.frame} title={props.title} path={props.path} description={props.standfirst}>
      <div class="wrap page page-aside">
        <header class="page-head">
          <h1 class="page-title">{props.title}</h1>
          <p class="page-standfirst">{props.standfirst}</p>
        </header>
        <PaperNav current={props.path} />
        <div class="prose">{props.children}</div>
      </div>
    </Layout>
  );
}

const PAPER_PAGES = [
  [PATHS.about, 'About us'],
  [PATHS.corrections, 'Corrections'],
  [PATHS.privacy, 'Privacy'],
  [PATHS.terms, 'Terms'],
  [PATHS.contact, 'Contact'],
] as const;

/** The other pages of this kind, in the margin. */
function PaperNav({ current }: { current: string }) {
  return (
    <nav class="paper-nav" aria-label="About the paper">
      <ul>
        {PAPER_PAGES.map(([path, name]) => (
          <li>
            <a href={path} {...(path === current ? { 'aria-current': 'page' } : {})}>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** A mail address when the paper has given one, and the page of contacts when it has not. */
function WriteToUs({ frame, words }: PaperPage & { words: string }) {
  const { contactEmail } = frame.paper;
  return <a href={contactEmail === '' ? PATHS.contact : `mailto:${contactEmail}`}>{contactEmail || words}</a>;
}

export function renderAbout({ frame }: PaperPage): string {
  const { paper, sections } = frame;
  return documentText(
    <PolicyPage
      frame={frame}
      title={`About ${paper.name}`}
      path={PATHS.about}
      standfirst={paper.tagline || `${paper.name} is a newspaper that its readers pay for.`}
    >
      <p>
        {paper.name} is paid for by the people who read it. That is why part of it stands behind a
        subscription, why nobody else’s scripts run on these pages, and why we would rather be late than
        wrong.
      </p>
      <h2>What we publish</h2>
      <ul class="about-sections">
        {sections.map(({ slug, name, description }) => (
          <li>
            <a href={sectionPath(slug)}>{name}</a>
            {description !== '' && `: ${description}`}
          </li>
        ))}
      </ul>
      <h2>How we work</h2>
      <p>
        News and opinion are kept apart. Opinion carries its author’s name and is marked as such wherever it
        is announced. Our mistakes are put right where they were made and{' '}
        <a href={PATHS.corrections}>said openly</a>.
      </p>
      <p>
        Dates and times are in {writeZone(paper)}. A story says when it was first published, and when it was
        last changed in a way that matters.
      </p>
      <h2>How to read us</h2>
      <p>
        Every browser opens {frame.freeStories} metered {frame.freeStories === 1 ? 'story' : 'stories'} a
        month for nothing, and some stories are free for everybody.{' '}
        <a href={PATHS.subscribe}>A subscription</a> opens all of them. There is a{' '}
        <a href={feedPath()}>feed</a> of everything new, and one for each section.
      </p>
    </PolicyPage>,
  );
}

export function renderCorrections({ frame }: PaperPage): string {
  return documentText(
    <PolicyPage
      frame={frame}
      title="Corrections"
      path={PATHS.corrections}
      standfirst="We get things wrong. This is what we do about it."
    >
      <h2>Where a correction stands</h2>
      <p>
        In the story itself, with the day it was made and with what was wrong as well as what is right. We do
        not change a fact without a word. Spelling and layout we simply put in order.
      </p>
      <h2>Stories that change while news is breaking</h2>
      <p>
        A story may be added to several times in a day. The time of its last update stands beside its first.
        Adding what was not known before is an update; taking back what was said is a correction.
      </p>
      <h2>Stories that are withdrawn</h2>
      <p>
        We hardly ever take a story down: only when it should not have been published at all, or when the law
        or somebody’s safety asks for it. Its address then says that it was withdrawn.
      </p>
      <h2>Tell us</h2>
      <p>
        If you believe that something is wrong, write to <WriteToUs frame={frame} words="us" /> with the
        story’s address and what you know. An editor who did not write the story looks at it.
      </p>
    </PolicyPage>,
  );
}

export function renderPrivacy({ frame }: PaperPage): string {
  const { paper } = frame;
  return documentText(
    <PolicyPage
      frame={frame}
      title="Privacy"
      path={PATHS.privacy}
      standfirst="What we keep, for how long, and what we never ask."
    >
      <h2>In short</h2>
      <p>
        No other company’s scripts, fonts, pictures or counters are loaded on these pages. We take no
        fingerprint of your device, and we keep no record of every page you look at.
      </p>
      <h2 id="the-meter">The meter and its cookie</h2>
      <p>
        {paper.name} lets every browser open a number of stories a month for nothing, and for that it has to
        count. When the first story counts, we set one cookie, named <code>visitor</code> (or{' '}
        <code>__Host-visitor</code>). It holds a random number and a signature, nothing else, and it ends 90
        days after the last story that counted. Before a story counts there is no cookie at all.
      </p>
      <p>
        On our server we keep which stories counted for that random number and in which month, and when its
        reader was shown an invitation to subscribe, so that we can explain each decision to you. After 13
        months only daily totals are left. Where you came from and which browser you use make no difference to
        the count. <a href={PATHS.meter}>See what counted for you</a>
      </p>
      <p>
        You can delete the cookie in your browser at any time. Then nothing ties this browser to what was
        counted, and the count starts afresh.
      </p>
      <h2>Logs</h2>
      <p>
        Our software keeps no record of requests. What fails is noted, in order to mend it: when, with what
        error and under which number. No name, no address and no text of a story goes into its log.
      </p>
      <h2>Links that lead elsewhere</h2>
      <p>
        Posts, films and pictures of other sites are shown as links. Nothing is fetched from there until you
        follow one; from then on, that site’s own rules hold.
      </p>
      <h2>Your rights</h2>
      <p>
        You may ask what we hold, have it put right or have it deleted. Since a visitor has no name here, we
        will ask you for the number in your cookie. Write to <WriteToUs frame={frame} words="us" />.
      </p>
    </PolicyPage>,
  );
}

export function renderTerms({ frame }: PaperPage): string {
  const { paper } = frame;
  return documentText(
    <PolicyPage
      frame={frame}
      title="Terms"
      path={PATHS.terms}
      standfirst={`The terms on which you read ${paper.name}.`}
    >
      <h2>Reading</h2>
      <p>
        You may read, print for yourself and pass on links to whatever we publish. Text, pictures and data
        belong to us or to those who licensed them to us: please ask before you publish them again, in whole
        or in a part longer than a quotation.
      </p>
      <h2>Free stories</h2>
      <p>
        Each browser may open {frame.freeStories} metered {frame.freeStories === 1 ? 'story' : 'stories'} in a
        calendar month. We may change that number; the one that holds stands on{' '}
        <a href={PATHS.meter}>your page of free stories</a>. Getting round the count with programs is not
        allowed.
      </p>
      <h2>Subscriptions</h2>
      <p>
        A subscription renews by itself at the end of each term and can be cancelled at any time; it then runs
        to the end of what has been paid. Prices are in {paper.currency} and include tax. The full terms of
        sale are shown, and have to be agreed to, before anything is paid.
      </p>
      <h2>What we promise, and what we cannot</h2>
      <p>
        We report with care and <a href={PATHS.corrections}>correct our mistakes</a>. Nothing here is advice
        on investments, law or health made for you. We cannot promise that the site is never interrupted.
      </p>
      <h2>Who we are</h2>
      <Publisher frame={frame} />
    </PolicyPage>,
  );
}

export function renderContact({ frame }: PaperPage): string {
  const { contactEmail } = frame.paper;
  return documentText(
    <PolicyPage
      frame={frame}
      title="Contact"
      path={PATHS.contact}
      standfirst="For news, mistakes, subscriptions and everything else."
    >
      {contactEmail === '' ? (
        <p>This paper has not given an address to write to yet.</p>
      ) : (
        <>
          <p class="contact-address">
            <a href={`mailto:${contactEmail}`}>{contactEmail}</a>
          </p>
          <h2>So that it reaches the right desk</h2>
          <ul>
            <li>
              <strong>A mistake in a story.</strong> Send the story’s address and what is wrong.{' '}
              <a href={PATHS.corrections}>How we correct</a>
            </li>
            <li>
              <strong>Something we should look into.</strong> Tell us how you know. We protect those who talk
              to us; do not write from an employer’s address.
            </li>
            <li>
              <strong>The count of free stories.</strong> Say which story and at what time, and we can explain
              what was decided and why.
            </li>
            <li>
              <strong>A page that does not work.</strong> Quote the number at its foot.
            </li>
          </ul>
        </>
      )}
      <h2>Publisher</h2>
      <Publisher frame={frame} />
    </PolicyPage>,
  );
}

function Publisher({ frame }: PaperPage) {
  const { name, sellerName, sellerAddress, sellerState, sellerGstin } = frame.paper;
  const lines = [sellerAddress, sellerState].filter(Boolean);
  return (
    <>
      <p>
        {sellerName === '' ? `${name}.` : `${name} is published by ${sellerName}.`}
        {lines.map((line) => (
          <>
            <br />
            {line}
          </>
        ))}
      </p>
      {sellerGstin !== '' && <p>GSTIN {sellerGstin}</p>}
    </>
  );
}
