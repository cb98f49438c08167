import type { MailPayload } from '#mail';
import {
  Action,
  Aside,
  bothVersions,
  Heading,
  linkTo,
  type MailFrame,
  Paragraph,
  type Written,
} from './letter.tsx';

/** The link shows whose it is and a button, and only the button uses it up: programs that look into mail open links. */
export function renderDeskLink({ minutes, path }: MailPayload<'desk-link'>, frame: MailFrame): Written {
  const { name } = frame.paper;
  const subject = `Your link to the desk of ${name}`;
  const title = 'Your link to the desk';
  const because = `You get this because somebody asked at the desk of ${name} for a link to this address.`;
  const href = linkTo(frame, path);
  const good = `It works once, within ${minutes} minutes, and asks for your second factor. A newer link puts an end to it.`;
  const notYou =
    'If you did not ask for it, you need do nothing: without your second factor nobody comes in. Give the link to nobody.';
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Action href={href}>Sign in to the desk</Action>
        <Paragraph>{good}</Paragraph>
        <Aside>{notYou}</Aside>
      </>
    ),
    paragraphs: [`Sign in to the desk:\n${href}`, good, notYou],
  });
}
