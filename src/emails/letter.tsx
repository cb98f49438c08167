import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Publication } from '#publication';
import { PATHS } from '../site/urls.ts';

/** What every mail is set in. */
export type MailFrame = {
  readonly paper: Publication;
  /** The public address, without a slash at its end. */
  readonly baseUrl: string;
};

/** A mail, written. */
export type Written = {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  /** Where such mails are stopped with one request, of those that somebody may not want. */
  readonly stopUrl?: string;
};

/** Colours and faces are those of the site's paper.css: day inline, night in the one style sheet. */
const SERIF =
  "'STIX Two Text','Times New Roman',Times,Martel,'Noto Serif Devanagari','Nirmala UI','Kohinoor Devanagari',serif";
const SANS = "'Libre Franklin','Helvetica Neue',Arial,'Noto Sans Devanagari','Nirmala UI',sans-serif";
const PAPER = '#fbfaf6';
const INK = '#16181d';
const INK_SOFT = '#44474e';
const INK_FAINT = '#63666d';
const RULE = '#d3cfc3';
const ACCENT = '#9f2a17';
const ON_ACCENT = '#fffdf8';

/** As wide as a column of the paper. */
const WIDTH = 560;

const NIGHT = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .paper { background: #14161a !important; color: #ece7db !important; }
  .ink { color: #ece7db !important; }
  .soft { color: #c0bcb2 !important; }
  .faint { color: #9a978f !important; }
  .accent { color: #ec8a71 !important; }
  .action { background: #ec8a71 !important; color: #1b0f0b !important; }
  .rule { border-color: #34373d !important; }
  .rule-strong { border-color: #8f8b81 !important; }
}`;

/**
 * The sheet: the paper's name, rules, one column, and at the foot who writes and why. It is set in tables because the
 * mail programs of offices know nothing else, carries its styles on its elements because others drop a style sheet, and
 * loads nothing from anywhere.
 */
function letter(
  frame: MailFrame,
  given: { readonly title: string; readonly because: string; readonly children: Child },
): string {
  const { baseUrl, paper } = frame;
  const page: JSX.Element = (
    <html lang={paper.language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        {/* Or a telephone takes six digits for a number to be dialled. */}
        <meta name="format-detection" content="telephone=no, date=no, address=no, email=no" />
        <meta name="x-apple-disable-message-reformatting" />
        <title>{given.title}</title>
        {raw(`<style>${NIGHT}</style>`)}
      </head>
      <body
        class="paper"
        style={`margin:0;padding:0;background:${PAPER};color:${INK};-webkit-text-size-adjust:100%`}
      >
        <main>
          <table
            role="presentation"
            class="paper"
            width="100%"
            cellpadding="0"
            cellspacing="0"
            style={`border-collapse:collapse;background:${PAPER}`}
          >
            <tr>
              <td align="center" style="padding:28px 20px 40px">
                {raw(
                  `<!--[if mso]><table role="presentation" width="${WIDTH}" align="center"><tr><td><![endif]-->`,
                )}
                <table
                  role="presentation"
                  width="100%"
                  cellpadding="0"
                  cellspacing="0"
                  // A fixed layout, so that no word is so long that it makes the column wider.
                  style={`width:100%;max-width:${WIDTH}px;table-layout:fixed;border-collapse:collapse;text-align:left`}
                >
                  <tr>
                    <td class="rule-strong" style={`padding:0 0 14px;border-bottom:3px double ${INK}`}>
                      <Name paper={paper} href={`${baseUrl}${PATHS.front}`} />
                    </td>
                  </tr>
                  <tr>
                    <td
                      class="ink"
                      style={`padding:30px 0 34px;color:${INK};font:400 17px/1.55 ${SERIF};overflow-wrap:anywhere;word-break:break-word`}
                    >
                      {given.children}
                    </td>
                  </tr>
                  <tr>
                    <td
                      class="faint rule"
                      style={`padding:14px 0 0;border-top:1px solid ${RULE};color:${INK_FAINT};font:400 13px/1.55 ${SANS};overflow-wrap:anywhere;word-break:break-word`}
                    >
                      <Foot frame={frame} because={given.because} />
                    </td>
                  </tr>
                </table>
                {raw('<!--[if mso]></td></tr></table><![endif]-->')}
              </td>
            </tr>
          </table>
        </main>
      </body>
    </html>
  );
  const text: unknown = page.toString();
  if (typeof text !== 'string') throw new TypeError('a mail must not wait for anything while it is written');
  return `<!doctype html>${text}`;
}

/** The paper's name, as at the head of a page: smaller where it is long. */
function Name({ href, paper }: { paper: Publication; href: string }) {
  const size = paper.name.length <= 24 ? 32 : paper.name.length <= 40 ? 26 : 20;
  return (
    <a
      class="ink"
      href={href}
      style={`color:${INK};font:700 ${size}px/1.2 ${SERIF};letter-spacing:-0.015em;text-decoration:none;overflow-wrap:anywhere;word-break:break-word`}
    >
      {paper.name}
    </a>
  );
}

function Foot({ because, frame }: { frame: MailFrame; because: string }) {
  const { baseUrl, paper } = frame;
  return (
    <>
      <p style="margin:0 0 6px">{because}</p>
      <p style="margin:0">
        {publisher(paper)}{' '}
        <a class="faint" href={`${baseUrl}${PATHS.contact}`} style={`color:${INK_FAINT}`}>
          Contact
        </a>{' '}
        ·{' '}
        <a class="faint" href={`${baseUrl}${PATHS.privacy}`} style={`color:${INK_FAINT}`}>
          Privacy
        </a>
      </p>
    </>
  );
}

/** Who publishes the paper, on one line, as far as the paper has said. */
function publisher({ name, sellerAddress, sellerName, sellerState }: Publication): string {
  const who = sellerName === '' ? name : `${name} is published by ${sellerName}`;
  const where = [...sellerAddress.split(/\s*\n\s*/), sellerState].filter(Boolean).join(', ');
  return `${[who, where].filter(Boolean).join(', ').replace(/\.$/, '')}.`;
}

export function Heading({ children }: { children: Child }) {
  return (
    <h1
      class="ink"
      style={`margin:0 0 14px;color:${INK};font:700 27px/1.15 ${SERIF};letter-spacing:-0.015em`}
    >
      {children}
    </h1>
  );
}

export function Paragraph({ children }: { children: Child }) {
  return <p style="margin:0 0 16px">{children}</p>;
}

/** What most readers need not read, and some very much. */
export function Aside({ children }: { children: Child }) {
  return (
    <p class="soft" style={`margin:20px 0 0;color:${INK_SOFT};font:400 15px/1.55 ${SANS}`}>
      {children}
    </p>
  );
}

/**
 * The one thing to do. Programs that know no padding still show a link on a coloured ground.
 *
 * @param props.href absolute, from `linkTo`
 */
export function Action({ children, href }: { href: string; children: Child }) {
  return (
    <table
      role="presentation"
      cellpadding="0"
      cellspacing="0"
      style="margin:24px 0 0;border-collapse:separate"
    >
      <tr>
        <td class="action" bgcolor={ACCENT} style={`background:${ACCENT}`}>
          <a
            class="action"
            href={href}
            style={`display:inline-block;padding:13px 22px;background:${ACCENT};color:${ON_ACCENT};font:600 16px/1.25 ${SANS};text-decoration:none`}
          >
            {children}
          </a>
        </td>
      </tr>
    </table>
  );
}

export function Link({ children, href }: { href: string; children: Child }) {
  return (
    <a class="accent" href={href} style={`color:${ACCENT};text-decoration:underline`}>
      {children}
    </a>
  );
}

/**
 * A code, large. What parts its digits is a margin: it reads in two groups and is copied as six digits, and one touch
 * takes all of it.
 */
export function Code({ code }: { code: string }) {
  return (
    <p
      class="ink rule-strong"
      style={`margin:22px 0;padding:20px 0 18px;border-top:1px solid ${INK};border-bottom:1px solid ${INK};color:${INK};font:700 46px/1 ${SERIF};letter-spacing:0.06em;-webkit-user-select:all;user-select:all;white-space:nowrap`}
    >
      <span>{code.slice(0, 3)}</span>
      <span style="margin-left:0.28em">{code.slice(3)}</span>
    </p>
  );
}

/** Names and values under each other, as in a receipt. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: Child])[] }) {
  return (
    <table
      width="100%"
      cellpadding="0"
      cellspacing="0"
      class="rule-strong"
      style={`width:100%;margin:22px 0;table-layout:fixed;border-collapse:collapse;border-top:1px solid ${INK}`}
    >
      {facts.map(([name, value]) => (
        <tr>
          <th
            scope="row"
            class="faint rule"
            style={`width:32%;padding:10px 14px 10px 0;border-bottom:1px solid ${RULE};color:${INK_FAINT};font:400 14px/1.5 ${SANS};text-align:left;vertical-align:baseline`}
          >
            {name}
          </th>
          <td
            class="ink rule"
            style={`padding:10px 0;border-bottom:1px solid ${RULE};color:${INK};font:400 17px/1.4 ${SERIF};vertical-align:baseline`}
          >
            {value}
          </td>
        </tr>
      ))}
    </table>
  );
}

/** An address of the paper, whole: what stands in a mail has no page that it could be relative to. */
export function linkTo(frame: MailFrame, path: string): string {
  return `${frame.baseUrl}${path}`;
}

/** Where a reader writes who wants something put right: an address where the paper has given one, and else a page. */
export function contact(frame: MailFrame): { readonly words: string; readonly href: string } {
  const { contactEmail } = frame.paper;
  return contactEmail === ''
    ? { words: linkTo(frame, PATHS.contact), href: linkTo(frame, PATHS.contact) }
    : { words: contactEmail, href: `mailto:${contactEmail}` };
}

/** The text version's sheet: the same head and foot, in lines. */
function plainLetter(
  frame: MailFrame,
  given: { readonly title: string; readonly because: string; readonly paragraphs: readonly string[] },
): string {
  const { paper } = frame;
  return `${[
    paper.name,
    given.title,
    ...given.paragraphs,
    `-- \n${given.because}\n${publisher(paper)}\n${linkTo(frame, PATHS.contact)}`,
  ].join('\n\n')}\n`;
}

/** Names and values of the text version, each on its line. They are not put under each other: few read mail in one width. */
export function plainFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  return facts.map(([name, value]) => `${name}: ${value}`).join('\n');
}

/** Six digits as they are read: in two groups. */
export function grouped(code: string): string {
  return `${code.slice(0, 3)} ${code.slice(3)}`;
}

/** A mail in both its versions, which say the same: what stands between the heading and the foot, set and as plain text. */
export function bothVersions(
  frame: MailFrame,
  given: {
    readonly subject: string;
    readonly title: string;
    readonly because: string;
    readonly children: Child;
    readonly paragraphs: readonly string[];
  },
): Written {
  const { because, children, paragraphs, subject, title } = given;
  return {
    subject,
    html: letter(frame, { title: subject, because, children }),
    text: plainLetter(frame, { title, because, paragraphs }),
  };
}
