/** People, organisations and places that stories are about, and which stories belong together. */
export { relatedStories } from './related.query.ts';
export { findTopic, listTopics, type Topic, tagStories } from './topics.store.ts';
