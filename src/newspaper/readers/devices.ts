import bowser from 'bowser';

/** A browser and its machine as its reader would call them, from what it says of itself: "Firefox on Linux". */
export function deviceName(userAgent: string): string {
  if (userAgent === '') return 'An unknown device';
  const { browser, os, platform } = bowser.parse(userAgent.slice(0, 500));
  const machine = platform.model ?? os.name;
  if (browser.name === undefined)
    return machine === undefined ? 'An unknown device' : `A browser on ${machine}`;
  return machine === undefined || machine === '' ? browser.name : `${browser.name} on ${machine}`;
}
