import type { MailPayload } from '#mail';
import {
  Aside,
  bothVersions,
  Code,
  grouped,
  Heading,
  type MailFrame,
  Paragraph,
  type Written,
} from './letter.tsx';

type CodeMail = MailPayload<'sign-in-code'>;

type Words = {
  readonly subject: string;
  readonly title: string;
  readonly enter: string;
  readonly notYou: string;
  readonly because: string;
};

/**
 * Only a code that opens what its reader already has before them stands in the subject, where a locked telephone shows
 * it to whoever looks. One that changes a password or an address does not.
 */
export function renderSignInCode({ code, minutes }: CodeMail, frame: MailFrame): Written {
  return written(frame, code, minutes, {
    subject: `${grouped(code)} is your sign-in code for ${frame.paper.name}`,
    title: 'Your sign-in code',
    enter: 'Enter this code on the page where you asked for it.',
    notYou:
      'If you did not ask for it, you need do nothing: nobody can sign in without it. We never ask for a code by telephone or by mail.',
    because: `You get this because somebody wants to sign in at ${frame.paper.name} with this address.`,
  });
}

export function renderWelcomeCode({ code, minutes }: CodeMail, frame: MailFrame): Written {
  return written(frame, code, minutes, {
    subject: `${grouped(code)} finishes your registration at ${frame.paper.name}`,
    title: 'Finish your registration',
    enter: 'Welcome. Enter this code on the page where you registered, and your account is open.',
    notYou:
      'If you did not register, somebody has mistyped an address. You need do nothing: without the code no account is opened.',
    because: `You get this because somebody registered at ${frame.paper.name} with this address.`,
  });
}

export function renderPasswordResetCode({ code, minutes }: CodeMail, frame: MailFrame): Written {
  return written(frame, code, minutes, {
    subject: `Choose a new password for ${frame.paper.name}`,
    title: 'Choose a new password',
    enter: 'Enter this code on the page where you asked for it. Then you can choose a new password.',
    notYou:
      'If you did not ask for it, you need do nothing: your password stays as it is. Give the code to nobody, not even to us.',
    because: `You get this because somebody asked for a new password at ${frame.paper.name}, for the account with this address.`,
  });
}

export function renderAddressChangeCode({ code, minutes }: CodeMail, frame: MailFrame): Written {
  return written(frame, code, minutes, {
    subject: `Confirm your new address for ${frame.paper.name}`,
    title: 'Confirm your new address',
    enter: `Enter this code on the page where you changed your address. From then on our mail to you comes here.`,
    notYou:
      'If you changed nothing, somebody has mistyped an address. You need do nothing: theirs stays as it was.',
    because: `You get this because a reader of ${frame.paper.name} gave this as their new address.`,
  });
}

function written(frame: MailFrame, code: string, minutes: number, words: Words): Written {
  const { because, enter, notYou, subject, title } = words;
  const good = `It works once, within ${minutes === 1 ? 'one minute' : `${minutes} minutes`}.`;
  return bothVersions(frame, {
    subject,
    title,
    because,
    children: (
      <>
        <Heading>{title}</Heading>
        <Paragraph>{enter}</Paragraph>
        <Code code={code} />
        <Paragraph>{good}</Paragraph>
        <Aside>{notYou}</Aside>
      </>
    ),
    paragraphs: [enter, `    ${grouped(code)}`, good, notYou],
  });
}
