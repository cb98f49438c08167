import { z } from 'zod';
import type { KeptRun } from '#importers';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import { Moment } from '../components/when.tsx';
import type { Frame } from '../frame.ts';
import { DESK, importPath, importReportPath } from '../urls.ts';

const count = z.number().catch(0);
const counts = z.record(z.string(), z.number()).catch({});
const notes = z.array(z.object({ at: z.string(), reason: z.string() })).catch([]);
const NO_STORIES = { sections: {}, access: {}, states: {}, examples: [] };

/** What a report may say, as the command wrote it; what it does not say is nothing. */
const reportSchema = z.object({
  failed: z.string().optional().catch(undefined),
  created: count,
  updated: count,
  skipped: count,
  refused_count: count,
  granted: z.number().optional().catch(undefined),
  refused: notes,
  kept: notes,
  left_out: counts,
  mended: count,
  left_out_first: z.record(z.string(), z.string()).catch({}),
  columns: z.record(z.string(), z.string()).catch({}),
  examples: z.array(z.object({ at: z.string(), reader: z.string(), until: z.string().optional() })).catch([]),
  stories: z
    .object({
      sections: counts,
      access: counts,
      states: counts,
      examples: z
        .array(z.object({ at: z.string(), headline: z.string(), section: z.string(), access: z.string() }))
        .catch([]),
    })
    .catch(NO_STORIES),
  pictures: z
    .object({ library: count, added: count, stories: count, elsewhere: count, refused: notes })
    .catch({ library: 0, added: 0, stories: 0, elsewhere: 0, refused: [] }),
  pictures_ahead: z
    .object({
      shown: count,
      here: count,
      found: count,
      to_ask: count,
      links: count,
      missing: count,
      missing_first: notes,
    })
    .catch({ shown: 0, here: 0, found: 0, to_ask: 0, links: 0, missing: 0, missing_first: [] }),
});
type Report = z.output<typeof reportSchema>;

/** So many notes are shown; the rest is in the JSON. */
const MOST_NOTES = 500;

const NAMES: Readonly<Record<string, string>> = {
  ndjson: 'Archive (ndjson)',
  wxr: 'WordPress',
  ghost: 'Ghost',
  readers: 'Readers',
};

/** All imports, newest first. */
export function renderImports({ frame, runs }: { frame: Frame; runs: readonly KeptRun[] }): string {
  return documentText(
    <Layout frame={frame} title="Imports" current={DESK.imports}>
      <header class="page-head">
        <h1>Imports</h1>
        <p class="standfirst">What was brought in from elsewhere, and what was refused and why.</p>
      </header>
      {runs.length === 0 ? (
        <p class="empty">Nothing was imported yet. That is done on the command line: broadsheet import.</p>
      ) : (
        <ul class="rows story-rows">
          {runs.map((run) => (
            <li>
              <Moment frame={frame} at={run.beganAt} />
              <div>
                <a class="row-title" href={importPath(run.id)}>
                  {nameOf(run)}
                </a>
                <p class="row-subject">{run.files.join(', ')}</p>
              </div>
              <p class="row-note">{inShort(frame, reportSchema.parse(run.report))}</p>
            </li>
          ))}
        </ul>
      )}
    </Layout>,
  );
}

function nameOf({ dryRun, format }: KeptRun): string {
  return `${NAMES[format] ?? format}${dryRun ? ', dry run' : ''}`;
}

function inShort(frame: Frame, { created, failed, refused_count, updated }: Report): string {
  const number = new Intl.NumberFormat(frame.paper.language);
  const parts = [...(failed === undefined ? [] : ['broke off']), `${number.format(created)} new`];
  if (updated > 0) parts.push(`${number.format(updated)} changed`);
  if (refused_count > 0) parts.push(`${number.format(refused_count)} refused`);
  return parts.join(', ');
}

