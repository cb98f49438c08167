/** What somebody works as. */
export const ROLES = [
  'reporter',
  'editor',
  'chief-editor',
  'support',
  'circulation',
  'administrator',
] as const;
export type Role = (typeof ROLES)[number];

/** What can be allowed at the desk. */
export const PERMISSIONS = [
  /** Come in and look around. */
  'desk',
  'stories.write',
  /** Also schedule, correct and withdraw. */
  'stories.publish',
  'fronts.arrange',
  'readers.see',
  /** Send a mail again, end sessions. */
  'readers.help',
  /** Give money back, give days, end a subscription, let go on what was parked. */
  'subscriptions.change',
  /** What the paper earns, and its journal. */
  'revenue.see',
  'plans.manage',
  /** The rules about reading, meters among them. */
  'policy.manage',
  'audit.see',
  /** What imports did, with what was refused. */
  'imports.see',
  'staff.manage',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What each role may do: the one place that says so. A new role does not compile until it stands here. */
const PERMISSIONS_OF: Readonly<Record<Role, readonly Permission[]>> = {
  reporter: ['desk', 'stories.write'],
  editor: ['desk', 'stories.write', 'stories.publish', 'fronts.arrange'],
  'chief-editor': ['desk', 'stories.write', 'stories.publish', 'fronts.arrange', 'audit.see', 'imports.see'],
  support: ['desk', 'readers.see', 'readers.help'],
  circulation: [
    'desk',
    'readers.see',
    'readers.help',
    'subscriptions.change',
    'revenue.see',
    'plans.manage',
    'policy.manage',
  ],
  administrator: PERMISSIONS,
};

/** Who a route of the desk is for: whoever may do this. */
export type StaffWho = `staff:${Permission}`;

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** Whether a role may do something. A role or permission that this program does not know may nothing. */
export function may(role: Role, permission: Permission): boolean {
  return isRole(role) && PERMISSIONS_OF[role].includes(permission);
}

/** Whether a role may call a route that says who it is for. What is not plainly allowed is shut. */
export function mayEnter(role: Role, who: string): boolean {
  return who.startsWith('staff:') && may(role, who.slice('staff:'.length) as Permission);
}

/** The roles that may call a route, the least of them first: the one that may do the fewest other things. */
export function rolesFor(who: StaffWho): Role[] {
  const roles = ROLES.filter((role) => mayEnter(role, who));
  return roles.sort((a, b) => PERMISSIONS_OF[a].length - PERMISSIONS_OF[b].length);
}
