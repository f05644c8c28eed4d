// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { withWork } from '../host/work.ts';
import type { View } from '../images/view.ts';
import { sizeOf } from '../trees/content.ts';
import { dateOf } from '../trees/time.ts';
import { contentOf, type Inode } from '../trees/tree.ts';
import { type Chosen, checkWhole, choose, openView, type ViewArguments, warnOfView } from './view.ts';

export interface ListArguments extends ViewArguments {
  long?: boolean;
  json?: boolean;
}

/**
 * Lists the files of an initrd as init sees them.
 * @throws Failure (input) after printing, when the kernel would not read it to its end.
 */
export async function list(image: string, patterns: string[], options: ListArguments): Promise<void> {
  await withWork(async (work) => {
    const view = await (await openView(image, work, options)).read();
    const chosen = choose(image, view, patterns, options.part);
    warnOfView(image, view);
    if (options.json) process.stdout.write(`${JSON.stringify(report(image, view, chosen), undefined, 2)}\n`);
    else for (const line of options.long ? longLines(chosen) : chosen.map(nameOf)) print(line);
    checkWhole(image, view);
  });
}

/** Prints a line of bytes. A terminal gets no control characters. */
function print(line: string): void {
  process.stdout.write(process.stdout.isTTY ? `${displayName(line)}\n` : Buffer.from(`${line}\n`, 'latin1'));
}

function nameOf({ path }: Chosen): string {
  return path === '' ? '.' : path;
}

const typeLetters: Record<Inode['type'], string> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  block: 'b',
  character: 'c',
  fifo: 'p',
  socket: 's',
};

/** Lists mode, owner, size or device, time, part, segment and name, in columns. */
function longLines(chosen: Chosen[]): string[] {
  const rows = chosen.map((entry) => {
    const { inode, part, origin } = entry;
    const owner = `${inode.uid}:${inode.gid}`;
    // Years with a sign have six digits.
    const time = dateOf(inode.mtime)
      .toISOString()
      .replace(/^(.*\d)T(\d\d:\d\d).*/, '$1 $2');
    return [modeText(inode), owner, sizeText(inode), time, `${part} ${origin.segment}`, describe(entry)];
  });
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 2 ? cell.padStart(widths[2] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  '),
  );
}

/** Writes a mode like ls. */
export function modeText({ type, mode }: Inode): string {
  const letters = [...'rwxrwxrwx'].map((letter, index) => (mode & (0o400 >> index) ? letter : '-'));
  const special = (bit: number, at: number, letter: string) => {
    if (mode & bit) letters[at] = letters[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return typeLetters[type] + letters.join('');
}

function sizeText(inode: Inode): string {
  if ('major' in inode) return `${inode.major},${inode.minor}`;
  return String(sizeOfInode(inode));
}

function sizeOfInode(inode: Inode): number {
  if (inode.type === 'file') return sizeOf(contentOf(inode));
  return inode.type === 'symlink' ? inode.target.length : 0;
}

function describe({ path, inode, origin }: Chosen): string {
  const name = path === '' ? '.' : path;
  const target = inode.type === 'symlink' ? ` -> ${inode.target}` : '';
  const hides = origin.hides.filter(({ segment, how }) => segment !== origin.segment && how !== 'merged');
  const merged = origin.hides.filter(({ segment, how }) => segment !== origin.segment && how === 'merged');
  const notes = [
    ...hides.map(({ type, segment }) => `  [hides a ${type} of segment ${segment}]`),
    ...(merged.length > 0
      ? [`  [merged with segment ${merged.map(({ segment }) => segment).join(', ')}]`]
      : []),
  ];
  return `${name}${target}${notes.join('')}`;
}

/** Files of an initrd as `list --json` prints them. */
function report(image: string, { segments, notes }: View, chosen: Chosen[]) {
  return {
    file: image,
    segments,
    entries: chosen.map(({ path, part, inode, origin }) => ({
      ...nameFields('path', path),
      part,
      segment: origin.segment,
      type: inode.type,
      mode: inode.mode.toString(8).padStart(4, '0'),
      uid: inode.uid,
      gid: inode.gid,
      mtime: inode.mtime,
      ...(inode.type === 'file' ? { size: sizeOfInode(inode) } : {}),
      ...(inode.type === 'symlink' ? nameFields('target', inode.target) : {}),
      ...('major' in inode ? { major: inode.major, minor: inode.minor } : {}),
      ...(inode.xattrs ? { xattrs: xattrFields(inode.xattrs) } : {}),
      ...(origin.hides.length > 0 ? { hides: origin.hides } : {}),
    })),
    warnings: notes,
  };
}

/** Returns a name as text, and in base64 as well if it is no UTF-8. */
function nameFields(key: string, name: string): Record<string, string> {
  const bytes = Buffer.from(name, 'latin1');
  const text = bytes.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(bytes);
  return isText ? { [key]: text } : { [key]: text, [`${key}Base64`]: bytes.toString('base64') };
}

/** Returns values of extended attributes in base64. */
function xattrFields(xattrs: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries(
    [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  );
}
