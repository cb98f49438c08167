import type { MailPayload } from '#mail';
import { writeDayAndTime } from '#values/dates';
import { PATHS } from '../site/urls.ts';
import {
  Action,
  Aside,
  bothVersions,
  contact,
  Heading,
  Link,
  linkTo,
  type MailFrame,
  Paragraph,
  type Written,
} from './letter.tsx';

/** To the old address, which may be all that its reader still has: it says how to object, and not where mail goes now. */
export function renderAddressChanged(
  { changedAt }: MailPayload<'address-changed'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  const subject = `Your address at ${name} was changed`;
  const title = 'Your address was changed';
  const because = `You get this because it was the address of your account at ${name} until now.`;
  const happened = `Your account at ${name} was given another mail address on ${when(changedAt, frame)}. Our mail goes there from now on, sign-in codes included.`;
  const { href, words } = contact(frame);
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{happened}</Paragraph>
        <Paragraph>If it was you, there is nothing to do.</Paragraph>
        <Paragraph>
          <strong>If it was not you</strong>, somebody else can get into your account. Tell us at once, from
          this address: <Link href={href}>{words}</Link>
        </Paragraph>
      </>
    ),
    paragraphs: [
      happened,
      'If it was you, there is nothing to do.',
      `If it was not you, somebody else can get into your account. Tell us at once, from this address:\n${words}`,
    ],
  });
}

export function renderPasswordChanged(
  { changedAt }: MailPayload<'password-changed'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  const subject = `Your password at ${name} was changed`;
  const title = 'Your password was changed';
  const because = `You get this because you have an account at ${name}.`;
  const happened = `The password of your account at ${name} was changed on ${when(changedAt, frame)}.`;
  const login = linkTo(frame, PATHS.login);
  const { href, words } = contact(frame);
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{happened}</Paragraph>
        <Paragraph>If it was you, there is nothing to do.</Paragraph>
        <Paragraph>
          <strong>If it was not you</strong>, choose a new one now. A code to do that with comes to this
          address.
        </Paragraph>
        <Action href={login}>Choose a new password</Action>
        <Aside>
          If that does not work, write to us: <Link href={href}>{words}</Link>
        </Aside>
      </>
    ),
    paragraphs: [
      happened,
      'If it was you, there is nothing to do.',
      `If it was not you, choose a new one now. A code to do that with comes to this address:\n${login}`,
      `If that does not work, write to us:\n${words}`,
    ],
  });
}

export function renderAccountInvitation(
  { path, until }: MailPayload<'account-invitation'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  const subject = `Your account at ${name}`;
  const title = 'Your account is ready';
  const because = `You get this because ${name} made an account for this address.`;
  const made = `There is an account for you at ${name}, with this address. All that it lacks is a password of yours.`;
  const good = `The link works once, until ${when(until, frame)}.`;
  const { href, words } = contact(frame);
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{made}</Paragraph>
        <Action href={linkTo(frame, path)}>Choose a password</Action>
        <Aside>
          {good} If you do not know what this is about, do nothing, or ask us:{' '}
          <Link href={href}>{words}</Link>
        </Aside>
      </>
    ),
    paragraphs: [
      made,
      `Choose a password:\n${linkTo(frame, path)}`,
      good,
      `If you do not know what this is about, do nothing, or ask us:\n${words}`,
    ],
  });
}

export function renderAccountDeleted(
  { deletedAt }: MailPayload<'account-deleted'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  const subject = `Your account at ${name} was deleted`;
  const title = 'Your account was deleted';
  const because = `You get this because it was the address of your account at ${name} until now.`;
  const happened = `Your account at ${name}, and what we kept with it, was deleted on ${when(deletedAt, frame)}. It cannot be brought back.`;
  const law =
    'What the law makes us keep, such as the record of a payment, stays for as long as the law says.';
  const { href, words } = contact(frame);
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{happened}</Paragraph>
        <Paragraph>{law}</Paragraph>
        <Aside>
          If it was not you who asked for it, tell us: <Link href={href}>{words}</Link>
        </Aside>
      </>
    ),
    paragraphs: [happened, law, `If it was not you who asked for it, tell us:\n${words}`],
  });
}

function when(at: Temporal.Instant, { paper }: MailFrame): string {
  return writeDayAndTime(at, paper);
}
