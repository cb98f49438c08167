/** What a reader can be given the use of. Each is a right of its own. */
export const BENEFITS = [
  'reading',
  'premium',
  'epaper',
  'archive',
  'investor',
  'ad-free',
  'newsletters',
] as const;
export type Benefit = (typeof BENEFITS)[number];

/** What can be sold. Plans of one product differ in their term and price alone. */
export const PRODUCTS = ['paper', 'gift'] as const;
export type Product = (typeof PRODUCTS)[number];

/** What each product includes: the one place that says so. A new product does not compile until it stands here. */
export const BENEFITS_OF: Readonly<Record<Product, readonly Benefit[]>> = {
  paper: BENEFITS,
  // It is somebody else's to read by: its buyer has the code and nothing more.
  gift: [],
};
