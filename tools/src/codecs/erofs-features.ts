// SPDX-License-Identifier: GPL-2.0-only
import { asSource, type Source } from '../host/source.ts';
import { numberAt } from './bytes.ts';
import { superblockOffset } from './erofs-superblock.ts';

/** Version of Linux as numbers that compare. */
export interface Version {
  major: number;
  minor: number;
}

/** Feature of an EROFS image that not every kernel has. */
export interface ErofsFeature {
  name: string;
  /** First version of Linux with it. */
  since: Version;
  /** Option of the kernel's configuration that it needs. */
  option?: string;
}

const zip = 'CONFIG_EROFS_FS_ZIP';

/** Bits of feature_incompat (fs/erofs/erofs_fs.h). Some have two meanings, which came together. */
const incompat: [bit: number, feature: ErofsFeature][] = [
  [0x1, { name: 'zero_padding', since: { major: 5, minor: 4 }, option: zip }],
  [0x2, { name: 'compr_cfgs/big_pcluster', since: { major: 5, minor: 13 }, option: zip }],
  [0x4, { name: 'chunked_file', since: { major: 5, minor: 15 } }],
  [0x8, { name: 'compr_head2/device_table', since: { major: 5, minor: 16 } }],
  [0x10, { name: 'ztailpacking', since: { major: 5, minor: 17 }, option: zip }],
  [0x20, { name: 'fragments/dedupe', since: { major: 6, minor: 1 }, option: zip }],
  [0x40, { name: 'xattr_prefixes', since: { major: 6, minor: 4 } }],
  [0x80, { name: '48bit', since: { major: 6, minor: 15 } }],
  [0x100, { name: 'metabox', since: { major: 6, minor: 17 } }],
];

/** Bits of available_compr_algs, if the image has compression configurations. */
const algorithms: [bit: number, feature: ErofsFeature][] = [
  [0x1, { name: 'lz4', since: { major: 5, minor: 4 }, option: zip }],
  [0x2, { name: 'lzma', since: { major: 5, minor: 16 }, option: 'CONFIG_EROFS_FS_ZIP_LZMA' }],
  [0x4, { name: 'deflate', since: { major: 6, minor: 6 }, option: 'CONFIG_EROFS_FS_ZIP_DEFLATE' }],
  [0x8, { name: 'zstd', since: { major: 6, minor: 10 }, option: 'CONFIG_EROFS_FS_ZIP_ZSTD' }],
];

const comprCfgs = 0x2;
/** zero_padding alone is set for images without compression as well. */
const zeroPadding = 0x1;
/** Blocks smaller than a page came later. */
export const smallBlocks: ErofsFeature = {
  name: 'blocks smaller than a page',
  since: { major: 6, minor: 4 },
};

/** Lists the features of the image at `start` that a kernel has to have, and the compression algorithms in it. */
export function erofsFeatures(bytes: Uint8Array | Source, start: number): ErofsFeature[] {
  const source = asSource(bytes);
  const at = (offset: number, size: number) => numberAt(source, start + superblockOffset + offset, size);
  const bits = at(80, 4);
  const features = incompat.filter(([bit]) => bits & bit).map(([, feature]) => feature);
  for (let bit = 0x200; bit <= 0x80000000; bit *= 2)
    if ((bits & bit) >>> 0 === bit)
      features.push({ name: `feature_incompat 0x${bit.toString(16)}`, since: unknown });
  const used = bits & comprCfgs ? at(84, 2) : bits & zeroPadding ? 0x1 : 0;
  features.push(...algorithms.filter(([bit]) => used & bit).map(([, feature]) => feature));
  return features;
}

/** A version that no kernel has yet. */
const unknown: Version = { major: Number.POSITIVE_INFINITY, minor: 0 };

/** Compares two versions: negative if the first is older. */
export function compareVersions(one: Version, other: Version): number {
  return one.major - other.major || one.minor - other.minor;
}
