// SPDX-License-Identifier: GPL-2.0-only
import type { NewcMember } from '@initoverlayfs/tools';
import { archiveOf, imageMembers, imageName } from '../images/image-archive.ts';
import { concatenate, type Gap } from '../images/initrd.ts';
import { applyEdits } from './edit.ts';
import { mutant, type Target } from './mutant.ts';
import { Random } from './random.ts';

/** The parts that initrds are put together from, all of them sound. */
export interface InitrdParts {
  /** Images with an init in them. */
  readonly roots: readonly Target[];
  /** Images to lie on top of one. */
  readonly uppers: readonly Target[];
  readonly early: Buffer;
  /** Archives as `make` of distributions leave them, compressed or not. */
  readonly archives: readonly Buffer[];
  /** Files beside images in an archive: an init for kernels that unpack it. */
  readonly others: readonly NewcMember[];
}

/** A damaged initrd, and a description of the damage. */
export interface InitrdMutant {
  readonly number: number;
  readonly bytes: Buffer;
  readonly what: string;
}

/**
 * The header of a newc archive, `070701` and thirteen fields of eight hexadecimal digits:
 * Documentation/driver-api/early-userspace/buffer-format.rst.
 */
const newcHeader = { magic: 6, fields: 13, digits: 8 };
const newcMagic = '070701';

/** Changes a field of one header of an archive after `from`, or a byte anywhere there if no header can be seen. */
function damageArchive(archive: Buffer, random: Random, from = 0): { bytes: Buffer; what: string } {
  const bytes = Buffer.from(archive);
  const headers: number[] = [];
  for (let at = bytes.indexOf(newcMagic, from); at >= 0; at = bytes.indexOf(newcMagic, at + 1))
    headers.push(at);
  if (headers.length === 0 || random.percent(25)) {
    const at = from + random.below(bytes.length - from);
    bytes[at] = random.below(256);
    return { bytes, what: `a byte of an archive at ${at}` };
  }
  const header = random.pick(headers);
  const field = random.below(newcHeader.fields);
  const at = header + newcHeader.magic + newcHeader.digits * field;
  const size = bytes.length.toString(16).padStart(8, '0');
  const values = [
    '00000000',
    '00000001',
    'ffffffff',
    '7fffffff',
    '80000000',
    'fffffff0',
    'zzzzzzzz',
    '0000ffff',
    size,
  ];
  const value = random.pick(values);
  bytes.write(value, at, 'latin1');
  return { bytes, what: `field ${field} of the archive header at ${header}: ${value}` };
}

/** Damages an image and says how. */
function damageImage(target: Target, number: number, random: Random): { bytes: Buffer; what: string } {
  const { edits, length } = mutant(random.next(), number, [target]);
  return {
    bytes: applyEdits(target.base.bytes, length, edits),
    what: `${target.base.name}: ${edits.map(({ what }) => what).join('; ')}`,
  };
}

/** Puts image, archives and gaps together in some order and damages one part or one border. */
export function initrdMutant(seed: number, number: number, parts: InitrdParts): InitrdMutant {
  const random = new Random(seed, number, 1);
  const page: Gap = { align: 4096 };
  const root = random.pick(parts.roots);
  const said: string[] = [];

  const damagedImage = (target: Target): Buffer => {
    const { bytes, what } = damageImage(target, number, random);
    said.push(what);
    return bytes;
  };
  const archive = (): Buffer => {
    const sound = random.pick(parts.archives);
    if (!random.percent(50)) return sound;
    const { bytes, what } = damageArchive(sound, random);
    said.push(what);
    return bytes;
  };

  const front = random.percent(50) ? [parts.early, page] : [];
  const behind = random.percent(50) ? [archive()] : [];
  const how = random.below(10);
  let list: (Buffer | Gap)[];
  if (how < 3) {
    list = [...front, damagedImage(root), ...behind];
  } else if (how < 6) {
    list = [...front, root.base.bytes, page, damagedImage(random.pick(parts.uppers)), ...behind];
  } else if (how < 8) {
    list = [...front, root.base.bytes, archive(), archive()];
  } else {
    // A border: bytes between images, or an image at an offset that is not allowed.
    const gap = random.pick([1, 2, 3, 4, 8, 511, 512, 1020, 4092, 4095]);
    const filler = random.percent(50) ? Buffer.alloc(gap) : random.bytes(gap);
    said.push(`${gap} ${filler[0] === 0 ? 'zeroes' : 'bytes'} before an image`);
    list = [...front, root.base.bytes, filler, random.pick(parts.uppers).base.bytes, ...behind];
  }
  let bytes = concatenate(list);
  if (random.percent(25)) {
    const short = random.percent(50) ? random.below(8192) : random.below(bytes.length);
    said.push(`cut off by ${short} bytes`);
    bytes = bytes.subarray(0, bytes.length - short);
  }
  return { number, bytes, what: said.join('; ') || 'nothing' };
}

