/** The code that the system or PostgreSQL gave an error; empty when there is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The one line of a program's many that says why it gave up. */
export function verdict(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const grave =
    lines.find((line) => /could not bind|No space left/.test(line)) ??
    lines.find((line) => /\b(FATAL|PANIC|error):/i.test(line)) ??
    lines.at(-1);
  return (grave ?? 'it gave no reason').replace(/^.*?\b(?:FATAL|PANIC|LOG|error):\s*/i, '').trim();
}

/** One line for a person, out of what the system says. */
export function explained(error: unknown, data: string): Error {
  const text = error instanceof Error ? error.message : String(error);
  if (codeOf(error) === 'ENOSPC' || /No space left on device/.test(text)) {
    return new Error(`the disk that holds ${data} is full: PostgreSQL cannot start`, { cause: error });
  }
  if (
    /^E(ACCES|PERM|ROFS)$/.test(codeOf(error)) ||
    /unable to open database file|readonly database/.test(text)
  ) {
    return new Error(`BROADSHEET_DATA: ${data} cannot be used by this user: ${text}`, { cause: error });
  }
  if (/^E(NOTDIR|EXIST)$/.test(codeOf(error)))
    return new Error(`BROADSHEET_DATA: ${data} is not a folder`, { cause: error });
  return error instanceof Error ? error : new Error(text);
}
