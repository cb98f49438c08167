import { conditionWords, offerWords } from '#billing';
import type { MailPayload } from '#mail';
import { writeDate } from '#values/dates';
import { linkTo, type MailFrame, type Written } from './letter.tsx';
import { notice } from './renewal-notices.tsx';

/**
 * To whoever is gone: what they would pay, in full. It is advertising, which may be sent to former customers as long as
 * each mail lets them end it (ePrivacy directive, article 13, 2).
 */
export function renderComeBack(
  { months, offerPath, phases, price, readUntil, stopPath, trialDays, untilOn }: MailPayload<'come-back'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const plan = { months, price };
  const offer = { trialDays, phases };
  const until = writeDate(readUntil, language);
  const words = offerWords(plan, offer, language);
  const written = notice(frame, {
    subject: `Come back to ${name}: ${words.charAt(0).toLowerCase()}${words.slice(1)}`,
    title: 'We would like to have you back',
    because: `You get this because you subscribed to ${name} until ${until}. We write once.`,
    paragraphs: [
      `You read all of ${name} until ${until}. If you would like to again, there is an offer for you.`,
      `${conditionWords(plan, offer, language)}, tax included, and renews by itself at that price until you cancel, which you can do at any time.`,
      ...(untilOn === undefined
        ? []
        : [`It can be had until ${writeDate(untilOn.subtract({ days: 1 }), language)}.`]),
    ],
    action: { words: 'See the offer', path: offerPath },
    aside: { words: 'Send me no offers any more', path: stopPath },
  });
  return { ...written, stopUrl: linkTo(frame, stopPath) };
}
