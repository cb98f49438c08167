import type { Clock } from '#platform/clock';
import type { Logger } from '#platform/log';
import type { Paper } from './compose.ts';
import type { Config } from './config.ts';

/** The command was asked for in a way that it does not know. */
export class Misuse extends Error {}

export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** What a command is given. */
export type CommandContext = {
  readonly paper: Paper;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly args: readonly string[];
  readonly options: Options;
  /** Says that it is to end. */
  readonly signal: AbortSignal;
};

/** What a command says: to a person, and to a program that asked for JSON. `failure`: it did its work in part. */
export type CommandResult = { readonly text: string; readonly json: unknown; readonly failure?: string };

export type Command = {
  readonly name: string;
  readonly usage: string;
  readonly does: string;
  /** Told to stop, it ends by itself, and soon: until then it is waited for. */
  readonly endsItself?: true;
  run(context: CommandContext): Promise<CommandResult>;
};

/** What a command is given that works without a paper: before there is one, or where one may be broken. */
export type BareContext = Omit<CommandContext, 'paper' | 'clock'> & {
  readonly databaseUrl: string;
};

export type BareCommand = Omit<Command, 'run' | 'endsItself'> & {
  readonly bare: true;
  /** Told to stop, it leaves nothing half done behind. */
  run(context: BareContext): Promise<CommandResult>;
};

/** The one argument that a command takes. */
export function one(args: readonly string[], usage: string): string {
  const [arg] = args;
  if (arg === undefined || args.length > 1) throw new Misuse(`usage: ${usage}`);
  return arg;
}

/** An option that a command cannot do without. */
export function text(value: string | boolean | undefined, name: string): string {
  if (typeof value !== 'string' || value === '') throw new Misuse(`${name} is needed`);
  return value;
}

/** A whole number above nothing. */
export function count(value: string | boolean | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^[1-9]\d{0,5}$/.test(value))
    throw new Misuse(`${name} is a whole number above nothing`);
  return Number(value);
}

export function day(value: string | boolean | undefined, name: string): Temporal.PlainDate | undefined {
  if (value === undefined) return undefined;
  try {
    return Temporal.PlainDate.from(text(value, name));
  } catch {
    throw new Misuse(`${name} is a day such as 2026-12-01`);
  }
}
