/** What the newsroom sees. */
export { deskFailure } from './desk-answer.ts';
export { staffDoor } from './door.ts';
export { openDesk } from './parts.ts';
export type { DeskReaders, ReaderFile, ReaderRow } from './readers-port.ts';
export { deskRoutes } from './routes.ts';
export { isDeskPath, signInLink } from './urls.ts';
