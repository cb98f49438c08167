import { type AddressInfo, createServer } from 'node:net';

/** Forms are taken from the paper's own origin, so its port has to be known before it is composed. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const holder = createServer().listen(0, '127.0.0.1', () => {
      const { port } = holder.address() as AddressInfo;
      holder.close(() => resolve(port));
    });
  });
}
