import type { MailPayload } from '#mail';
import { writeDate } from '#values/dates';
import { formatMoney, type Money, perMonth } from '#values/money';
import type { MailFrame, Written } from './letter.tsx';
import { notice } from './renewal-notices.tsx';

/**
 * The change of a contract's price, a month or more before: the old price and the new one, from which day, and that whoever
 * does not want it may leave for nothing (Directive (EU) 2019/770; the Union's consumers may end such a contract free of cost).
 */
export function renderPriceChange(
  { amount, asks, cancelPath, fromOn, months, payPath, planName, was }: MailPayload<'price-change'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const rises = amount.minor > was.minor;
  const on = writeDate(fromOn, language);
  const sum = formatMoney(amount, language);
  const a = (price: Money) =>
    months === 1
      ? `${formatMoney(price, language)} a month`
      : `${formatMoney(price, language)} for ${months} months (${formatMoney(perMonth(price, months), language)} a month)`;
  const cancel = { words: 'Cancel the renewal', path: cancelPath };
  const lastDay = writeDate(fromOn.subtract({ days: 1 }), language);
  const change = `Your plan, ${planName}, costs ${a(was)} now. From ${on}, with the term that begins then, it will cost ${a(amount)}. Both prices include tax.`;
  const leave = rises
    ? `Until the end of ${lastDay} nothing changes. If you do not want to pay more, cancel before ${on}: it costs you nothing, and you read to the end of what is paid.`
    : 'You can cancel the renewal at any time.';
  return notice(frame, {
    subject: rises
      ? `From ${on} your subscription to ${name} costs ${sum}`
      : `From ${on} your subscription to ${name} costs less: ${sum}`,
    title: rises ? `The price changes on ${on}` : `The price falls on ${on}`,
    because: `You get this because you subscribe to ${name}.`,
    paragraphs: [
      change,
      ...(asks === undefined || (!rises && asks !== 'none') ? [] : [ASKS[asks]]),
      leave,
      ...(rises
        ? [
            `${asks === undefined ? 'Otherwise you have nothing to do. ' : ''}We write again before it is charged.`,
          ]
        : []),
    ],
    ...(rises && (asks === 'too-small' || asks === 'none')
      ? { action: { words: 'Give a card or mandate', path: payPath } }
      : {}),
    aside: cancel,
  });
}

const ASKS: Readonly<Record<NonNullable<MailPayload<'price-change'>['asks']>, string>> = {
  none: 'There is no card or mandate that we may charge. Please give one: until then nothing is charged, and your subscription is not renewed.',
  'too-small':
    'Your card or mandate does not let us take that much. Please give another: until then nothing is charged, and your subscription is not renewed.',
  'by-hand':
    'In India nobody may take so much without you, so you pay for each term yourself. We write to you before it begins.',
};

export function renderPriceStays(
  { accountPath, amount, planName }: MailPayload<'price-stays'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const sum = formatMoney(amount, language);
  return notice(frame, {
    subject: `The price of your subscription to ${name} stays as it is`,
    title: 'The price stays as it is',
    because: `You get this because we wrote to you of another price.`,
    paragraphs: [
      `We wrote that your plan, ${planName}, would cost something else from your next term on. It does not: it costs ${sum}, tax included, as before.`,
      'You have nothing to do.',
    ],
    aside: { words: 'Your account', path: accountPath },
  });
}
