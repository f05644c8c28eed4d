// SPDX-License-Identifier: GPL-2.0-only
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

/** Changes a field of one header of an archive, or a byte anywhere if no header can be seen. */
function damageArchive(archive: Buffer, random: Random): { bytes: Buffer; what: string } {
  const bytes = Buffer.from(archive);
  const headers: number[] = [];
  for (let at = bytes.indexOf(newcMagic); at >= 0; at = bytes.indexOf(newcMagic, at + 1)) headers.push(at);
  if (headers.length === 0 || random.percent(25)) {
    const at = random.below(bytes.length);
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

/** Puts image, archives and gaps together in some order and damages one part or one border. */
export function initrdMutant(seed: number, number: number, parts: InitrdParts): InitrdMutant {
  const random = new Random(seed, number, 1);
  const page: Gap = { align: 4096 };
  const root = random.pick(parts.roots);
  const said: string[] = [];

  const damagedImage = (target: Target): Buffer => {
    const { edits, length } = mutant(random.next(), number, [target]);
    said.push(`${target.base.name}: ${edits.map(({ what }) => what).join('; ')}`);
    return applyEdits(target.base.bytes, length, edits);
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
