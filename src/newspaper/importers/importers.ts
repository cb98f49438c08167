/** Archives of elsewhere: files of many kinds, read and checked, turned into stories and kept. */
export { importGhost } from './import-ghost.ts';
export { importNdjson } from './import-ndjson.ts';
export { importReaders, type ReadersReport } from './import-readers.ts';
export type { ImportNote, ImportOptions, ImportReport } from './import-run.ts';
export { importWxr } from './import-wxr.ts';
export { DATE_ORDERS, type DateOrder } from './list-dates.ts';
export { type PicturePlace, pictureFolder, pictureSite } from './picture-places.ts';
export type { PicturesAhead } from './pictures-ahead.ts';
export { findRun, type KeptRun, keepRun, listRuns } from './runs.store.ts';
export { RESERVED_SLUGS } from './sections.ts';
export { type ImportSettings, type ReadRecord, readRecord, recordDigest } from './story-record.ts';
