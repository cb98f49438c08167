import type { Frame } from '../frame.ts';
import { feedPath, PATHS, sectionPath } from '../urls.ts';

/** As many as stand beside the other columns; a paper that moved in with a hundred has a page for them. */
const MOST_SECTIONS = 15;

export function Footer({ frame }: { frame: Frame }) {
  const { paper } = frame;
  return (
    <footer class="footer">
      <div class="wrap footer-columns">
        <div>
          <p class="footer-name">
            <a href={PATHS.front}>{paper.name}</a>
          </p>
          {paper.tagline !== '' && <p class="footer-tagline">{paper.tagline}</p>}
        </div>
        <nav aria-labelledby="all-sections" class="footer-sections">
          <h2 id="all-sections">Sections</h2>
          <ul>
            {frame.sections.slice(0, MOST_SECTIONS).map(({ slug, name }) => (
              <li>
                <a href={sectionPath(slug)}>{name}</a>
              </li>
            ))}
            {frame.sections.length > MOST_SECTIONS && (
              <li>
                <a href={PATHS.sections}>All sections</a>
              </li>
            )}
            <li>
              <a href={PATHS.topics}>Topics</a>
            </li>
          </ul>
        </nav>
        <nav aria-labelledby="for-readers">
          <h2 id="for-readers">For readers</h2>
          <ul>
            <li>
              <a href={PATHS.subscribe}>Subscribe</a>
            </li>
            <li>
              {frame.audience === 'stranger' ? (
                <a href={PATHS.login}>Sign in</a>
              ) : (
                <a href={PATHS.account}>Your account</a>
              )}
            </li>
            <li>
              <a href={PATHS.meter}>Your free stories</a>
            </li>
            <li>
              <a href={feedPath()}>Feed</a>
            </li>
          </ul>
        </nav>
        <nav aria-labelledby="the-paper">
          <h2 id="the-paper">The paper</h2>
          <ul>
            <li>
              <a href={PATHS.about}>About us</a>
            </li>
            <li>
              <a href={PATHS.corrections}>Corrections</a>
            </li>
            <li>
              <a href={PATHS.privacy}>Privacy</a>
            </li>
            <li>
              <a href={PATHS.terms}>Terms</a>
            </li>
            <li>
              <a href={PATHS.contact}>Contact</a>
            </li>
          </ul>
        </nav>
      </div>
      <p class="wrap footer-line">
        © {frame.today.year} {paper.sellerName || paper.name}
      </p>
    </footer>
  );
}
