// SPDX-License-Identifier: GPL-2.0-only
import type { Source } from '../host/source.ts';
import type { Step } from '../host/step.ts';
import type { Work } from '../host/work.ts';
import { sizeOf } from '../trees/content.ts';
import { filesOf } from '../trees/halves.ts';
import type { Profile } from '../trees/profile.ts';
import { contentOf, type File, type Tree, walkTree } from '../trees/tree.ts';
import type { ErofsOptions } from './erofs.ts';
import { type ColdCompression, makeRootImages, type ProfileOptions, solidCluster } from './root-images.ts';

/** Files of one of the two images. */
export interface HalfSizes {
  files: number;
  /** Bytes of the files. Hard links count once. */
  bytes: number;
  /** Bytes of the image. */
  imageBytes: number;
}

/**
 * Cost of reading cold files. Whole clusters are decompressed, which have parts of other files; `seconds` are those of a
 * core that executes an instruction in a nanosecond.
 */
export interface MissCost {
  /** For a small file. */
  smallBytes: number;
  smallSeconds: number;
  /** For the largest cold file. */
  largest?: { path: string; bytes: number; decompressedBytes: number; seconds: number };
}

/** Account of the images that a profile makes of a root. */
export interface Explanation {
  hot: HalfSizes;
  cold: HalfSizes;
  miss: MissCost;
  /** Paths of the profile that are no files, or lead to none. */
  missing: string[];
}

/** Makes both images of a root to learn their sizes. */
export async function explainProfile(
  root: Tree,
  profile: Profile,
  options: ErofsOptions & Pick<ProfileOptions, 'cold'>,
  work: Work,
  step: Step,
): Promise<Explanation> {
  const { files, unknown: missing } = filesOf(root, profile);
  // Making an image takes the contents away.
  const sizes = new Map<File, { path: string; bytes: number }>();
  for (const [path, inode] of walkTree(root))
    if (inode.type === 'file' && !sizes.has(inode))
      sizes.set(inode, { path: `/${path}`, bytes: sizeOf(contentOf(inode)) });
  const { images } = await makeRootImages([root], { ...options, profile }, work, step);
  const [coldImage, hotImage] = images as [Source, Source];
  const all = [...sizes].map(([file, size]) => ({ ...size, isHot: files.has(file) }));
  const half = (isHot: boolean, image: Source): HalfSizes => {
    const chosen = all.filter((each) => each.isHot === isHot);
    return {
      files: chosen.length,
      bytes: chosen.reduce((sum, { bytes }) => sum + bytes, 0),
      imageBytes: image.size,
    };
  };
  const [hot, cold] = [half(true, hotImage), half(false, coldImage)];
  const largest = all.filter(({ isHot }) => !isHot).sort((a, b) => b.bytes - a.bytes)[0];
  return {
    hot,
    cold,
    miss: missCost(cold, options.cold ?? 'lzma', largest && { path: largest.path, bytes: largest.bytes }),
    missing,
  };
}

/** Nanoseconds to decompress a byte, as the kernel does it from the memory of the initrd. */
const byteCost: Record<ColdCompression, number> = { lzma: 59, zstd: 20 };

/** Estimates what is decompressed: clusters of the average size, of which a file begins and ends within one. */
function missCost(
  cold: HalfSizes,
  algorithm: ColdCompression,
  largest: { path: string; bytes: number } | undefined,
): MissCost {
  const ratio = cold.bytes / cold.imageBytes;
  const smallBytes = Math.min(Math.round(solidCluster * ratio), cold.bytes);
  const secondsOf = (bytes: number) => Math.round(bytes * byteCost[algorithm] * 1e-6) / 1e3;
  const cost = { smallBytes, smallSeconds: secondsOf(smallBytes) };
  if (!largest) return cost;
  const decompressedBytes = Math.min(largest.bytes + smallBytes, cold.bytes);
  return { ...cost, largest: { ...largest, decompressedBytes, seconds: secondsOf(decompressedBytes) } };
}
