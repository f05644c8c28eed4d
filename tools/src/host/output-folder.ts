// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, renameSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from './failure.ts';
import { checkName } from './input.ts';
import { temporaryName } from './output.ts';
import { removeOnSignal, removePath } from './work.ts';

/**
 * Makes a folder whole or not at all: `fill` writes into a temporary folder beside it, which is then renamed.
 * @param options `force` replaces a folder that has entries; `inputs` are files that must stay.
 * @throws Failure (output) when it exists already or cannot be made.
 */
export async function makeOutputFolder<T>(
  folder: string,
  { force, inputs }: { force: boolean; inputs: string[] },
  fill: (root: string, scratch: string) => Promise<T>,
): Promise<T> {
  const target = checkFolder(folder, force, inputs);
  const temporary = join(dirname(target), temporaryName(target));
  const forget = removeOnSignal(temporary);
  try {
    const scratch = join(temporary, 'scratch');
    const root = join(temporary, 'root');
    onFolder(folder, () => mkdirSync(scratch, { recursive: true, mode: 0o700 }));
    const result = await fill(root, scratch);
    onFolder(folder, () => {
      if (force && existsSync(target)) replace(target, root, join(temporary, 'old'));
      else move(root, target);
    });
    return result;
  } finally {
    removePath(temporary);
    forget();
  }
}

/** Puts a folder in the place of another, which goes to `removed` when that is done, and back when it fails. */
function replace(target: string, by: string, removed: string): void {
  // Not in the temporary folder, which is removed in any case.
  const aside = join(dirname(target), temporaryName(target));
  move(target, aside);
  try {
    move(by, target);
  } catch (error) {
    move(aside, target);
    throw error;
  }
  move(aside, removed);
}

/** Renames a folder. In another parent it needs another `..`, which takes the right to write to it. */
function move(from: string, to: string): void {
  const mode = statSync(from).mode & 0o7777;
  const isLocked = (mode & 0o200) === 0;
  let place = from;
  if (isLocked) chmodSync(from, mode | 0o200);
  try {
    renameSync(from, to);
    place = to;
  } finally {
    if (isLocked) chmodSync(place, mode);
  }
}

/** Checks that a folder may be made or replaced. @returns its absolute path. */
function checkFolder(folder: string, force: boolean, inputs: string[]): string {
  checkName(folder);
  const path = resolve(folder);
  if (!existsSync(dirname(path)))
    throw new Failure('output', 'its parent does not exist; make it first', { file: folder });
  const target = join(realpathSync(dirname(path)), basename(path));
  if (!existsSync(target)) return target;
  if (!statSync(target).isDirectory())
    throw new Failure('output', 'is a file; name a folder', { file: folder });
  const real = realpathSync(target);
  const isInside = (file: string) => `${file}/`.startsWith(real === '/' ? real : `${real}/`);
  const kept = [process.cwd(), homedir(), ...inputs.filter(existsSync).map((file) => realpathSync(file))];
  const inside = kept.find(isInside);
  if (inside !== undefined && (force || readdirSync(real).length === 0))
    throw new Failure('output', `cannot be replaced, because ${inside} is in it; name another`, {
      file: folder,
    });
  if (!force && readdirSync(real).length > 0)
    throw new Failure('output', 'has files in it already; name another, or --force to replace all of it', {
      file: folder,
    });
  return real;
}

function onFolder(folder: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem =
      code === 'EACCES'
        ? 'permission denied; name one where you may write'
        : `cannot be made (${code ?? message})`;
    throw new Failure('output', problem, { file: folder });
  }
}
