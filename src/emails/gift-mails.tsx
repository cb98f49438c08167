import type { MailPayload } from '#mail';
import { writeDate, writeDayAndTime } from '#values/dates';
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

function length(months: number): string {
  const [count, unit] = months % 12 === 0 ? [months / 12, 'year'] : [months, 'month'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

export function renderGift(
  { code, fromName, message, months, path, toName }: MailPayload<'gift'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  const giver = fromName === '' ? 'Somebody' : fromName;
  const subject = `${giver} gives you ${length(months)} of ${name}`;
  const title = toName === '' ? 'A gift for you' : `A gift for you, ${toName}`;
  const because = `You get this because ${giver} bought you a gift from ${name} and gave us this address.`;
  const what = `${giver} gives you ${length(months)} of everything in ${name}. It is paid, renews by itself never, and begins when you redeem it.`;
  const how = `Open the link, sign in or open an account, and it is yours. Should the link not work, the code is ${code}.`;
  const said = message.trim() === '' ? [] : [`“${message.trim()}”`];
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        {said.map((words) => (
          <Paragraph>{words}</Paragraph>
        ))}
        <Paragraph>{what}</Paragraph>
        <Paragraph>{how}</Paragraph>
        <Action href={linkTo(frame, path)}>Redeem the gift</Action>
      </>
    ),
    paragraphs: [...said, what, `${how}\n${linkTo(frame, path)}`],
  });
}

export function renderGiftBought(
  { giftsPath, planName }: MailPayload<'gift-bought'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  const subject = `Your gift from ${name}`;
  const title = 'Your gift is ready';
  const because = `You get this because you bought a gift from ${name}.`;
  const where = `${planName}: its code, to print or to hand over, is in your account. If you gave us an address, we send it there on the day that you chose.`;
  const back = 'As long as nobody has redeemed it, we give your money back if you ask us to.';
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{where}</Paragraph>
        <Action href={linkTo(frame, giftsPath)}>See the gift</Action>
        <Aside>{back}</Aside>
      </>
    ),
    paragraphs: [`${where}\n${linkTo(frame, giftsPath)}`, back],
  });
}

export function renderGiftRedeemed(
  { at, planName, toName }: MailPayload<'gift-redeemed'>,
  frame: MailFrame,
): Written {
  const { name } = frame.paper;
  const subject = `Your gift from ${name} was redeemed`;
  const title = 'Your gift was redeemed';
  const because = `You get this because you bought a gift from ${name}.`;
  const says = `${toName === '' ? 'Whoever you gave it to' : toName} redeemed your gift, ${planName}, on ${writeDayAndTime(at, frame.paper)}.`;
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{says}</Paragraph>
      </>
    ),
    paragraphs: [says],
  });
}

export function renderGiftBegan(
  { fromOn, subscribePath, untilOn }: MailPayload<'gift-began'>,
  frame: MailFrame,
): Written {
  const { language, name } = frame.paper;
  const lastDay = writeDate(untilOn.subtract({ days: 1 }), language);
  const subject = `Your gift: all of ${name} until ${lastDay}`;
  const title = 'The gift is yours';
  const because = `You get this because you redeemed a gift from ${name}.`;
  const says = `From ${writeDate(fromOn, language)} to ${lastDay} you read everything by it, on every device. Nothing is charged, now or afterwards.`;
  const after =
    'If you would like to go on after that, you can subscribe at any time, and lose none of these days.';
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{says}</Paragraph>
        <Aside>
          {after} <Link href={linkTo(frame, subscribePath)}>See the plans</Link>
        </Aside>
      </>
    ),
    paragraphs: [says, `${after}\n${linkTo(frame, subscribePath)}`],
  });
}
