// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, renameSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure, tooManyOpen } from './failure.ts';
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
  const target = onFolder(folder, () => checkFolder(folder, force, inputs));
  const temporary = join(dirname(target), temporaryName(target));
  const forget = removeOnSignal(temporary);
  let isMade = false;
  try {
    const scratch = join(temporary, 'scratch');
    const root = join(temporary, 'root');
    // With `recursive`, Node.js reports ENOENT for a file system that is read-only.
    onFolder(folder, () => {
      mkdirSync(temporary, { mode: 0o700 });
      isMade = true;
      mkdirSync(scratch, { mode: 0o700 });
    });
    const result = await fill(root, scratch).catch((error: NodeJS.ErrnoException) => {
      // A failed system call on something there has nothing to do with TMPDIR.
      throw String(error.path).startsWith(temporary) ? unmakable(folder, error) : error;
    });
    onFolder(folder, () => {
      if (force && existsSync(target)) replace(target, root, join(temporary, 'old'));
      else move(root, target);
    });
    return result;
  } finally {
    if (isMade) removePath(temporary);
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
  const parent = dirname(path);
  if (!existsSync(parent))
    throw new Failure('output', 'its parent does not exist; make it first', { file: folder });
  if (!statSync(parent).isDirectory())
    throw new Failure('output', 'its parent is a file; name it elsewhere', { file: folder });
  const target = join(realpathSync(parent), basename(path));
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

function onFolder<T>(folder: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof Failure ? error : unmakable(folder, error as NodeJS.ErrnoException);
  }
}

/** Describes a system call that failed on a folder or what is in it. */
function unmakable(folder: string, { code, message }: NodeJS.ErrnoException): Failure {
  const problems: Record<string, string> = {
    ...tooManyOpen,
    ENOSPC: 'no space left; free some or name a folder elsewhere',
    EDQUOT: 'the quota is used up; free some or name a folder elsewhere',
    EACCES: 'permission denied; name one where you may write',
    ENAMETOOLONG: 'its name is longer than Linux takes; name a shorter one',
    EROFS: 'the file system is read-only; name a folder elsewhere',
  };
  const problem = problems[code ?? ''] ?? `cannot be made (${code ?? message})`;
  return new Failure('output', problem, { file: folder });
}
