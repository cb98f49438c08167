import { z } from 'zod';
import { isSafeHref } from './elements.ts';

const words = { alt: z.string(), caption: z.string(), credit: z.string() };
const here = z.object({ pictureId: z.string(), ...words });
const elsewhere = z.object({ url: z.string().refine(isSafeHref), ...words });

/** The picture at the head of a story, as a revision names it. */
export type LeadPicture = Readonly<z.output<typeof here>>;

/** One that lies at the site which the story came from: it is not shown before it has been brought here. */
export type PictureElsewhere = Readonly<z.output<typeof elsewhere>>;

export const leadPictureSchema: z.ZodType<LeadPicture | PictureElsewhere> = z.union([here, elsewhere]);

export function isHere(picture: LeadPicture | PictureElsewhere): picture is LeadPicture {
  return 'pictureId' in picture;
}
