// SPDX-License-Identifier: GPL-2.0-only
import { byteString, displayName } from '../codecs/bytes.ts';
import { standardOutput, writeOutput } from '../host/output.ts';
import { withWork } from '../host/work.ts';
import type { View } from '../images/view.ts';
import { sizeOf } from '../trees/content.ts';
import { dateOf } from '../trees/time.ts';
import { contentOf, type Device, type Inode } from '../trees/tree.ts';
import { base64Of, utf8Of } from './json.ts';
import {
  type Chosen,
  checkWhole,
  choose,
  openView,
  type ViewArguments,
  type Viewer,
  warnOfView,
} from './view.ts';

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
    const viewer = await openView(image, work, options);
    const view = await viewer.read();
    const chosen = choose(image, view, patterns, options);
    warnOfView(image, view);
    const text = options.json
      ? json(image, viewer, view, chosen)
      : options.long
        ? longLines(chosen)
        : names(chosen);
    await writeOutput(standardOutput, chunksOfText(text));
    checkWhole(image, view);
  });
}

/** Characters of one write. */
const writeSize = 64 * 1024;

/** Joins pieces of text, which are byte strings, to chunks. */
function* chunksOfText(pieces: Iterable<string>): Generator<Uint8Array> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < writeSize) continue;
    yield Buffer.from(text, 'latin1');
    text = '';
  }
  yield Buffer.from(text, 'latin1');
}

/** Ends a line of bytes. A terminal gets no control characters. */
function lineOf(text: string): string {
  return `${process.stdout.isTTY ? byteString(displayName(text)) : text}\n`;
}

function* names(chosen: Iterable<Chosen>): Generator<string> {
  for (const { path } of chosen) yield lineOf(path === '' ? '.' : path);
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

/** Yields mode, owner, size or device, time, part, segment and name, in columns. */
function* longLines(chosen: Iterable<Chosen>): Generator<string> {
  const widths = [0, 0, 0, 0, 0];
  for (const entry of chosen)
    for (const [column, cell] of cellsOf(entry).entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
  for (const entry of chosen) {
    const cells = cellsOf(entry).map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 2 ? cell.padStart(width) : cell.padEnd(width);
    });
    yield lineOf([...cells, describe(entry)].join('  '));
  }
}

function cellsOf({ inode, part, origin }: Chosen): string[] {
  // Years with a sign have six digits.
  const time = dateOf(inode.mtime)
    .toISOString()
    .replace(/^(.*\d)T(\d\d:\d\d).*/, '$1 $2');
  return [modeText(inode), `${inode.uid}:${inode.gid}`, sizeText(inode), time, `${part} ${origin.segment}`];
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

/** Yields what `list --json` prints, entry by entry: as a whole it would be as large as all the rest. */
function* json(
  image: string,
  { uki }: Viewer,
  { segments, notes }: View,
  chosen: Iterable<Chosen>,
): Generator<string> {
  const mark = '"entries": []';
  const whole = JSON.stringify({ file: image, uki, segments, entries: [], warnings: notes }, undefined, 2);
  // A string in it has its quotes escaped.
  const at = whole.indexOf(mark) + mark.length - 1;
  yield byteString(whole.slice(0, at));
  let between = '\n    ';
  for (const entry of chosen) {
    const text = JSON.stringify(entryOf(entry), undefined, 2).replaceAll('\n', '\n    ');
    yield byteString(between + text);
    between = ',\n    ';
  }
  yield byteString(`${between.startsWith(',') ? '\n  ' : ''}${whole.slice(at)}\n`);
}

/** Returns what is printed of an entry. What is undefined is left out. */
function entryOf({ path, part, inode, origin }: Chosen) {
  const target = inode.type === 'symlink' ? inode.target : undefined;
  const { major, minor } = 'major' in inode ? inode : ({} as Partial<Device>);
  return {
    path: utf8Of(path),
    pathBase64: base64Of(path),
    part,
    segment: origin.segment,
    type: inode.type,
    mode: inode.mode.toString(8).padStart(4, '0'),
    uid: inode.uid,
    gid: inode.gid,
    mtime: inode.mtime,
    size: inode.type === 'file' ? sizeOfInode(inode) : undefined,
    target: target === undefined ? undefined : utf8Of(target),
    targetBase64: target === undefined ? undefined : base64Of(target),
    major,
    minor,
    ...(inode.xattrs && xattrFields(inode.xattrs)),
    hides: origin.hides.length > 0 ? origin.hides : undefined,
  };
}

/** Returns values of extended attributes in base64 by their names, and by names in base64 where those are no UTF-8. */
function xattrFields(xattrs: ReadonlyMap<string, Uint8Array>) {
  const named = (nameOf: (name: string) => string | undefined) =>
    [...xattrs].flatMap(([name, value]) => {
      const shown = nameOf(name);
      return shown === undefined ? [] : [[shown, Buffer.from(value).toString('base64')] as const];
    });
  const odd = named(base64Of);
  return {
    xattrs: Object.fromEntries(named(utf8Of)),
    xattrsBase64: odd.length > 0 ? Object.fromEntries(odd) : undefined,
  };
}
