/** Something that was sold for a stretch of days, as the books have it. All amounts are minor units without tax. */
export type Sold = {
  readonly net: bigint;
  /** The days that it was sold for, half open. */
  readonly fromOn: Temporal.PlainDate;
  readonly untilOn: Temporal.PlainDate;
  /** When it ended before that, because another term took its place. */
  readonly cutOn: Temporal.PlainDate | undefined;
  /** What was credited of it, and when. */
  readonly credits: readonly { readonly on: Temporal.PlainDate; readonly net: bigint }[];
};

/**
 * What of a sale is earned before a day begins: what is left of it by then, spread evenly over its days. A credit note
 * counts from the day after it was made, so that what was reported of the days before stays as it was; after the end all that is
 * left is earned, to the last minor unit.
 */
export function earnedBefore(sold: Sold, on: Temporal.PlainDate): bigint {
  const { cutOn, fromOn, untilOn } = sold;
  const isCut = cutOn !== undefined && Temporal.PlainDate.compare(cutOn, on) < 0;
  const ends = isCut && Temporal.PlainDate.compare(cutOn, untilOn) < 0 ? cutOn : untilOn;
  const days = fromOn.until(ends).days;
  const passed = Math.min(days, Math.max(0, fromOn.until(on).days));
  const left = leftBefore(sold, on);
  // What ended on the day that it began was given back whole, or was never a term.
  return days <= 0 ? left : (left * BigInt(passed)) / BigInt(days);
}

/** What was not credited of a sale before a day begins. */
export function leftBefore({ credits, net }: Sold, on: Temporal.PlainDate): bigint {
  return credits.reduce(
    (left, credit) => (Temporal.PlainDate.compare(credit.on, on) < 0 ? left - credit.net : left),
    net,
  );
}
