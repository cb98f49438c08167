import { describe, expect, it } from 'vitest';
import { INDIAN_STATES, stateWithGstCode } from './places.ts';

describe('a state of India on an invoice', () => {
  it('has the number that GST gives it', () => {
    expect(Object.keys(INDIAN_STATES).map(stateWithGstCode).toSorted()).toEqual([
      'Andaman and Nicobar Islands (35)',
      'Andhra Pradesh (37)',
      'Arunachal Pradesh (12)',
      'Assam (18)',
      'Bihar (10)',
      'Chandigarh (04)',
      'Chhattisgarh (22)',
      'Dadra and Nagar Haveli and Daman and Diu (26)',
      'Delhi (07)',
      'Goa (30)',
      'Gujarat (24)',
      'Haryana (06)',
      'Himachal Pradesh (02)',
      'Jammu and Kashmir (01)',
      'Jharkhand (20)',
      'Karnataka (29)',
      'Kerala (32)',
      'Ladakh (38)',
      'Lakshadweep (31)',
      'Madhya Pradesh (23)',
      'Maharashtra (27)',
      'Manipur (14)',
      'Meghalaya (17)',
      'Mizoram (15)',
      'Nagaland (13)',
      'Odisha (21)',
      'Puducherry (34)',
      'Punjab (03)',
      'Rajasthan (08)',
      'Sikkim (11)',
      'Tamil Nadu (33)',
      'Telangana (36)',
      'Tripura (16)',
      'Uttar Pradesh (09)',
      'Uttarakhand (05)',
      'West Bengal (19)',
    ]);
  });

  it('that is none of them stays what it is called', () => {
    expect(stateWithGstCode('XX')).toBe('XX');
    expect(stateWithGstCode('constructor')).toBe('constructor');
  });
});
