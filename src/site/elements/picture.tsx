import { PICTURE_WIDTHS, picturePath } from '../urls.ts';

/**
 * A picture of our own, in every width it is kept in. The paper's pictures are three wide and two high: width and
 * height say so, and the page keeps the place before a byte of the picture has come.
 *
 * @param props.sizes how wide it stands, as the browser needs it to choose
 */
export function OwnPicture(props: {
  pictureId: string;
  alt: string;
  sizes: string;
  loading: 'eager' | 'lazy';
}) {
  return (
    <img
      src={picturePath(props.pictureId, 800)}
      srcset={PICTURE_WIDTHS.map((width) => `${picturePath(props.pictureId, width)} ${width}w`).join(', ')}
      sizes={props.sizes}
      width={1200}
      height={800}
      alt={props.alt}
      loading={props.loading}
      decoding="async"
      {...(props.loading === 'eager' ? { fetchpriority: 'high' } : {})}
    />
  );
}
