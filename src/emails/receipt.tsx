import type { MailPayload } from '#mail';
import { writeDate, writeDayAndTime } from '#values/dates';
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

type Receipt = MailPayload<'receipt'>;

/** What was paid, for what and by whom, and when it will be asked for again: everything to keep, and nothing to click. */
export function renderReceipt(receipt: Receipt, frame: MailFrame): Written {
  const { language, name } = frame.paper;
  const { cancelPath, planName, renewsOn } = receipt;
  const sum = formatMoney(receipt.amount, language);
  const subject = `Your receipt from ${name}: ${sum}`;
  const title = 'Your receipt';
  const because = `You get this because you pay for ${name}.`;
  const thanks = `Thank you. We have received ${sum} for your subscription to ${name}.`;
  const facts = factsOf(receipt, frame);
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

function factsOf(receipt: Receipt, { paper }: MailFrame): [string, string][] {
  const { country, method, paidAt, paymentId, planName, sellerAddress, sellerName, state } = receipt;
  const { termFrom, termUntil } = receipt;
  // The term is half open; people say its last day.
  const lastDay = termUntil.subtract({ days: 1 });
  return [
    ['Plan', planName],
    ['Term', `${writeDate(termFrom, paper.language)} to ${writeDate(lastDay, paper.language)}`],
    ['Amount', formatMoney(receipt.amount, paper.language)],
    ['Paid on', writeDayAndTime(paidAt, paper)],
    ['Paid with', method],
    ['Payment', paymentId],
    ['Place of supply', [state, countryName(country, paper.language)].filter(Boolean).join(', ')],
    ['Sold by', [sellerName, sellerAddress.replace(/\s*\n\s*/g, ', ')].filter(Boolean).join(', ')],
  ];
}

function countryName(code: string, language: string): string {
  return new Intl.DisplayNames(language, { type: 'region' }).of(code) ?? code;
}
