import { describe, expect, it } from 'vitest';
import { mayEnter, PERMISSIONS, type Permission, ROLES, type Role, rolesFor } from './roles.ts';

/** Who may do what, written down once more by hand: a change of one table has to be meant in the other. */
const MAY: Record<Permission, Role[]> = {
  desk: ['reporter', 'editor', 'chief-editor', 'support', 'circulation', 'administrator'],
  'stories.write': ['reporter', 'editor', 'chief-editor', 'administrator'],
  'stories.publish': ['editor', 'chief-editor', 'administrator'],
  'fronts.arrange': ['editor', 'chief-editor', 'administrator'],
  'readers.see': ['support', 'circulation', 'administrator'],
  'readers.help': ['support', 'circulation', 'administrator'],
  'subscriptions.change': ['circulation', 'administrator'],
  'revenue.see': ['circulation', 'administrator'],
  'plans.manage': ['circulation', 'administrator'],
  'policy.manage': ['circulation', 'administrator'],
  'audit.see': ['chief-editor', 'administrator'],
  'imports.see': ['chief-editor', 'administrator'],
  'staff.manage': ['administrator'],
};

describe.each(ROLES)('whoever works as %s', (role) => {
  it.each(PERMISSIONS)('enters what is for %s exactly where the table says so', (permission) => {
    expect(mayEnter(role, `staff:${permission}`)).toBe(MAY[permission].includes(role));
  });

  it.each([
    'anyone',
    'reader',
    'gateway',
    'operator',
    'staff:',
    'staff:everything',
    'staff:desk ',
    'desk',
    'staff:constructor',
  ])('enters nothing that is said to be for "%s"', (who) => {
    expect(mayEnter(role, who)).toBe(false);
  });
});

describe('a role', () => {
  it.each(['', 'constructor', 'toString', 'owner'])(
    'such as "%s", which there is not, enters nothing',
    (role) => {
      for (const permission of PERMISSIONS) expect(mayEnter(role as Role, `staff:${permission}`)).toBe(false);
    },
  );

  it('is named for a route when it may do the least of those who may enter', () => {
    expect(rolesFor('staff:desk')[0]).toBe('reporter');
    expect(rolesFor('staff:readers.help')).toEqual(['support', 'circulation', 'administrator']);
    expect(rolesFor('staff:audit.see')).toEqual(['chief-editor', 'administrator']);
    expect(rolesFor('staff:staff.manage')).toEqual(['administrator']);
  });
});
