import { isRole, type Person, ROLES, type Role } from '#staff';
import { signInLink } from '../desk/desk.ts';
import {
  type Command,
  type CommandContext,
  type CommandResult,
  Misuse,
  type Options,
  one,
} from './command.ts';

const WHO = 'command line';

/** Who is on the staff, and how they get in. What is done here stands in the audit trail like everything else. */
export const STAFF_COMMANDS: readonly Command[] = [
  {
    name: 'staff create',
    usage: '--email E --role ROLE [--name TEXT]',
    does: `adds somebody: ${ROLES.join(', ')}`,
    run: create,
  },
  { name: 'staff link', usage: 'EMAIL', does: 'makes a one-time link to sign in at the desk', run: link },
  { name: 'staff list', usage: '', does: 'everybody on the staff', run: list },
  {
    name: 'staff set',
    usage: 'EMAIL [--role ROLE] [--name TEXT]',
    does: 'changes a role or a name',
    run: set,
  },
  { name: 'staff disable', usage: 'EMAIL', does: 'lets somebody in no more, from now on', run: disable },
  { name: 'staff enable', usage: 'EMAIL', does: 'lets them in again', run: enable },
  {
    name: 'staff reset-second-factor',
    usage: 'EMAIL',
    does: 'takes a lost second factor away, and ends the sessions',
    run: resetSecondFactor,
  },
];

async function create({ options, paper }: CommandContext): Promise<CommandResult> {
  const { email, name } = options;
  const role = roleOf(options);
  if (typeof email !== 'string' || role === undefined)
    throw new Misuse('staff create needs --email and --role');
  const given = { email, role, ...(typeof name === 'string' ? { name } : {}) };
  return told(await paper.staff.create(given, WHO));
}

async function link({ args, config, paper }: CommandContext): Promise<CommandResult> {
  const email = one(args, 'staff link EMAIL');
  const { endsAt, token } = await paper.staff.makeLink(email, WHO);
  const url = `${config.baseUrl}${signInLink(token)}`;
  return { json: { email: email.toLowerCase(), link: url, ends_at: endsAt.toString() }, text: url };
}

async function list({ paper }: CommandContext): Promise<CommandResult> {
  const people = await paper.staff.list();
  return {
    json: people.map(personJson),
    text: people
      .map((one) =>
        [
          one.email.padEnd(36),
          one.role.padEnd(13),
          one.disabledAt !== undefined
            ? 'disabled'
            : one.hasSecondFactor
              ? 'two factors'
              : 'no second factor yet',
        ].join('  '),
      )
      .join('\n'),
  };
}

async function set({ args, options, paper }: CommandContext): Promise<CommandResult> {
  const role = roleOf(options);
  const change = {
    ...(role === undefined ? {} : { role }),
    ...(typeof options.name === 'string' ? { name: options.name } : {}),
  };
  if (Object.keys(change).length === 0) throw new Misuse('staff set needs --role, --name or both');
  return told(await paper.staff.change(one(args, 'staff set EMAIL'), change, WHO));
}

async function disable({ args, paper }: CommandContext): Promise<CommandResult> {
  return told(await paper.staff.disable(one(args, 'staff disable EMAIL'), WHO));
}

async function enable({ args, paper }: CommandContext): Promise<CommandResult> {
  return told(await paper.staff.enable(one(args, 'staff enable EMAIL'), WHO));
}

async function resetSecondFactor({ args, paper }: CommandContext): Promise<CommandResult> {
  return told(await paper.staff.resetSecondFactor(one(args, 'staff reset-second-factor EMAIL'), WHO));
}

function roleOf({ role }: Options): Role | undefined {
  if (role === undefined) return undefined;
  if (typeof role !== 'string' || !isRole(role)) throw new Misuse(`--role is one of ${ROLES.join(', ')}`);
  return role;
}

function told(person: Person): CommandResult {
  const json = personJson(person);
  return {
    json,
    text: Object.entries(json)
      .map(([key, value]) => `${key.padEnd(17)} ${value ?? ''}`)
      .join('\n'),
  };
}

function personJson(person: Person) {
  return {
    id: person.id,
    email: person.email,
    name: person.name,
    role: person.role,
    has_second_factor: person.hasSecondFactor,
    disabled_at: person.disabledAt?.toString() ?? null,
    created_at: person.createdAt.toString(),
  };
}
