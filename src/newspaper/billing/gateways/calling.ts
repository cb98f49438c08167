import type { Called } from './gateway.ts';

/** What adapters of companies share: going on with what was answered, and doing one thing at a time. */

export function mapped<From, To>(called: Called<From>, map: (value: From) => To): Called<To> {
  return called.kind === 'ok' ? { kind: 'ok', value: map(called.value) } : called;
}

/** Goes on with what a question was answered, where it was. */
export async function goOn<From, To>(
  called: Called<From>,
  next: (value: From) => Promise<Called<To>>,
): Promise<Called<To>> {
  return called.kind === 'ok' ? next(called.value) : called;
}

/** Asks about each, and ends at the first that is not answered. */
export async function eachOf<From, To>(
  all: readonly From[],
  ask: (one: From) => Promise<Called<To>>,
): Promise<Called<To[]>> {
  const answers: To[] = [];
  for (const one of all) {
    const called = await ask(one);
    if (called.kind !== 'ok') return called;
    answers.push(called.value);
  }
  return { kind: 'ok', value: answers };
}

/** What is done for one name in this process is done one after another: the second is to find what the first has made. */
export function oneAfterAnother(): <Value>(key: string, act: () => Promise<Value>) => Promise<Value> {
  const underWay = new Map<string, Promise<unknown>>();
  return async (key, act) => {
    const before = underWay.get(key) ?? Promise.resolve();
    const own = before.then(act, act);
    underWay.set(key, own);
    try {
      return await own;
    } finally {
      if (underWay.get(key) === own) underWay.delete(key);
    }
  };
}

/** @throws RangeError when JSON's numbers do not hold it, which no price does */
export function exactNumber(minor: bigint): number {
  const number = Number(minor);
  if (!Number.isSafeInteger(number)) throw new RangeError('an amount that JSON cannot hold exactly');
  return number;
}
