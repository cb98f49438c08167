import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { DESK } from '../urls.ts';

/** What is about to be done, before it is: in words and figures, with the reason, and one button. */
export function renderConfirmation(given: {
  frame: Frame;
  title: string;
  says: readonly string[];
  button: string;
  action: string;
  /** Where whoever thinks better of it goes. */
  back: string;
  /** The form that asks for it, sent again as it was. */
  fields: Readonly<Record<string, string>>;
  reason: string;
}): string {
  const { action, back, button, fields, frame, reason, says, title } = given;
  return documentText(
    <Layout frame={frame} title={title} current={DESK.readers}>
      <header class="page-head">
        <p class="kicker">Please look once more</p>
        <h1>{title}</h1>
      </header>
      <ul class="rows confirmation" data-confirmation>
        {says.map((sentence) => (
          <li>{sentence}</li>
        ))}
        <li>
          The audit trail keeps why: <q class="row-reason">{reason}</q>
        </li>
      </ul>
      <form method="post" action={action}>
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <p class="confirmation-acts">
          <button type="submit">{button}</button> <a href={back}>Leave it as it is</a>
        </p>
      </form>
    </Layout>,
  );
}
