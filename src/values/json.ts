/**
 * How JSON.stringify is to write what JSON has no type for: 64-bit numbers as numbers. Instants and days write themselves.
 */
export function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
