// SPDX-License-Identifier: GPL-2.0-only
import { asSource, type Source } from '../host/source.ts';
import { littleEndian, numberAt } from './bytes.ts';
import { crc32c } from './crc32c.ts';

/** Layout from fs/erofs/erofs_fs.h of Linux 6.12, the 48-bit fields from Linux 6.15. */
export const superblockOffset = 1024;
export const superblockSize = 128;
const magic = 0xe0f5e1e2;

const compatFeatures: Record<number, string> = {
  1: 'sb_chksum',
  2: 'mtime',
  4: 'xattr_filter',
  8: 'shared_ea_in_metabox',
  16: 'plain_xattr_pfx',
};

/** Names of features. Some bits have two meanings, which are supported or unsupported together. */
const incompatFeatures: Record<number, string> = {
  1: 'zero_padding',
  2: 'compr_cfgs/big_pcluster',
  4: 'chunked_file',
  8: 'compr_head2/device_table',
  16: 'ztailpacking',
  32: 'fragments/dedupe',
  64: 'xattr_prefixes',
  128: '48bit',
  256: 'metabox',
};

const checksummed = 0x1;
const bit48 = 0x80;
/** Features that Linux 6.12 supports: EROFS_ALL_FEATURE_INCOMPAT. */
const supportedIncompat = 0x7f;
/** Supported block sizes. The largest is a page, 64 KiB on some kernels and 4096 bytes on x86-64. */
const supportedBlockBits = { least: 9, most: 16, mostOnX86: 12 };

export interface ErofsSuperblock {
  /** Bytes. */
  blockSize: number;
  blocks: number;
  /** Bytes: blocks times block size. */
  size: number;
  inodes: number;
  /** Seconds since 1970. */
  buildTime: number;
  uuid: string;
  volumeName: string;
  features: string[];
  extraDevices: number;
  /** Reasons why Linux 6.12 on x86-64 refuses this superblock, a clause each. */
  problems: string[];
}

/**
 * Reads the EROFS superblock of an image that starts at `start`, or returns undefined when there is none. `problems` has
 * the results of the kernel's checks, including that of the checksum.
 */
export function readErofsSuperblock(bytes: Uint8Array | Source, start: number): ErofsSuperblock | undefined {
  const source = asSource(bytes);
  const at = start + superblockOffset;
  if (numberAt(source, at, 4) !== magic) return undefined;
  const superblock = new Uint8Array(source.read(at, superblockSize));
  if (superblock.length < superblockSize) return undefined;
  const number = (offset: number, size: number) => littleEndian(superblock, offset, size);

  const blockBits = number(12, 1);
  const compat = number(8, 4);
  const incompat = number(80, 4);
  const blocksHigh = incompat & bit48 ? number(14, 2) : 0;
  const blocks = blocksHigh * 2 ** 32 + number(36, 4);
  const blockSize = 2 ** blockBits;
  const size = blocks * blockSize;
  const extraDevices = number(86, 2);

  const problems: string[] = [];
  if (blockBits < supportedBlockBits.least || blockBits > supportedBlockBits.most) {
    problems.push(`blocks of 2^${blockBits} bytes are not supported`);
  } else if (compat & checksummed) {
    const end = start + checksummedEnd(blockSize);
    if (end > source.size) problems.push('the superblock is cut off');
    else if (checksumOf(source.read(at, end - at)) !== number(4, 4))
      problems.push('the superblock has a wrong checksum');
  }
  if (blockBits > supportedBlockBits.mostOnX86 && blockBits <= supportedBlockBits.most)
    problems.push(`blocks of ${blockSize} bytes need a kernel with pages as large`);
  const unsupported = incompat & ~supportedIncompat;
  if (unsupported) problems.push(`unsupported feature ${names(unsupported, incompatFeatures).join(', ')}`);
  if (extraDevices > 0) problems.push(`data on ${extraDevices} more device(s)`);
  if (size <= superblockOffset + superblockSize) problems.push(`an image of ${blocks} block(s)`);
  else if (start + size > source.size) {
    problems.push(`the image needs ${size} bytes and ${source.size - start} are there`);
  }

  return {
    blockSize,
    blocks,
    size,
    inodes: number(16, 6),
    buildTime: number(24, 6),
    uuid: formatUuid(superblock.subarray(48, 64)),
    volumeName: text(superblock.subarray(64, 80)),
    features: [...names(compat, compatFeatures), ...names(incompat, incompatFeatures)],
    extraDevices,
    problems,
  };
}

/** Returns the offset in an image where the bytes with the checksum end. */
function checksummedEnd(blockSize: number): number {
  return blockSize > superblockOffset ? blockSize : superblockOffset + blockSize;
}

/** Computes the checksum over the block from the magic on, with its own field as zero. */
function checksumOf(block: Uint8Array): number {
  const copy = new Uint8Array(block);
  copy.fill(0, 4, 8);
  return crc32c(copy);
}

/** Returns the range of an image that its checksum is over. @returns nothing for an image without a checksum. */
export function checksummedRange(image: Source): { start: number; end: number } | undefined {
  if ((numberAt(image, superblockOffset + 8, 4) & checksummed) === 0) return undefined;
  const blockSize = 2 ** numberAt(image, superblockOffset + 12, 1);
  return { start: superblockOffset, end: checksummedEnd(blockSize) };
}

/** Puts the checksum into the bytes that it is over. */
export function putChecksum(block: Buffer): void {
  block.writeUInt32LE(checksumOf(block), 4);
}

function names(bits: number, known: Record<number, string>): string[] {
  return Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0)
    .filter((bit) => bits & bit)
    .map((bit) => known[bit] ?? `0x${bit.toString(16)}`);
}

/** Writes 16 bytes as 8-4-4-4-12 hexadecimal digits. */
export function formatUuid(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}
