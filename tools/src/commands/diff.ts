// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { exitCode, Failure } from '../host/failure.ts';
import { isDirectory } from '../host/input.ts';
import { type Work, withWork } from '../host/work.ts';
import { readEverything } from '../images/root.ts';
import { type Difference, diffTrees } from '../trees/diff.ts';
import type { Tree } from '../trees/tree.ts';
import { openInitrd, standardInput } from './input.ts';
import { showProgress } from './progress.ts';
import { isTarFile, readTree } from './source.ts';

export interface DiffArguments {
  json?: boolean;
  limit?: number;
  ukiProfile?: number;
}

const signs: Record<Difference['change'], string> = { added: '+', removed: '-', changed: '~' };

/** Prints what is different in two initrds, folders or tar archives. The exit code tells scripts whether anything is. */
export async function diff(
  a: string,
  b: string,
  { json = false, limit, ukiProfile }: DiffArguments,
): Promise<void> {
  const differences = await withWork(async (work) => {
    const step = showProgress();
    const read = (path: string) => step(`Reading ${path}`, () => readAny(path, work, { limit, ukiProfile }));
    const from = await read(a);
    const to = await read(b);
    return step('Comparing', async () => diffTrees(from, to));
  });
  if (json)
    process.stdout.write(`${JSON.stringify({ a, b, differences: differences.map(shown) }, undefined, 2)}\n`);
  else process.stdout.write(differences.map(describe).join(''));
  if (differences.length > 0) process.exitCode = exitCode.answer;
}

async function readAny(
  path: string,
  work: Work,
  { limit, ukiProfile }: { limit: number | undefined; ukiProfile: number | undefined },
): Promise<Tree> {
  if (path !== standardInput && ((await isDirectory(path)) || (await isTarFile(path, work))))
    return readTree(path, work);
  const { source } = await openInitrd(path, work, ukiProfile);
  return readEverything(source, work, limit).catch((error) => {
    throw error instanceof Failure && error.kind === 'input' ? error.in(path) : error;
  });
}

function shown({ path, ...difference }: Difference): Difference {
  return { path: `/${displayName(path)}`, ...difference };
}

function describe(difference: Difference): string {
  const { path, change, aspects } = shown(difference);
  const what = aspects.map(({ name, from, to }) => `${name} ${displayName(from)} -> ${displayName(to)}`);
  return `${signs[change]} ${path}${what.length > 0 ? `: ${what.join(', ')}` : ''}\n`;
}
