/** Pictures: taken in, checked, kept in the object store, and shown in a few widths. */
export { addPicture, openPicture, type PictureStore } from './pictures.ts';
