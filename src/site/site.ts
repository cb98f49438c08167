/** What readers see. */
export { type Assets, openSite, type Site, type SiteParts } from './parts.ts';
export { failure } from './plain-answers.ts';
export { siteRoutes } from './routes.ts';
export { storyPath } from './urls.ts';
