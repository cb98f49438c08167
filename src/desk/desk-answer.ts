import { encoded } from '#platform/coding';
import { type Answer, type Ask, HTML, problem, SECURITY_HEADERS } from '#platform/http';
import type { Frame } from './frame.ts';
import { type ErrorStatus, renderError } from './pages/error-page.tsx';
import type { Desk } from './parts.ts';

/**
 * Nothing of the desk is kept by anybody, listed by anybody, or told to another site. The addresses of its pages hold
 * readers' ids and, once, a link that lets somebody in; `no-referrer` would take the Origin header from its forms.
 */
const OWN_HEADERS: readonly string[] = [
  'Cache-Control',
  'private, no-store',
  'X-Robots-Tag',
  'noindex',
  'Referrer-Policy',
  'same-origin',
];
const HEADERS: readonly string[] = [...OWN_HEADERS, ...without(SECURITY_HEADERS, 'Referrer-Policy')];

/** A page of the desk. */
export function deskPage(html: string, status = 200, cookie?: string): Answer {
  return {
    status,
    headers: ['Content-Type', HTML, ...HEADERS],
    body: encoded(html),
    ...(cookie === undefined ? {} : { cookies: [cookie] }),
  };
}

/** A table of the desk's, to be kept by whoever asked for it. */
export function deskFile(name: string, text: string): Answer {
  return {
    status: 200,
    headers: [
      'Content-Type',
      'text/csv; charset=utf-8',
      'Content-Disposition',
      `attachment; filename="${name}"`,
      ...HEADERS,
    ],
    body: encoded(text),
  };
}

/** On to another page of the desk, after something was done or where somebody cannot stay. */
export function seeOther(location: string, cookie?: string, more: readonly string[] = []): Answer {
  return {
    status: 303,
    headers: ['Location', location, ...more, ...HEADERS],
    body: undefined,
    ...(cookie === undefined ? {} : { cookies: [cookie] }),
  };
}

/** The desk's page for a request that failed, or that asks for what is not there. */
export function deskFailure(desk: Desk, status: ErrorStatus, ask: Ask): Answer {
  if (ask.header('accept')?.includes('application/json')) {
    return problem(status, `status-${status}`, 'The desk cannot answer that');
  }
  return deskPage(renderError({ frame: frameFor(desk, ask), status, requestId: ask.requestId }), status);
}

/** @param session who is shown to be signed in; on pages for staff, whom the door has let in */
export function frameFor(desk: Desk, ask: Ask, session = desk.sessionOf(ask)): Frame {
  return { paper: desk.publication(), assets: desk.assets, session };
}

function without(headers: readonly string[], name: string): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at] !== name) kept.push(headers[at] as string, headers[at + 1] as string);
  }
  return kept;
}
