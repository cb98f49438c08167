/** Stories: what they are made of, how they are kept, and the one gate to their bodies. */
export { loadBody } from './bodies.store.ts';
export {
  type Cell,
  cutPreview,
  elementsSchema,
  elementText,
  isSafeHref,
  type List,
  type ListItem,
  MAX_LIST_DEPTH,
  type Mark,
  type Run,
  runsText,
  type StoryElement,
} from './elements.ts';
export { elementsToHtml } from './elements-html.ts';
export type { LeadPicture, PictureElsewhere } from './lead-picture.ts';
export {
  findByOldAddress,
  keepOldPlaces,
  listOldPlaces,
  type Moved,
  type OldPlace,
  oldAddress,
} from './old-addresses.store.ts';
export {
  bringPicturesHome,
  type Found,
  listWithPicturesElsewhere,
  type StoryOfElsewhere,
} from './pictures-elsewhere.store.ts';
export { findShownPicture } from './shown-pictures.store.ts';
export {
  CARD_COLUMNS,
  CARD_TABLES,
  type CardRow,
  findAuthor,
  listSections,
  listStories,
  loadPreview,
  nextLiveAt,
  storiesById,
  storiesByMonth,
  toCard,
} from './stories.store.ts';
export {
  ACCESS_LEVELS,
  type AccessLevel,
  type Named,
  type PreviewView,
  type StoryCard,
  type StoryHead,
  type StoryInput,
} from './story.ts';
export { rememberStories, type StoryMemory } from './story-memory.ts';
export { picturesIn, type WholeStory, wholeStories } from './whole-stories.store.ts';
export {
  correctStory,
  findStoryId,
  findUnedited,
  hasStories,
  type ImportOutcome,
  importStories,
  learnStatistics,
  listForStaff,
  publishStory,
  type StoryRow,
  setSection,
  setStory,
  withdrawStory,
} from './writing.store.ts';
