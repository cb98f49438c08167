/** Pictures: taken in, checked, kept in the object store, and shown in a few widths. */
export {
  type Attachment,
  findByOldPath,
  findOrigins,
  keepAttachments,
  keepOrigin,
  listGalleries,
  type Origin,
} from './origins.store.ts';
export { pictureFormats } from './pictures.store.ts';
export { addPicture, MOST_PICTURE_BYTES, openPicture, type PictureStore } from './pictures.ts';
export { beforeResizing } from './resized.ts';
