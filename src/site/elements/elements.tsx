import { isSafeHref, type List, runsText, type StoryElement } from '#content';
import { writeDate } from '#values/dates';
import { OwnPicture } from './picture.tsx';
import { Runs } from './runs.tsx';
import { StoryTable } from './table.tsx';

/**
 * A story's elements as HTML. Nothing in them is HTML itself: every text is escaped when it is set, and every address
 * is checked again here, so a body cannot bring a script whatever the import let through.
 *
 * @param language of the paper, for the dates of corrections
 */
export function Elements({ elements, language }: { elements: readonly StoryElement[]; language: string }) {
  return (
    <>
      {elements.map((element) => (
        <Element element={element} language={language} />
      ))}
    </>
  );
}

function Element({ element, language }: { element: StoryElement; language: string }) {
  switch (element.kind) {
    case 'paragraph':
      return (
        <p>
          <Runs runs={element.text} />
        </p>
      );
    case 'heading': {
      const Level = `h${element.level}` as const;
      return (
        <Level>
          <Runs runs={element.text} />
        </Level>
      );
    }
    case 'list':
      return <StoryList list={element} />;
    case 'quote':
      return (
        <blockquote>
          {element.paragraphs.map((paragraph, at) => (
            <p class={at > 0 ? undefined : opensWithMark(runsText(paragraph)) ? 'hangs' : 'marked'}>
              <Runs runs={paragraph} />
            </p>
          ))}
          {element.attribution !== undefined && <footer>{element.attribution}</footer>}
        </blockquote>
      );
    case 'picture':
      return <StoryPicture element={element} />;
    case 'table':
      return <StoryTable table={element} />;
    case 'embed':
      return <LinkCard url={element.url} title={element.title} />;
    case 'preformatted':
      return (
        // Lines of code do not wrap, so the region scrolls, and a keyboard must be able to reach it to do that.
        <pre class="preformatted" tabindex={0}>
          {element.text}
        </pre>
      );
    case 'divider':
      return <hr class="divider" />;
    case 'correction':
      return (
        <div class="correction" role="note" aria-label="Correction">
          <p>
            <strong>Correction, {writeDate(Temporal.PlainDate.from(element.on), language)}.</strong>{' '}
            <Runs runs={element.text} />
          </p>
        </div>
      );
    default:
      return element satisfies never;
  }
}

/** A quote's opening mark hangs outside the column, so that the letters keep their edge; one without a mark gets it. */
const opensWithMark = (text: string): boolean => /^[“‘"«„]/u.test(text);

function StoryList({ list }: { list: List }) {
  const Kind = list.ordered ? 'ol' : 'ul';
  return (
    <Kind>
      {list.items.map((item) => (
        <li>
          <Runs runs={item.text} />
          {item.list && <StoryList list={item.list} />}
        </li>
      ))}
    </Kind>
  );
}

type PictureOf = Extract<StoryElement, { kind: 'picture' }>;

function StoryPicture({ element }: { element: PictureOf }) {
  if (element.pictureId !== undefined) {
    return (
      <figure class="figure">
        <OwnPicture
          pictureId={element.pictureId}
          alt={element.alt}
          sizes="(min-width: 44rem) 38rem, 100vw"
          loading="lazy"
        />
        <Caption caption={element.caption} credit={element.credit} />
      </figure>
    );
  }
  // A picture that lies elsewhere is not loaded from there: that would tell its owner who reads what.
  const caption = element.caption || element.alt || 'Picture';
  // A path is of a site that nobody named: there is nowhere to go.
  const url = element.url === undefined || element.url.startsWith('/') ? '' : element.url;
  return <LinkCard url={url} title={caption} kind="Picture" credit={element.credit} />;
}

export function Caption({ caption, credit }: { caption: string; credit: string }) {
  if (caption === '' && credit === '') return null;
  return (
    <figcaption>
      {caption}
      {credit !== '' && (
        <>
          {' '}
          <span class="credit">{credit}</span>
        </>
      )}
    </figcaption>
  );
}

function LinkCard(props: { url: string; title: string; kind?: string; credit?: string }) {
  const host = hostOf(props.url);
  const about = `${props.kind ?? 'Link'}${host === '' ? '' : `: ${host}`}`;
  return (
    <div class="link-card">
      <p class="link-card-place">{about}</p>
      <p class="link-card-title">
        {isSafeHref(props.url) ? (
          <a href={props.url} rel="noopener">
            {props.title || props.url}
          </a>
        ) : (
          props.title
        )}
      </p>
      {props.credit !== undefined && props.credit !== '' && <p class="credit">{props.credit}</p>}
    </div>
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, '') : '';
}
