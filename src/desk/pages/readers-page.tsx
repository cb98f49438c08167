import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import { Day } from '../components/when.tsx';
import type { Frame } from '../frame.ts';
import type { ReaderRow } from '../readers-port.ts';
import { DESK, readerPath } from '../urls.ts';

type ReadersProps = {
  frame: Frame;
  text: string;
  /** Undefined before anything was looked for. */
  found: readonly ReaderRow[] | undefined;
};

export function renderReaders({ found, frame, text }: ReadersProps): string {
  return documentText(
    <Layout frame={frame} title="Readers" current={DESK.readers}>
      <header class="page-head">
        <h1>Readers</h1>
      </header>
      <search>
        <form class="search" method="get" action={DESK.readers}>
          <label for="q">Address, a part of it, or id</label>
          <input
            id="q"
            name="q"
            type="search"
            value={text}
            maxlength={200}
            autocomplete="off"
            spellcheck={false}
          />
          <button type="submit">Search</button>
        </form>
      </search>
      {found !== undefined && <Found frame={frame} text={text} found={found} />}
    </Layout>,
  );
}

function Found({ found, frame, text }: { frame: Frame; text: string; found: readonly ReaderRow[] }) {
  if (found.length === 0) {
    return (
      <p class="empty" role="status">
        No reader is found for “{text}”.
      </p>
    );
  }
  return (
    <section aria-labelledby="found">
      <h2 id="found">{found.length === 1 ? 'One reader' : `${found.length} readers`}</h2>
      <ul class="rows reader-rows">
        {found.map((reader) => (
          <li>
            <div>
              <a class="row-title" href={readerPath(reader.id)}>
                {reader.email}
              </a>
              {reader.name !== undefined && <p class="row-subject">{reader.name}</p>}
            </div>
            <p>
              {reader.plan !== undefined && <strong>{reader.plan}</strong>} {reader.state}
            </p>
            <p class="row-note">
              since <Day frame={frame} at={reader.createdAt} />
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
