import { isUtf8 } from 'node:buffer';

/** The longest sequence of UTF-8. */
const LONGEST = 4;
/** What each byte stands for. */
const WINDOWS_1252 = [
  ...new TextDecoder('windows-1252').decode(Uint8Array.from({ length: 256 }, (_, at) => at)),
];

/**
 * Decodes UTF-8 a piece at a time. Bytes that are none are read as the letters of Windows-1252 that they nearly always
 * are: old databases hold both, and old programs write the one and say the other.
 */
export class LenientUtf8 {
  /** Bytes so far that were no UTF-8. */
  mended = 0;
  /** The beginning of a sequence in which the piece before ended. */
  #held: Buffer = Buffer.alloc(0);
  #isFirst = true;

  /** @returns the text of what has come whole; a mark of the byte order at the start is none of it */
  take(piece: Buffer): string {
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    const end = wholeEnd(bytes);
    this.#held = Buffer.from(bytes.subarray(end));
    return this.#textOf(bytes.subarray(0, end));
  }

  /** @returns the rest */
  end(): string {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return this.#textOf(rest);
  }

  #textOf(bytes: Buffer): string {
    if (bytes.length === 0) return '';
    const text = isUtf8(bytes) ? bytes.toString('utf8') : this.#mend(bytes);
    const isMarked = this.#isFirst && text.startsWith('\ufeff');
    this.#isFirst = false;
    return isMarked ? text.slice(1) : text;
  }

  #mend(bytes: Buffer): string {
    const parts: string[] = [];
    let from = 0;
    for (let at = 0; at < bytes.length; ) {
      const length = sequenceAt(bytes, at);
      if (length === 0) {
        if (at > from) parts.push(bytes.toString('utf8', from, at));
        parts.push(WINDOWS_1252[bytes[at] ?? 0] ?? '');
        this.mended++;
        from = at + 1;
      }
      at += length || 1;
    }
    parts.push(bytes.toString('utf8', from));
    return parts.join('');
  }
}

/** Where the last sequence that has come whole ends. */
function wholeEnd(bytes: Buffer): number {
  for (let back = 1; back < LONGEST && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return lengthFrom(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** How long a sequence is that begins with this byte; 0 where none does. */
function lengthFrom(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** How long the sequence here is, by table 3-7 of the Unicode standard; 0 where there is none. */
function sequenceAt(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lengthFrom(lead);
  if (length < 2) return length;
  const second = bytes[at + 1] ?? 0;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let next = at + 2; next < at + length; next++) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}
