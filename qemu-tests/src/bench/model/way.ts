// SPDX-License-Identifier: GPL-2.0-only

/** The maker of the root that init finds. */
export const families = ['disk', 'cpio', 'user', 'pmem', 'kernel'] as const;
export type Family = (typeof families)[number];

interface WayFacts {
  readonly family: Family;
  /** The name in tables and charts. */
  readonly label: string;
  /** Needs a disk: its clock waits for the host, and its figures do not repeat exactly. */
  readonly disk?: true;
  /** Boots real systems, and no tree of the bench. */
  readonly systemsOnly?: true;
  /** Is compared in a plan of its own. */
  readonly ownPlan?: true;
}

/**
 * Every way from files to init's root that is compared. The order is that of tables and legends.
 *
 * `disk-ext4`: a whole system on a virtio disk without an initrd, to compare with one in the initrd.
 * `cpio-*`: unpacked by the kernel, compressed so; `cpio-built` is a distribution's initramfs as it was built, which no
 * tree of the bench has. `user-*`: storage-init in a small cpio attaches an EROFS image
 * (lz4hc, 4K pclusters), which lies in that cpio or on a disk, as a loop device or straight from its file. `pmem-*`:
 * memory that `memmap=` hides from the kernel, as /dev/pmem0, read-only root and no initrd. `kernel-*`: the series; `kernel-profile` has a
 * cold image in LZMA and a hot one in lz4hc over it, by a profile of the tree.
 */
export const ways = {
  'disk-ext4': { family: 'disk', label: 'ext4, on a disk', disk: true, systemsOnly: true },
  'cpio-built': { family: 'cpio', label: 'cpio, as built', systemsOnly: true },
  'cpio-none': { family: 'cpio', label: 'cpio, not compressed' },
  'cpio-lz4': { family: 'cpio', label: 'cpio lz4' },
  'cpio-zstd-3': { family: 'cpio', label: 'cpio zstd -3' },
  'cpio-zstd-19': { family: 'cpio', label: 'cpio zstd -19' },
  'cpio-gzip': { family: 'cpio', label: 'cpio gzip' },
  'cpio-xz': { family: 'cpio', label: 'cpio xz' },
  'user-cpio-loop': { family: 'user', label: 'user, in cpio, loop' },
  'user-cpio-file': { family: 'user', label: 'user, in cpio, file' },
  'user-disk-loop': { family: 'user', label: 'user, disk, loop', disk: true },
  'user-disk-file': { family: 'user', label: 'user, disk, file', disk: true },
  'pmem-none-dax': { family: 'pmem', label: 'pmem, EROFS plain, dax' },
  'pmem-lz4hc-4k': { family: 'pmem', label: 'pmem, EROFS lz4hc 4K' },
  'kernel-none': { family: 'kernel', label: 'kernel, EROFS plain' },
  'kernel-lz4hc-4k': { family: 'kernel', label: 'kernel, lz4hc 4K' },
  'kernel-lz4hc-16k': { family: 'kernel', label: 'kernel, lz4hc 16K' },
  'kernel-lz4hc-64k': { family: 'kernel', label: 'kernel, lz4hc 64K' },
  'kernel-zstd-64k': { family: 'kernel', label: 'kernel, zstd 64K' },
  'kernel-profile': { family: 'kernel', label: 'kernel, profile', ownPlan: true },
} as const satisfies Record<string, WayFacts>;

export type Way = keyof typeof ways;

/** All of them, in order. */
export const allWays = Object.keys(ways) as Way[];

/** The ways that boot a tree in the plans of all ways. */
export const treeWays = allWays.filter((way) => !factsOf(way).systemsOnly && !factsOf(way).ownPlan);

export function factsOf(way: Way): WayFacts {
  return ways[way];
}

/** Tells whether the kernel mounts the image of a way in place. */
export function isInPlace(way: Way): boolean {
  return factsOf(way).family === 'kernel';
}

/** The kernel that the way is measured on: what needs no series gets a kernel that has none. */
export function variantOf(way: Way): 'patched' | 'stock' {
  return isInPlace(way) ? 'patched' : 'stock';
}
