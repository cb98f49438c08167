import type { Publication } from '#publication';
import type { StaffSession } from '#staff';

/** What every page of the desk is set in. */
export type Frame = {
  readonly paper: Publication;
  /** Logical name (`desk.css`) → address of the built file. */
  readonly assets: Readonly<Record<string, string>>;
  /** Who is signed in; undefined on the way in. */
  readonly session: StaffSession | undefined;
};
