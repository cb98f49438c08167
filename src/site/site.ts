/** What readers see. */
export { type InvoicePress, openInvoicePress } from './documents/invoice-sheet.ts';
export { type Assets, openSite } from './parts.ts';
export { failure, moved, readerDoor } from './plain-answers.ts';
export { siteRoutes } from './routes.ts';
export { invitationPath, storyPath } from './urls.ts';