/** Names that an image may not have, or that give it another meaning. */
const otherNames = [
  ...[0, 1, 2, 9].map(imageName),
  ...['root.0.erofs', 'root.10.erofs', 'root.erofs.old', 'root.', 'x'].map((name) => `kernel/initrd/${name}`),
  ...['kernel/x86/microcode/root.erofs', 'kernel/../kernel/initrd/root.erofs', '/kernel/initrd/root.erofs'],
  ...['TRAILER!!!', '', `${imageName(0)}\0`, `kernel/initrd/${'x'.repeat(5000)}`],
];

const emptyArchiveBytes = archiveOf([]).length;

/**
 * Makes an archive with images as its files and damages a header, a name or an image of it. Nothing is damaged before the
 * kernel knows that images are meant, or before the files for other kernels are there: what becomes of such an archive
 * is for the unpacker, which does not report the end of one within a file.
 */
export function archiveMutant(seed: number, number: number, parts: InitrdParts): InitrdMutant {
  const random = new Random(seed, number, 2);
  const said: string[] = [];
  const targets = [random.pick(parts.roots), ...(random.percent(50) ? [random.pick(parts.uppers)] : [])];
  const images = targets.map(({ base }) => base.bytes);
  const damage = random.pick(['image', 'name', 'header'] as const);
  const victim = random.below(images.length);
  if (damage === 'image') {
    const { bytes, what } = damageImage(targets[victim] as Target, number, random);
    said.push(what);
    images[victim] = bytes;
  }
  const members = imageMembers(images, random.pick([0, 0, 4, 512, 2052, 4092]));
  const isImage = ({ name }: NewcMember) => name === imageName(victim);
  const first = members.findIndex(({ name }) => name === imageName(0));
  if (damage === 'name') {
    const name = random.pick(otherNames);
    said.push(`the name of image ${victim}: ${name.slice(0, 40)}`);
    members.splice(members.findIndex(isImage), 1, { ...(members.find(isImage) as NewcMember), name });
  }
  const imagesFirst = random.percent(50);
  const before = imagesFirst ? members.slice(0, first) : parts.others;
  const list = imagesFirst ? [...members, ...parts.others] : [...parts.others, ...members];
  const from = archiveOf(before).length - emptyArchiveBytes;
  let archive = archiveOf(list);
  if (damage === 'header') {
    const { bytes, what } = damageArchive(archive, random, from);
    said.push(what);
    archive = bytes;
  }
  if (damage !== 'name' && random.percent(25)) {
    const rest = archive.length - from;
    const short = random.below(random.percent(50) ? Math.min(8192, rest) : rest);
    said.push(`cut off by ${short} bytes`);
    archive = archive.subarray(0, archive.length - short);
  }
  const bytes = concatenate([
    ...(random.percent(50) ? [parts.early, { align: 4096 }] : []),
    archive,
    ...(random.percent(50) ? [random.pick(parts.archives)] : []),
  ]);
  return {
    number,
    bytes,
    what: `${said.join('; ') || 'nothing'}, ${imagesFirst ? 'images first' : 'init first'}`,
  };
}
