import type { MailPayload } from '#mail';
import { writeDate, writeDayAndTime } from '#values/dates';
import { formatMoney } from '#values/money';
import {
  Action,
  Aside,
  bothVersions,
  Heading,
  Link,
  linkTo,
  type MailFrame,
  Paragraph,
  type Written,
} from './letter.tsx';

/** A letter of a few paragraphs and one thing to do. */
export function notice(
  frame: MailFrame,
  said: {
    readonly subject: string;
    readonly title: string;
    readonly because: string;
    readonly paragraphs: readonly string[];
    readonly action?: { readonly words: string; readonly path: string };
    /** What may be done besides. */
    readonly aside?: { readonly words: string; readonly path: string };
  },
): Written {
  const { action, aside, because, paragraphs, subject, title } = said;
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        {paragraphs.map((words) => (
          <Paragraph>{words}</Paragraph>
        ))}
        {action !== undefined && <Action href={linkTo(frame, action.path)}>{action.words}</Action>}
        {aside !== undefined && (
          <Aside>
            <Link href={linkTo(frame, aside.path)}>{aside.words}</Link>
          </Aside>
        )}
      </>
    ),
    paragraphs: [
      ...paragraphs,
      ...[action, aside].flatMap((one) =>
        one === undefined ? [] : [`${one.words}:\n${linkTo(frame, one.path)}`],
      ),
    ],
  });
}

export function renderRenewalNotice(
  { amount, cancelPath, method, payPath, planName, renewsOn }: MailPayload<'renewal-notice'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const on = writeDate(renewsOn, language);
  const sum = formatMoney(amount, language);
  const cancel = { words: 'Cancel the renewal', path: cancelPath };
  const because = `You get this because you subscribe to ${name}.`;
  if (method === undefined) {
    return notice(frame, {
      subject: `Your subscription to ${name} ends on ${writeDate(renewsOn.subtract({ days: 1 }), language)} unless you renew it`,
      title: 'We have nothing to charge',
      because,
      paragraphs: [
        `Your plan, ${planName}, would renew on ${on} for ${sum}, and there is no card or mandate that we may charge.`,
        'Giving one takes a minute.',
      ],
      action: { words: 'Give a card or mandate', path: payPath },
      aside: cancel,
    });
  }
  return notice(frame, {
    subject: `Your subscription to ${name} renews on ${on}`,
    title: `Your subscription renews on ${on}`,
    because,
    paragraphs: [
      `Your plan, ${planName}, renews by itself. We will charge ${sum} to ${method}, shortly before the new term begins.`,
      'You have nothing to do. You can cancel until then, and read to the end of what is paid.',
    ],
    aside: cancel,
  });
}

export function renderRenewalFailed(
  { amount, method, payPath, planName, readsUntil }: MailPayload<'renewal-failed'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const sum = formatMoney(amount, language);
  const happened =
    method === undefined
      ? `The renewal of your plan, ${planName}, for ${sum} could not be charged, because there is no card or mandate that we may charge.`
      : `The renewal of your plan, ${planName}, for ${sum} was declined by ${method}. Nothing was charged.`;
  return notice(frame, {
    subject: `The renewal of your subscription to ${name} was not paid`,
    title: 'The renewal was not paid',
    because: `You get this because you subscribe to ${name}.`,
    paragraphs: [
      happened,
      `You go on reading everything until the end of ${writeDate(readsUntil.subtract({ days: 1 }), language)}. Paying takes a minute, with the same card or another.`,
    ],
    action: { words: 'Pay for the renewal', path: payPath },
  });
}

export function renderSubscriptionRests(
  { amount, payPath, planName }: MailPayload<'subscription-rests'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  return notice(frame, {
    subject: `Your subscription to ${name} rests`,
    title: 'Your subscription rests',
    because: `You get this because you subscribed to ${name}.`,
    paragraphs: [
      `The renewal of your plan, ${planName}, was not paid, and your days of grace are over. You are not charged for them.`,
      `When you pay ${formatMoney(amount, language)}, a new term begins on that day.`,
    ],
    action: { words: 'Pay and read on', path: payPath },
  });
}

export function renderSubscriptionOver(
  { planName, subscribePath }: MailPayload<'subscription-over'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  return notice(frame, {
    subject: `Your subscription to ${name} has ended`,
    title: 'Your subscription has ended',
    because: `You get this because you subscribed to ${name}.`,
    paragraphs: [
      `Your plan, ${planName}, was not renewed, and nothing more will be charged.`,
      'You are welcome back at any time.',
    ],
    action: { words: 'Subscribe again', path: subscribePath },
  });
}

export function renderRefund(
  { amount, because, planName }: MailPayload<'refund'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const sum = formatMoney(amount, language);
  return notice(frame, {
    subject: `${name} has refunded ${sum}`,
    title: `${sum} goes back to you`,
    because: `You get this because you paid for ${name}.`,
    paragraphs: [
      `We have refunded ${sum} for your plan, ${planName}: ${because}.`,
      'It goes back the way that it came. Your bank may take some days to show it.',
    ],
  });
}

export function renderSubscriptionPaused(
  { accountPath, daysLeft, planName, resumesOn }: MailPayload<'subscription-paused'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const on = writeDate(resumesOn, language);
  return notice(frame, {
    subject: `Your subscription to ${name} is paused until ${on}`,
    title: 'Your subscription is paused',
    because: `You get this because you paused your subscription to ${name}.`,
    paragraphs: [
      `Your plan, ${planName}, rests. On ${on} it goes on by itself, with the ${daysLeft} days that are left of your term, and nothing is charged before those are over.`,
      'You can go on reading at any time before.',
    ],
    action: { words: 'Your account', path: accountPath },
  });
}

/** On a durable medium, with what was withdrawn from and when (Directive (EU) 2023/2673). */
export function renderWithdrawalConfirmed(
  { amount, at, isPart, planName }: MailPayload<'withdrawal-confirmed'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const back =
    amount === undefined
      ? 'Your bank has asked for what you paid for it already, and decides about it.'
      : isPart
        ? `You had asked that it begins at once, so you pay for the days that you had it. The rest, ${formatMoney(amount, language)}, goes back the way that it came, within fourteen days.`
        : `Everything that you paid for it, ${formatMoney(amount, language)}, goes back the way that it came, within fourteen days.`;
  return notice(frame, {
    subject: `You have withdrawn from your contract with ${name}`,
    title: 'Your withdrawal has reached us',
    because: `You get this because you withdrew from a contract with ${name}.`,
    paragraphs: [
      `You withdrew from your contract with ${name} for the plan ${planName} on ${writeDayAndTime(at, frame.paper)}. It has ended.`,
      back,
    ],
  });
}
