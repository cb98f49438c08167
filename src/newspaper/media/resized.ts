/** What WordPress adds to the name of a picture that it made smaller, `-300x200`. */
const BY_WORDPRESS = /-\d{1,5}x\d{1,5}(?=\.[a-z]{3,4}$)/i;
/** Ghost has folders for those. */
const BY_GHOST = /\/content\/images\/size\/w\d{1,5}(?:h\d{1,5})?(?:\/format\/\w{3,4})?\//;

/** Where a picture lies that a site made smaller: the address of what it was made from, by that of the smaller one. */
export function beforeResizing(address: string): string {
  return address.replace(BY_WORDPRESS, '').replace(BY_GHOST, '/content/images/');
}
