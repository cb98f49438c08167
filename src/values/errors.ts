/**
 * A mistake of the caller, with a stable code that programs can rely on and a sentence that a person can act on.
 * Surfaces turn it into an error page or into RFC 9457 problem details; anything else that is thrown is our own fault.
 */
export abstract class CallerError extends Error {
  abstract readonly status: 404 | 409 | 413 | 422 | 429;
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What was asked for does not exist, or not for this caller. */
export class NotFound extends CallerError {
  readonly status = 404;
}

/** What the caller sent cannot be used; the message says what would be right. */
export class Invalid extends CallerError {
  readonly status = 422;
}

/** What the caller asks for contradicts what is already there. */
export class Conflict extends CallerError {
  readonly status = 409;
}

/** More was sent than anybody has reason to. */
export class TooLarge extends CallerError {
  readonly status = 413;
}

/** This was tried too often; `seconds` later it may be tried again. */
export class TooMany extends CallerError {
  readonly status = 429;
  readonly seconds: number;

  constructor(code: string, message: string, seconds: number) {
    super(code, message);
    this.seconds = seconds;
  }
}
