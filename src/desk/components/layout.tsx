import type { Child } from 'hono/jsx';
import { may, type Permission } from '#staff';
import { PATHS } from '../../site/urls.ts';
import type { Frame } from '../frame.ts';
import { DESK } from '../urls.ts';

type LayoutProps = {
  frame: Frame;
  title: string;
  /** The address in the navigation that this page belongs to. */
  current?: string;
  children: Child;
};

/** The sheet that every page of the desk is printed on. */
export function Layout({ children, current, frame, title }: LayoutProps) {
  const { assets, paper, session } = frame;
  return (
    <html lang={paper.language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} — ${paper.name}, Desk`}</title>
        <meta name="robots" content="noindex" />
        {FIRST_FONTS.filter((name) => assets[name] !== undefined).map((name) => (
          <link rel="preload" href={assets[name]} as="font" type="font/woff2" crossorigin="anonymous" />
        ))}
        {assets['desk.css'] !== undefined && <link rel="stylesheet" href={assets['desk.css']} />}
        {assets['icon.svg'] !== undefined && (
          <link rel="icon" href={assets['icon.svg']} type="image/svg+xml" />
        )}
        <meta name="theme-color" content="#fbfaf6" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#14161a" media="(prefers-color-scheme: dark)" />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="masthead">
          <div class="wrap masthead-top">
            <p class="masthead-name">
              <a href={PATHS.front}>{paper.name}</a>{' '}
              <a class="masthead-desk" href={DESK.today}>
                Desk
              </a>
            </p>
            {session !== undefined && <SignedIn session={session} />}
          </div>
          {session?.isSignedIn && <Navigation session={session} current={current} />}
        </header>
        <main id="main" class="wrap" tabindex={-1}>
          {session?.standing === 'put-off' && current !== undefined && <PutOff />}
          {children}
        </main>
      </body>
    </html>
  );
}

/** Asked for before the style sheet has said so, since a font that comes late is not shown. */
const FIRST_FONTS = ['stix-two-text-latin-wght-normal.woff2', 'libre-franklin-latin-wght-normal.woff2'];

/** Everything at the desk, and what it takes to go there. */
const PLACES: readonly { readonly path: string; readonly name: string; readonly permission: Permission }[] = [
  { path: DESK.today, name: 'Today', permission: 'desk' },
  { path: DESK.readers, name: 'Readers', permission: 'readers.see' },
  { path: DESK.parked, name: 'Waiting', permission: 'readers.see' },
  { path: DESK.revenue, name: 'Revenue', permission: 'revenue.see' },
  { path: DESK.imports, name: 'Imports', permission: 'imports.see' },
  { path: DESK.audit, name: 'Audit trail', permission: 'audit.see' },
];

type InProps = { session: NonNullable<Frame['session']> };

function Navigation({ current, session }: InProps & { current: string | undefined }) {
  return (
    <nav class="places" aria-label="Desk">
      <ul class="wrap">
        {PLACES.filter(({ permission }) => may(session.person.role, permission)).map(({ name, path }) => (
          <li>
            <a href={path} {...(path === current ? { 'aria-current': 'true' } : {})}>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function SignedIn({ session }: InProps) {
  const { email, name, role } = session.person;
  return (
    <form class="signed-in" method="post" action={DESK.signOut}>
      <p>
        <span class="signed-in-name">{name === '' ? email : name}</span>{' '}
        <span class="signed-in-role">{role.replace('-', ' ')}</span>
      </p>
      <button type="submit" class="quiet">
        Sign out
      </button>
    </form>
  );
}

function PutOff() {
  return (
    <p class="notice">
      You are signed in without a second factor, which works in the sandbox alone.{' '}
      <a href={DESK.secondFactor}>Set it up</a>
    </p>
  );
}
