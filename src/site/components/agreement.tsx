import { hash } from 'node:crypto';

/** Tells words that were shown from others, in a form that comes back. */
export const digestOf = (words: string): string => hash('sha256', words, 'base64url').slice(0, 16);

/** What is agreed to before money is paid, in the words that are kept with the order, and the way on to the gateway. */
export function Agreement(props: { words: string; isFree?: boolean }) {
  const { isFree = false, words } = props;
  return (
    <>
      <p class="tick">
        <input id="field-consent" type="checkbox" name="consent" value="yes" required />
        <label for="field-consent">{words}</label>
        <input type="hidden" name="shown" value={digestOf(words)} />
      </p>
      <p>
        <button class="button" type="submit">
          {isFree ? 'Go on to how you will pay' : 'Go on to pay'}
        </button>
      </p>
      <p class="field-hint">
        {isFree
          ? 'You give a card or account on a page of the company that takes the money, and nothing is taken today. We never see your card.'
          : 'You pay on a page of the company that takes the money. We never see your card.'}
      </p>
    </>
  );
}
