import { findGroup, type Group, inviteToSeats, withdrawSeat } from '#billing';
import { findReader, type ReaderAccount } from '#readers';
import { emailAddress } from '#values/email-address';
import { NotFound } from '#values/errors';
import { type Command, type CommandContext, type CommandResult, Misuse } from './command.ts';

/** What whoever pays for a group, or support for them, does with its seats. */
export const SEAT_COMMANDS: readonly Command[] = [
  {
    name: 'seat list',
    usage: 'OWNER',
    does: 'who has a seat in the group that a reader looks after',
    run: list,
  },
  { name: 'seat invite', usage: 'OWNER EMAIL…', does: 'invites people to seats, by mail', run: invite },
  { name: 'seat withdraw', usage: 'OWNER EMAIL', does: 'takes a seat back', run: withdraw },
];

async function groupOf(
  context: CommandContext,
): Promise<{ owner: ReaderAccount; group: Group; rest: string[] }> {
  const { args, paper } = context;
  const [given, ...rest] = args;
  if (given === undefined) throw new Misuse('usage: seat list OWNER');
  const email = emailAddress(given);
  const owner = email === undefined ? undefined : await findReader(paper.database.db, { email });
  const group = owner && (await findGroup(paper.billing, owner.id));
  if (owner === undefined || group === undefined)
    throw new NotFound('no-group', `${given} looks after no group`);
  return { owner, group, rest };
}

async function list(context: CommandContext): Promise<CommandResult> {
  const { group } = await groupOf(context);
  const { seats, subscription } = group;
  return {
    json: {
      seats: subscription.seats,
      given: seats.map(({ email, isManager, takenAt }) => ({
        email,
        manager: isManager,
        taken_at: takenAt?.toString() ?? null,
      })),
    },
    text: [
      `${seats.length} of ${subscription.seats} seats`,
      ...seats.map(({ email, takenAt }) => `${email}  ${takenAt === undefined ? 'invited' : 'reads'}`),
    ].join('\n'),
  };
}

async function invite(context: CommandContext): Promise<CommandResult> {
  const { group, owner, rest } = await groupOf(context);
  if (rest.length === 0) throw new Misuse('usage: seat invite OWNER EMAIL…');
  const given = { groupId: group.subscription.id, by: owner.id, emails: rest };
  await inviteToSeats(context.paper.billing, given, context.clock.now());
  return list({ ...context, args: context.args.slice(0, 1) });
}

async function withdraw(context: CommandContext): Promise<CommandResult> {
  const { group, owner, rest } = await groupOf(context);
  const [email, ...more] = rest;
  if (email === undefined || more.length > 0) throw new Misuse('usage: seat withdraw OWNER EMAIL');
  const seat = group.seats.find((one) => one.email.toLowerCase() === email.toLowerCase());
  if (seat === undefined) throw new NotFound('no-seat', `${email} has no seat there`);
  const given = { groupId: group.subscription.id, seatId: seat.id, by: owner.id };
  await withdrawSeat(context.paper.billing, given, context.clock.now());
  return list({ ...context, args: context.args.slice(0, 1) });
}
