import { byLetter } from '../components/by-letter.ts';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { PATHS, sectionPath } from '../urls.ts';

/** Every section of the paper: the masthead has room for the first of them alone. */
export function renderSections({ frame }: { frame: Frame }): string {
  return documentText(
    <Layout
      frame={frame}
      title="Sections"
      path={PATHS.sections}
      description={`Every section of ${frame.paper.name}.`}
      current={PATHS.sections}
    >
      <div class="wrap">
        <header class="page-head">
          <h1 class="page-title">Sections</h1>
          <p class="page-standfirst">Every part of the paper, by name.</p>
        </header>
        <div class="topic-index">
          {byLetter(frame.sections, frame.paper.language).map(([letter, those]) => (
            <section aria-labelledby={`letter-${letter.codePointAt(0)}`}>
              <h2 id={`letter-${letter.codePointAt(0)}`}>{letter}</h2>
              <ul>
                {those.map(({ slug, name }) => (
                  <li>
                    <a href={sectionPath(slug)}>{name}</a>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </div>
      </div>
    </Layout>,
  );
}
