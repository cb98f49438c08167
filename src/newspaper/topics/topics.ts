/** People, organisations and places that stories are about, and which stories belong together. */
export { type RelatedStories, rememberRelated } from './related-memory.ts';
export { findTopic, listTopics, type Topic, tagStories } from './topics.store.ts';
