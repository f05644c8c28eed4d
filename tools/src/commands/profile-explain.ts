// SPDX-License-Identifier: GPL-2.0-only
import { displayName, megabytes } from '../codecs/bytes.ts';
import { withWork } from '../host/work.ts';
import { type Explanation, explainProfile, type HalfSizes, type MissCost } from '../images/explain.ts';
import { type ColdCompression, checkImages } from '../images/root-images.ts';
import { readProfile } from './profile-file.ts';
import { showProgress } from './progress.ts';
import { checkWhole, openView, type ViewArguments, warnOfView } from './view.ts';

export interface ExplainArguments extends Omit<ViewArguments, 'segment' | 'part'> {
  cold: ColdCompression;
  mkfs: string;
  json?: boolean;
}

/** Paths that are printed of those that name no file. */
const shown = 20;

/** Prints the sizes of the images that a profile makes of an initrd, and what it costs to read other files. */
export async function explain(
  image: string,
  list: string,
  { cold, mkfs, json = false, ...options }: ExplainArguments,
): Promise<void> {
  const profile = await readProfile(list);
  await checkImages({ profile, cold, mkfs });
  const explanation = await withWork(async (work) => {
    const viewer = await openView(image, work, options);
    const view = await viewer.read({ keep: () => true });
    warnOfView(image, view);
    checkWhole(image, view);
    return explainProfile(view.parts.main.root, profile, { cold, mkfs }, work, showProgress());
  });
  if (json) {
    const { miss, missing } = explanation;
    const { largest } = miss;
    const named = largest ? { ...miss, largest: { ...largest, path: profileLine(largest.path) } } : miss;
    const names = { miss: named, missing: missing.map(profileLine) };
    process.stdout.write(
      `${JSON.stringify({ file: image, profile: list, ...explanation, ...names }, undefined, 2)}\n`,
    );
    return;
  }
  process.stdout.write(describe(explanation, profile.length, cold));
}

/** Returns a path as a line of a profile has it, from which its bytes can be read again. */
function profileLine(path: string): string {
  return displayName(path.replaceAll('\\', '\\x5c'));
}

function describe({ hot, cold, miss, missing }: Explanation, paths: number, algorithm: string): string {
  const lines = [
    `hot   ${describeHalf(hot)} (lz4hc)`,
    `cold  ${describeHalf(cold)} (${algorithm})`,
    ...(cold.files === 0 ? [] : describeMiss(miss)),
    ...(missing.length === 0 ? [] : [`paths that name no file, ${missing.length} of ${paths}:`]),
    ...missing.slice(0, shown).map((path) => `  ${displayName(path)}`),
    ...(missing.length > shown ? [`  and ${missing.length - shown} more (--json has all)`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function describeHalf({ files, bytes, imageBytes }: HalfSizes): string {
  return `${files} ${files === 1 ? 'file' : 'files'}, ${megabytes(bytes)} -> image ${megabytes(imageBytes)}`;
}

function describeMiss({ smallBytes, smallSeconds, largest }: MissCost): string[] {
  const cost = (bytes: number, seconds: number) =>
    `${megabytes(bytes)} to decompress, ${seconds.toFixed(2)} s`;
  return [
    `a small file that the profile lacks: ${cost(smallBytes, smallSeconds)}`,
    ...(largest
      ? [`the largest, ${displayName(largest.path)}: ${cost(largest.decompressedBytes, largest.seconds)}`]
      : []),
  ];
}
