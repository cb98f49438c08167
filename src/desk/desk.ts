/** What the newsroom sees. */
export { deskFailure } from './desk-answer.ts';
export { staffDoor } from './door.ts';
export { openDesk } from './parts.ts';
export { type DeskReaders, NO_READERS, type ReaderFile, type ReaderRow } from './readers-port.ts';
export { deskRoutes } from './routes.ts';
export { isDeskPath, signInLink } from './urls.ts';
