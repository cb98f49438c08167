import type { Instrument } from './razorpay-objects.ts';

/** What readers of the tests pay with. */
export const VISA: Instrument = { method: 'card', network: 'Visa', last4: '1111', international: false };
export const RUPAY: Instrument = { method: 'card', network: 'RuPay', last4: '1213', international: false };
export const FOREIGN_CARD: Instrument = {
  method: 'card',
  network: 'Visa',
  last4: '4242',
  international: true,
};
export const UPI: Instrument = { method: 'upi', vpa: 'meera@okbank' };
