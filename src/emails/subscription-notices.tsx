import type { MailPayload } from '#mail';
import { writeDate } from '#values/dates';
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

export function renderSeatInvitation(
  { group, path }: MailPayload<'seat-invitation'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  const subject = `You are invited to read all of ${name}`;
  const title = 'A seat is kept for you';
  const because = `You get this because ${group} invited this address to ${name}.`;
  const says = `${group} subscribes to ${name} for several readers, and one of them is you. It costs you nothing.`;
  const how = 'Open the link, sign in or open an account, and everything is yours to read.';
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{says}</Paragraph>
        <Paragraph>{how}</Paragraph>
        <Action href={linkTo(frame, path)}>Take the seat</Action>
      </>
    ),
    paragraphs: [says, `${how}\n${linkTo(frame, path)}`],
  });
}

export function renderTrialBegan(
  { amount, cancelPath, method, paidFrom, planName }: MailPayload<'trial-began'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const lastDay = writeDate(paidFrom.subtract({ days: 1 }), language);
  const subject = `You read all of ${name}, free until ${lastDay}`;
  const title = 'You read everything from now on';
  const because = `You get this because you began to subscribe to ${name}.`;
  const free = `Until the end of ${lastDay} it costs nothing. From ${writeDate(paidFrom, language)} your plan, ${planName}, costs ${formatMoney(amount, language)}, tax included, which is charged to ${method}. It renews by itself until you cancel.`;
  const told = 'We write to you some days before anything is charged.';
  const out = 'If you cancel before that, nothing is charged at all.';
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{free}</Paragraph>
        <Paragraph>{told}</Paragraph>
        <Aside>
          {out} <Link href={linkTo(frame, cancelPath)}>Cancel</Link>
        </Aside>
      </>
    ),
    paragraphs: [free, told, `${out}\n${linkTo(frame, cancelPath)}`],
  });
}

export function renderSubscriptionEnds(
  { endsOn, planName, undoPath }: MailPayload<'subscription-ends'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const lastDay = writeDate(endsOn.subtract({ days: 1 }), language);
  const subject = `Your subscription to ${name} ends on ${lastDay}`;
  const title = 'Your subscription is cancelled';
  const because = `You get this because you cancelled your subscription to ${name}.`;
  const stays = `You can read everything until the end of ${lastDay}. Nothing more will be charged for your plan, ${planName}.`;
  const undo = 'Until then you can take the cancellation back, and the subscription goes on as before.';
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{stays}</Paragraph>
        <Paragraph>{undo}</Paragraph>
        <Action href={linkTo(frame, undoPath)}>Keep my subscription</Action>
      </>
    ),
    paragraphs: [stays, `${undo}\n${linkTo(frame, undoPath)}`],
  });
}

export function renderSubscriptionGoesOn(
  { cancelPath, planName, renewsOn }: MailPayload<'subscription-goes-on'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const subject = `Your subscription to ${name} goes on`;
  const title = 'Your subscription goes on';
  const because = `You get this because you took back the cancellation of your subscription to ${name}.`;
  const renews = `The cancellation is taken back. Your plan, ${planName}, renews by itself on ${writeDate(renewsOn, language)}.`;
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{renews}</Paragraph>
        <Aside>
          You can <Link href={linkTo(frame, cancelPath)}>cancel at any time</Link>, and read to the end of
          what is paid.
        </Aside>
      </>
    ),
    paragraphs: [
      renews,
      `You can cancel at any time, and read to the end of what is paid:\n${linkTo(frame, cancelPath)}`,
    ],
  });
}

export function renderPaymentFailed(
  { amount, planName, tryAgainPath }: MailPayload<'payment-failed'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const subject = `Your payment to ${name} did not go through`;
  const title = 'Your payment did not go through';
  const because = `You get this because a payment for your subscription to ${name} was tried.`;
  const happened = `The payment of ${formatMoney(amount, language)} for your plan, ${planName}, did not go through. Nothing was charged.`;
  const again = 'You can try again, in the same way or in another.';
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{happened}</Paragraph>
        <Paragraph>{again}</Paragraph>
        <Action href={linkTo(frame, tryAgainPath)}>Try again</Action>
      </>
    ),
    paragraphs: [happened, `${again}\n${linkTo(frame, tryAgainPath)}`],
  });
}