/** One import: numbers, examples, and all that did not arrive. */
export function renderImport({ frame, run }: { frame: Frame; run: KeptRun }): string {
  const report = reportSchema.parse(run.report);
  const number = new Intl.NumberFormat(frame.paper.language);
  return documentText(
    <Layout frame={frame} title={nameOf(run)} current={DESK.imports}>
      <header class="page-head">
        <p class="kicker">
          <a href={DESK.imports}>Imports</a>
        </p>
        <h1>{nameOf(run)}</h1>
        <p class="standfirst address">{run.files.join(', ')}</p>
        <p class="small">
          <Moment frame={frame} at={run.beganAt} />, {lasted(run)}.{' '}
          {run.dryRun ? 'This is what would happen; nothing was kept. ' : ''}
          <a href={importReportPath(run.id)}>The report as JSON</a>
        </p>
      </header>
      {report.failed !== undefined && (
        <p class="problem">It broke off: {report.failed}. These are the numbers up to then.</p>
      )}
      {report.mended > 0 && (
        <p class="small">
          {number.format(report.mended)} letters were in Windows-1252 among UTF-8, and were read as what they
          are.
        </p>
      )}
      <dl class="figures">
        <Figure name="New" value={number.format(report.created)} />
        <Figure name="Changed" value={number.format(report.updated)} />
        <Figure name="Known already" value={number.format(report.skipped)} />
        <Figure name="Refused" value={number.format(report.refused_count)} />
      </dl>
      <div class="columns">
        <div>
          <Notes title="Refused" notes={report.refused} count={report.refused_count} number={number} />
          <Notes title="Pictures refused" notes={report.pictures.refused} number={number} />
          <Notes
            title="Pictures missing"
            notes={report.pictures_ahead.missing_first}
            count={report.pictures_ahead.missing}
            number={number}
            isPlaceFirst
          />
          <Notes title="Left as they are here" notes={report.kept} number={number} />
          <Examples report={report} />
          <Readers frame={frame} report={report} />
        </div>
        <div>
          <Pictures report={report} number={number} />
          <Counts title="Sections" counts={report.stories.sections} number={number} />
          <Counts title="Access" counts={report.stories.access} number={number} />
          <Counts title="States" counts={report.stories.states} number={number} />
          <Columns columns={report.columns} />
          <Counts
            title="Has no place here"
            counts={report.left_out}
            first={report.left_out_first}
            number={number}
          />
        </div>
      </div>
    </Layout>,
  );
}

function lasted({ beganAt, endedAt }: KeptRun): string {
  const seconds = Math.max(1, Math.round(endedAt.since(beganAt).total('seconds')));
  return seconds < 120 ? `in ${seconds} s` : `in ${Math.round(seconds / 60)} minutes`;
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="figure">{value}</dd>
    </div>
  );
}

type Numbers = { number: Intl.NumberFormat };

function Notes(
  given: Numbers & { title: string; notes: Report['refused']; count?: number; isPlaceFirst?: boolean },
) {
  const { number, title } = given;
  const all = given.count ?? given.notes.length;
  if (given.notes.length === 0) return null;
  const shown = given.notes.slice(0, MOST_NOTES);
  return (
    <section>
      <h2>
        {title}: {number.format(all)}
      </h2>
      <ul class="rows">
        {shown.map(({ at, reason }) => (
          <li>
            <p class={given.isPlaceFirst ? 'row-subject address' : 'row-subject'}>
              {given.isPlaceFirst ? at : reason}
            </p>
            <p class={given.isPlaceFirst ? 'row-note' : 'row-note address'}>
              {given.isPlaceFirst ? reason : at}
            </p>
          </li>
        ))}
      </ul>
      {all > shown.length && (
        <p class="small">and {number.format(all - shown.length)} more, as far as the report as JSON tells.</p>
      )}
    </section>
  );
}

function Examples({ report }: { report: Report }) {
  const { examples } = report.stories;
  if (examples.length === 0) return null;
  return (
    <section>
      <h2>The first of them</h2>
      <ul class="rows">
        {examples.map(({ access, at, headline, section }) => (
          <li>
            <p class="row-title">{headline}</p>
            <p class="row-note address">
              {section}, {access} · {at}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Readers({ frame, report: { examples } }: { frame: Frame; report: Report }) {
  if (examples.length === 0) return null;
  return (
    <section>
      <h2>Some of them</h2>
      <ul class="rows">
        {examples.map(({ at, reader, until }) => (
          <li>
            <p class="row-title address">{reader}</p>
            <p class="row-note address">
              {until !== undefined && (
                <>
                  reads until <Moment frame={frame} at={Temporal.Instant.from(until)} /> ·{' '}
                </>
              )}
              {at}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Columns({ columns }: { columns: Report['columns'] }) {
  const rows = Object.entries(columns);
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>Columns</h2>
      <ul class="rows">
        {rows.map(([name, is]) => (
          <li>
            <p class="row-title">{name}</p>
            <p class="row-note">{is}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Pictures({ number, report }: Numbers & { report: Report }) {
  const { added, elsewhere, library, stories } = report.pictures;
  const { found, here, links, missing, shown, to_ask } = report.pictures_ahead;
  const rows = {
    'in the library': library,
    'brought here': added,
    'stories that show them': stories,
    'of other sites': elsewhere,
    'shown by stories': shown,
    'here already': here,
    'to be found': found,
    'to be asked for': to_ask,
    'to stay links': links,
    missing,
  };
  return <Counts title="Pictures" counts={rows} number={number} />;
}

function Counts({
  counts,
  first = {},
  number,
  title,
}: Numbers & {
  title: string;
  counts: Readonly<Record<string, number>>;
  /** Where each was met first. */
  first?: Readonly<Record<string, string>>;
}) {
  const rows = Object.entries(counts)
    .filter(([, times]) => times > 0)
    .sort(([, a], [, b]) => b - a);
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ul class="rows count-rows">
        {rows.map(([name, times]) => (
          <li>
            <span>
              {name}
              {first[name] !== undefined && <small class="address"> first in {first[name]}</small>}
            </span>{' '}
            <span>{number.format(times)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
