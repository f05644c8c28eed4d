// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import type { Source } from '../host/source.ts';
import { alignUp, littleEndian, numberAt } from './bytes.ts';
import { superblockOffset } from './erofs-superblock.ts';
import { typeOfMode } from './file-type.ts';

/** Fields of a superblock that readers of an image need (layout: fs/erofs/erofs_fs.h of Linux 7.3). */
export interface ErofsImage {
  source: Source;
  blockSize: number;
  /** Offset of inode 0. */
  metadata: number;
  /** Offset of extended attributes that inodes share. */
  sharedXattrs: number;
  root: number;
  /** Inode with the tails of files, 0 if there is none. */
  packed: number;
  /** Bits of feature_incompat. */
  features: number;
  epoch: number;
  /** True if long prefixes of names are in the image itself, not in the packed inode. */
  plainPrefixes: boolean;
  directoryBlockSize: number;
  xattrPrefixes: { count: number; offset: number };
}

/** Layouts of data in an inode. */
export const layout = { plain: 0, compressedFull: 1, inline: 2, compressedCompact: 3, chunks: 4 } as const;

export interface ErofsInode {
  nid: number;
  layout: number;
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
  size: number;
  /** Number of its names. */
  links: number;
  /** Start block, number of blocks, device number or chunk format: the meaning depends on the rest. */
  value: number;
  /** Upper bits of a block address, if the image has addresses of 48 bits. */
  valueHigh: number;
  /** Offset of the extended attributes in the inode. */
  xattrs: number;
  xattrSize: number;
  /** Offset after the inode and its extended attributes. */
  end: number;
}

/** Bits of feature_incompat that change how an image is read. */
export const feature = {
  compressionConfigs: 0x2,
  xattrPrefixes: 0x40,
  fragments: 0x20,
  bit48: 0x80,
  metabox: 0x100,
};

/** Bytes between two inode numbers. */
const nidSize = 32;
/** Numbers from here on would be in a metabox. */
const nidLimit = 2 ** 48;

/**
 * Reads the fields of a superblock that readers of the image need.
 * @param source is the image alone.
 * @throws Failure (input) when the image has a feature that they do not know.
 */
export function openErofs(source: Source): ErofsImage {
  const number = (offset: number, size: number) => numberAt(source, superblockOffset + offset, size);
  const features = number(80, 4);
  const blockBits = number(12, 1);
  if (features & feature.metabox || features >= feature.metabox)
    throw new Failure(
      'input',
      'the EROFS image has a feature that is not known here, such as metabox; make it without',
      { offset: 0 },
    );
  if (blockBits < 9 || blockBits > 16)
    throw new Failure('input', `the EROFS image has blocks of 2^${blockBits} bytes; it is damaged`, {
      offset: 0,
    });
  const blockSize = 2 ** blockBits;
  const has48Bit = (features & feature.bit48) !== 0 && number(112, 6) !== 0;
  return {
    source,
    blockSize,
    features,
    metadata: number(40, 4) * blockSize,
    sharedXattrs: number(44, 4) * blockSize,
    root: has48Bit ? number(112, 6) : number(14, 2),
    packed: features & feature.fragments ? number(96, 6) : 0,
    epoch: number(24, 6),
    plainPrefixes: (number(8, 4) & 0x10) !== 0,
    directoryBlockSize: blockSize * 2 ** number(90, 1),
    xattrPrefixes: { count: number(91, 1), offset: number(92, 4) * 4 },
  };
}

/** Returns the offset of an inode in the image. */
function inodeAt(image: ErofsImage, nid: number): number {
  return image.metadata + nid * nidSize;
}

/** Returns the offset of the time of an inode, 8 bytes and 4 of nanoseconds, if it is of the form that has both. */
export function timeAt(image: ErofsImage, nid: number): number | undefined {
  const at = inodeAt(image, nid);
  return numberAt(image.source, at, 2) & 1 ? at + 32 : undefined;
}

/**
 * Reads an inode by its number.
 * @throws Failure (input, with the offset in the image) when it is outside of the image or of an unknown format.
 */
export function readInode(image: ErofsImage, nid: number): ErofsInode {
  const at = inodeAt(image, nid);
  const bytes = nid < nidLimit ? new Uint8Array(image.source.read(at, 64)) : new Uint8Array();
  const format = littleEndian(bytes, 0, 2);
  const isExtended = (format & 1) === 1;
  const length = isExtended ? 64 : 32;
  const damaged = (problem: string) =>
    new Failure('input', `EROFS: inode ${nid} ${problem}; the image is damaged`, { offset: at });
  if (bytes.length < length) throw damaged('is outside of the image');
  const dataLayout = (format >> 1) & 7;
  if (format >> 5 || dataLayout > layout.chunks) throw damaged('has an unknown format');
  const number = (offset: number, size: number) => littleEndian(bytes, offset, size);
  const xattrCount = number(2, 2);
  const xattrSize = xattrCount === 0 ? 0 : 12 + 4 * (xattrCount - 1);
  const size = number(8, isExtended ? 6 : 4);
  if (isExtended && number(14, 2) !== 0) throw damaged('has an impossible size');
  // Of a directory, the bit says that it has no entry `.` (EROFS_I_DOT_OMITTED_BIT, since Linux 6.15).
  const isDirectory = typeOfMode(number(4, 2)) === 'directory';
  const isOneLink = !isExtended && !isDirectory && (format & 0x10) !== 0;
  return {
    nid,
    layout: dataLayout,
    mode: number(4, 2),
    size,
    value: number(16, 4),
    valueHigh: isExtended || isOneLink ? number(6, 2) : 0,
    links: isExtended ? number(44, 4) : isOneLink ? 1 : number(6, 2),
    ...(isExtended
      ? { uid: number(24, 4), gid: number(28, 4), mtime: secondsOf(bytes.subarray(32, 40)) }
      : { uid: number(24, 2), gid: number(26, 2), mtime: image.epoch + number(12, 4) }),
    xattrs: at + length,
    xattrSize,
    end: at + length + xattrSize,
  };
}

/** Reads a signed number of 64 bits. */
function secondsOf(bytes: Uint8Array): number {
  return Number(Buffer.from(bytes).readBigInt64LE(0));
}

/** Returns the offset of the map header of a compressed inode. */
export function mapHeaderAt(inode: ErofsInode): number {
  return alignUp(inode.end, 8);
}
