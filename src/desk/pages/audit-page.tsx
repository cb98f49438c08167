import type { Action } from '#staff';
import { Actions } from '../components/actions.tsx';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { DESK, withQuery } from '../urls.ts';

type AuditProps = {
  frame: Frame;
  actions: readonly Action[];
  /** Whether this is the first page. */
  isNewest: boolean;
  /** The action after which older ones follow; undefined when these are the last. */
  olderThan: string | undefined;
  seesReaders: boolean;
};

/** Who did what, when and why: newest first. */
export function renderAudit({ actions, frame, isNewest, olderThan, seesReaders }: AuditProps): string {
  return documentText(
    <Layout frame={frame} title="Audit trail" current={DESK.audit}>
      <header class="page-head">
        <h1>Audit trail</h1>
        <p class="standfirst">
          Who came to the desk, and what they did to whom. The database adds to this list and refuses to
          change it.
        </p>
      </header>
      {actions.length === 0 ? (
        <p class="empty">Nothing more.</p>
      ) : (
        <Actions frame={frame} actions={actions} subjects={seesReaders ? 'linked' : 'named'} />
      )}
      <nav class="paging" aria-label="Pages">
        {!isNewest && (
          <a href={DESK.audit} rel="first">
            Newest
          </a>
        )}
        {olderThan !== undefined && (
          <a href={withQuery(DESK.audit, { before: olderThan })} rel="next">
            Older
          </a>
        )}
      </nav>
    </Layout>,
  );
}
