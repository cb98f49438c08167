import type { Publication } from '#publication';
import { stateCode } from '#values/places';
import type { PaidTerm } from './agreement.ts';
import type { Buyer, InvoiceLine, Seller } from './invoice.ts';
import type { Subscription } from './subscriptions.store.ts';

/** India's code for online text: newspapers, periodicals and books. */
const ONLINE_TEXT = '998431';

/** The seller, from what the paper says of itself today. */
export function sellerOf(paper: Publication): Seller {
  return {
    name: paper.sellerName || paper.name,
    address: paper.sellerAddress,
    country: paper.sellerCountry,
    state: paper.sellerCountry === 'IN' ? stateCode(paper.sellerState) : undefined,
    gstin: paper.sellerGstin || undefined,
    vatNumber: paper.vatNumber || undefined,
    lutNumber: paper.lutNumber || undefined,
  };
}

/** A reader as a buyer. @param email undefined where the account is deleted */
export function buyerOf(
  { buyer, country, countryState }: Pick<Subscription, 'buyer' | 'country' | 'countryState'>,
  email: string | undefined,
): Buyer {
  return {
    name: buyer.name,
    address: buyer.address,
    email: email ?? '',
    country,
    state: countryState,
    gstin: buyer.gstin || undefined,
  };
}

/** What is sold with a term. @param planName of the plan that the term is of. @param seats how many readers it is for */
export function termLine(
  paperName: string,
  planName: string,
  term: Pick<PaidTerm, 'startOn' | 'endOn'>,
  amount: bigint,
  seats: number,
): InvoiceLine {
  return {
    description: `${paperName}: ${planName}${seats > 1 ? `, for ${seats} readers` : ''}`,
    serviceCode: ONLINE_TEXT,
    fromOn: term.startOn,
    untilOn: term.endOn,
    amount,
  };
}
