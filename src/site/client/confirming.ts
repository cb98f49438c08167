/**
 * On the page that waits for a payment: asks again, and changes the page when there is something new to say. Without
 * scripts the page loads itself anew, which would be read out from the top each time.
 */
const FIRST_PAUSE_MS = 1_500;
const LONGEST_PAUSE_MS = 15_000;
const STATUS = '[data-subscription]';

async function look(): Promise<void> {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const now = page.querySelector<HTMLElement>(STATUS);
  const before = document.querySelector<HTMLElement>(STATUS);
  if (now?.dataset.subscription !== before?.dataset.subscription) location.reload();
  else if (now !== null && before !== null && now.textContent !== before.textContent) {
    before.textContent = now.textContent;
  }
}

function lookAgain(pauseMs: number): void {
  setTimeout(() => {
    look()
      // No connection: there may be one the next time.
      .catch(() => undefined)
      .finally(() => lookAgain(Math.min(pauseMs * 1.3, LONGEST_PAUSE_MS)));
  }, pauseMs);
}

lookAgain(FIRST_PAUSE_MS);
