/** Archives of elsewhere: files of many kinds, read and checked, turned into stories and kept. */
export {
  importNdjson,
  type ImportNote,
  type ImportOptions,
  type ImportReport,
} from './import-ndjson.ts';
export { RESERVED_SLUGS } from './sections.ts';
export { type ImportSettings, readRecord, recordDigest, type ReadRecord } from './story-record.ts';
