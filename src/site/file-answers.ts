import { openPicture } from '#media';
import { type Encoded, encoded } from '#platform/coding';
import { type Answer, type Ask, answer, SECURITY_HEADERS } from '#platform/http';
import type { Site } from './parts.ts';
import { missing } from './plain-answers.ts';
import { PICTURE_WIDTHS } from './urls.ts';

/** The name of a file changes with its content, so a browser never has to ask for it again. */
const FOR_EVER = ['Cache-Control', 'public, max-age=31536000, immutable'];

/** Built files (styles, scripts, fonts) and pictures. */
export function fileAnswers(site: Site) {
  const files = new Map<string, Answer>();
  for (const [path, { bytes, type }] of site.assets.files) {
    const body: Encoded = encoded(bytes);
    files.set(path, { status: 200, headers: ['Content-Type', type, ...FOR_EVER, ...SECURITY_HEADERS], body });
  }

  return {
    asset: (ask: Ask): Answer => files.get(ask.path) ?? missing(site, ask),

    async picture(ask: Ask): Promise<Answer> {
      const id = ask.param('picture');
      const width = PICTURE_WIDTHS.find((one) => `${one}.webp` === ask.param('file'));
      if (width === undefined || !/^[0-9a-f-]{36}$/.test(id)) return missing(site, ask);
      const bytes = await openPicture(site.objects, id, width);
      return bytes === undefined ? missing(site, ask) : answer(200, 'image/webp', bytes, FOR_EVER);
    },
  };
}
