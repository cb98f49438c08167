import { writeTimeInZone, writeWeekday } from '#values/dates';
import type { Frame } from '../frame.ts';
import { PATHS, sectionPath } from '../urls.ts';

/** The front carries the name large, with the edition's time; every other page carries it small. */
export type MastheadKind =
  | { readonly size: 'front'; readonly madeAt: Temporal.Instant }
  | { readonly size: 'page' };

type Props = { frame: Frame; kind: MastheadKind; current: string | undefined };

export function Masthead({ frame, kind, current }: Props) {
  return (
    <header class={`masthead masthead-${kind.size}`}>
      <div class="wrap masthead-top">
        <p class="masthead-date">
          <time datetime={frame.today.toString()}>{writeWeekday(frame.today, frame.paper.language)}</time>
        </p>
        <Name frame={frame} kind={kind} />
        <nav class="account" aria-label="Your account">
          {frame.audience === 'stranger' ? (
            <a href={PATHS.login}>Sign in</a>
          ) : (
            <a href={PATHS.account} {...(current === PATHS.account ? { 'aria-current': 'true' } : {})}>
              Your account
            </a>
          )}
          {frame.audience !== 'subscriber' && (
            <a class="button" href={PATHS.subscribe}>
              Subscribe
            </a>
          )}
        </nav>
      </div>
      {kind.size === 'front' && <EditionLine frame={frame} madeAt={kind.madeAt} />}
      <SectionBar frame={frame} current={current} />
    </header>
  );
}

function Name({ frame, kind }: Pick<Props, 'frame' | 'kind'>) {
  const { name } = frame.paper;
  const link = (
    <a href={PATHS.front} {...(kind.size === 'front' ? { 'aria-current': 'page' } : {})}>
      {name}
    </a>
  );
  return kind.size === 'front' ? (
    <h1 class={`masthead-name name-${nameSize(name)}`}>{link}</h1>
  ) : (
    <p class={`masthead-name name-${nameSize(name)}`}>{link}</p>
  );
}

/**
 * Which of six sizes a paper's name is set in, so that it fills one line whatever the paper is called: the sizes in
 * the style sheet are shares of the window's width, since the width of a word is not known to CSS.
 */
function nameSize(name: string): number {
  const at = [8, 12, 16, 20, 26, 34].findIndex((letters) => name.length <= letters);
  return at === -1 ? 7 : at + 1;
}

function EditionLine({ frame, madeAt }: { frame: Frame; madeAt: Temporal.Instant }) {
  const { paper, today } = frame;
  return (
    <div class="wrap">
      <div class="edition">
        <p>
          <time datetime={today.toString()}>{writeWeekday(today, paper.language)}</time>
        </p>
        {paper.tagline !== '' && <p class="edition-tagline">{paper.tagline}</p>}
        <p>
          Edition of <time datetime={madeAt.toString()}>{writeTimeInZone(madeAt, paper)}</time>
        </p>
      </div>
    </div>
  );
}

/** More than these do not fit beside each other on a desktop; the footer has them all. */
const MOST_SECTIONS = 12;

function SectionBar({ frame, current }: { frame: Frame; current: string | undefined }) {
  const shown = frame.sections.slice(0, MOST_SECTIONS);
  return (
    <nav class="section-bar" aria-label="Main sections">
      <ul class="wrap">
        {shown.map(({ slug, name }) => (
          <li>
            <a href={sectionPath(slug)} {...(current === slug ? { 'aria-current': 'true' } : {})}>
              {name}
            </a>
          </li>
        ))}
        <li>
          <a href={PATHS.topics} {...(current === PATHS.topics ? { 'aria-current': 'true' } : {})}>
            Topics
          </a>
        </li>
        {frame.sections.length > MOST_SECTIONS && (
          <li>
            <a href={PATHS.sections}>All sections</a>
          </li>
        )}
      </ul>
    </nav>
  );
}
