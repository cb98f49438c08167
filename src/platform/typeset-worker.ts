import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler';

/** What one thread sets all its sheets with. */
export type Setting = { readonly template: string; readonly faces: readonly string[] };
export type Question = { readonly inputs: Readonly<Record<string, string>> };
export type Answer =
  | { readonly bytes: Uint8Array; readonly isAccessible: boolean }
  | { readonly error: string };

/** Typst remembers what it has worked out. Forgotten after two more sheets, or each kept 1.4 MB. */
const SHEETS_REMEMBERED = 2;

/**
 * A sheet is large in Typst's memory and small in V8's, which therefore sees no reason to look whether it may go: they grew to
 * 250 MB before it did. Collected every so many, they stay under 15.
 */
const SHEETS_BETWEEN_COLLECTIONS = 20;
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const { faces, template } = workerData as Setting;
const compiler = NodeCompiler.create({
  fontArgs: [{ fontBlobs: faces.map((path) => readFileSync(path)) }],
});

let made = 0;
parentPort?.on('message', ({ inputs }: Question) => {
  parentPort?.postMessage(answer(inputs));
  compiler.evictCache(SHEETS_REMEMBERED);
  if (++made % SHEETS_BETWEEN_COLLECTIONS === 0) collect();
});

function answer(inputs: Question['inputs']): Answer {
  try {
    const compiled = compiler.compile({ mainFileContent: template, inputs });
    const sheet = compiled.result;
    if (sheet === null) return { error: JSON.stringify(compiled.takeError()?.shortDiagnostics) };
    try {
      return { bytes: compiler.pdf(sheet, { pdfStandard: 'ua-1' }), isAccessible: true };
    } catch {
      // PDF/UA allows no letter that no face has; a sheet with a gap in it is better than none.
      return { bytes: compiler.pdf(sheet), isAccessible: false };
    }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
