/** Whether an address is of this machine: RFC 6761 (localhost and below), RFC 1122 (127.0.0.0/8), RFC 4291 (::1). */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(?:(?:.+\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname);
}
