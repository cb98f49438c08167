import { type Receipt, receiptLines } from '#billing';
import { writeDate } from '#values/dates';
import { formatMoney } from '#values/money';
import {
  bothVersions,
  Facts,
  Heading,
  Link,
  linkTo,
  type MailFrame,
  Paragraph,
  plainFacts,
  type Written,
} from './letter.tsx';

/** What was paid, for what and by whom, and when it will be asked for again: everything to keep, and nothing to click. */
export function renderReceipt(receipt: Receipt, frame: MailFrame): Written {
  const { language, name } = frame.paper;
  const { cancelPath, planName, renewsOn } = receipt;
  const sum = formatMoney(receipt.amount, language);
  const subject = `Your receipt from ${name}: ${sum}`;
  const title = 'Your receipt';
  const because = `You get this because you pay for ${name}.`;
  const thanks = `Thank you. We have received ${sum} for your subscription to ${name}.`;
  const facts = receiptLines(receipt, frame.paper);
  const renews =
    renewsOn === undefined
      ? 'It does not renew by itself.'
      : `It renews by itself on ${writeDate(renewsOn, language)}, unless you cancel before then.`;
  const cancelling = 'You can cancel at any time, and read to the end of what is paid';
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{thanks}</Paragraph>
        <Facts facts={[['Plan', <strong>{planName}</strong>], ...facts.slice(1)]} />
        <Paragraph>{renews}</Paragraph>
        {renewsOn !== undefined && (
          <Paragraph>
            {cancelling}: <Link href={linkTo(frame, cancelPath)}>cancel the renewal</Link>
          </Paragraph>
        )}
      </>
    ),
    paragraphs: [
      thanks,
      plainFacts(facts),
      renews,
      ...(renewsOn === undefined ? [] : [`${cancelling}:\n${linkTo(frame, cancelPath)}`]),
    ],
  });
}
