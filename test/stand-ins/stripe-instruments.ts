import type { Instrument } from './stripe-stored.ts';

/** What readers of the tests pay with. */
export const VISA: Extract<Instrument, { type: 'card' }> = {
  type: 'card',
  brand: 'visa',
  last4: '4242',
  country: 'GB',
  expMonth: 8,
  expYear: 2030,
  fingerprint: 'AOB934RVNwzk6xtn',
};
export const RUPAY: Instrument = {
  ...VISA,
  brand: 'rupay',
  last4: '0018',
  country: 'IN',
  fingerprint: 'RUPAY34RVNwzk6xt',
};
/** It ends with the month in which the tests begin. */
export const ENDING: Instrument = {
  ...VISA,
  last4: '0069',
  expMonth: 11,
  expYear: 2026,
  fingerprint: 'ENDS34RVNwzk6xtn',
};
export const LINK: Instrument = { type: 'link' };
export const UPI: Instrument = { type: 'upi', vpa: 'meera@okbank' };
