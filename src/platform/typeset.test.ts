import { createRequire } from 'node:module';
import { afterEach, describe, expect, it } from 'vitest';
import { readPdf } from '../../test/pdf.ts';
import { openTypesetter, type Typeset, type Typesetter, type TypesetterOptions } from './typeset.ts';

const FACE = createRequire(import.meta.url).resolve(
  '@expo-google-fonts/libre-franklin/400Regular/LibreFranklin_400Regular.ttf',
);
const TEMPLATE = `#set document(title: "A sheet")
#set text(font: "Libre Franklin")
#sys.inputs.said`;

let open: Typesetter | undefined;
function typesetter(options: TypesetterOptions = {}, template = TEMPLATE, face = FACE): Typesetter {
  open = openTypesetter({ template, faces: [face] }, options);
  return open;
}
afterEach(() => open?.close());

const atOnce = async () => undefined;
const never = () => new Promise<void>(() => undefined);
const kinds = (all: readonly Typeset[]) => all.map(({ kind }) => kind);

function textOf(made: Typeset): string {
  if (made.kind !== 'pdf') throw new Error(`it is ${made.kind}`);
  return readPdf(made.bytes).text.trim();
}

describe('a typesetter', () => {
  it('sets one sheet after the other, each with its own text', async () => {
    const { typeset } = typesetter();
    const made = await Promise.all(['one', 'two', '#three *four*'].map((said) => typeset({ said })));
    expect(made.map(textOf)).toEqual(['one', 'two', '#three *four*']);
  });

  it('claims to be accessible only where every letter has a glyph, and is made all the same', async () => {
    const { typeset } = typesetter();
    const [whole, gap] = [await typeset({ said: 'whole' }), await typeset({ said: 'a \u0378 gap' })];
    expect(whole).toMatchObject({ kind: 'pdf', isAccessible: true });
    expect(gap).toMatchObject({ kind: 'pdf', isAccessible: false });
    expect(textOf(gap)).toMatch(/^a .* gap$/);
  });

  it('lets no more wait than it is told', async () => {
    const { typeset } = typesetter({ mostWaiting: 2 });
    const all = ['1', '2', '3', '4', '5'].map((said) => typeset({ said }));
    expect(kinds(await Promise.all(all))).toEqual(['pdf', 'pdf', 'pdf', 'busy', 'busy']);
    expect((await typeset({ said: '6' })).kind).toBe('pdf');
  });

  it('gives up a sheet that takes too long, and sets the next with another thread', async () => {
    const patience = [atOnce, never];
    const { typeset } = typesetter({ patience: () => (patience.shift() ?? never)() });
    const all = [typeset({ said: 'endless' }), typeset({ said: 'next' })];
    expect(kinds(await Promise.all(all))).toEqual(['late', 'pdf']);
  });

  it('starts no third thread while two that were given up have not ended', async () => {
    const patience = [atOnce, atOnce];
    const { typeset } = typesetter({ patience: () => (patience.shift() ?? never)() });
    const all = [await typeset({ said: '1' }), await typeset({ said: '2' }), await typeset({ said: '3' })];
    expect(kinds(all)).toEqual(['late', 'late', 'busy']);
    await expect.poll(async () => (await typeset({ said: '4' })).kind).toBe('pdf');
  });

  it('says what is wrong with a template, and goes on', async () => {
    const { typeset } = typesetter(
      {},
      '#set text(font: "Libre Franklin")\n#set document(title: "x")\n#if sys.inputs.said == "bad" { panic("no") } else [fine]',
    );
    await expect(typeset({ said: 'bad' })).rejects.toThrow(/no/);
    expect(textOf(await typeset({ said: 'good' }))).toBe('fine');
  });

  it('says so when its thread has ended, each time', async () => {
    const { typeset } = typesetter({}, TEMPLATE, '/there/is/no.ttf');
    await expect(typeset({ said: '1' })).rejects.toThrow('the typesetter has ended');
    await expect(typeset({ said: '2' })).rejects.toThrow('the typesetter has ended');
  });

  it('sets nothing any more once it is closed, and tells who waits', async () => {
    const { close, typeset } = typesetter();
    const all = [typeset({ said: '1' }), typeset({ said: '2' })];
    await close();
    expect(kinds(await Promise.all(all))).toEqual(['busy', 'busy']);
    expect((await typeset({ said: '3' })).kind).toBe('busy');
  });
});
