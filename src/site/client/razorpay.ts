/**
 * On the page that pays through Razorpay: opens its checkout, and sends home what it gives to who has paid. What it gives
 * proves nothing; the paper asks Razorpay.
 */
type Given = { razorpay_payment_id: string; razorpay_signature: string };
type Checkout = new (options: object & { handler(given: Given): void }) => { open(): void };

const form = document.querySelector<HTMLFormElement>('form[data-razorpay]');
const opens = document.querySelector<HTMLButtonElement>('[data-razorpay-opens]');
const says = document.querySelector<HTMLElement>('[data-razorpay-says]');
/** Put there by Razorpay's own script, which stands before this one; a browser may have kept it away. */
const { Razorpay } = window as unknown as { Razorpay?: Checkout };

if (form !== null && opens !== null) {
  if (Razorpay === undefined) says?.removeAttribute('hidden');
  else {
    const checkout = new Razorpay({
      ...(JSON.parse(form.dataset.razorpay ?? '{}') as object),
      handler: (given) => sendHome(form, given),
    });
    opens.hidden = false;
    opens.addEventListener('click', () => checkout.open());
    checkout.open();
  }
}

function sendHome(to: HTMLFormElement, given: Given): void {
  for (const name of ['razorpay_payment_id', 'razorpay_signature'] as const) {
    const field = to.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = given[name];
  }
  to.submit();
}
