// SPDX-License-Identifier: GPL-2.0-only

// The superblock of EROFS, by fs/erofs/erofs_fs.h of Linux 7.3. All that damages images takes its offsets from here.

/** The offset of the superblock in an image. */
export const superblockOffset = 1024;

/** The bytes of the superblock, without the extension slots. */
export const superblockSize = 128;

/** The offsets of fields in the superblock, by their names in the kernel. */
export const superblockFields = {
  magic: 0,
  checksum: 4,
  feature_compat: 8,
  blkszbits: 12,
  sb_extslots: 13,
  root_nid: 14,
  inos: 16,
  build_time: 24,
  build_time_nsec: 32,
  blocks: 36,
  meta_blkaddr: 40,
  xattr_blkaddr: 44,
  volume_name: 64,
  feature_incompat: 80,
  available_compr_algs: 84,
  extra_devices: 86,
  devt_slotoff: 88,
  dirblkbits: 90,
  xattr_prefix_count: 91,
  xattr_prefix_start: 92,
  packed_nid: 96,
  xattr_filter_reserved: 104,
  /** Used with 48BIT and METABOX, unless it is 0. */
  rootnid_8b: 112,
  /** In the first extension slot. */
  metabox_nid: 128,
} as const;

/** EROFS_SUPER_MAGIC_V1. */
export const erofsMagic = 0xe0f5e1e2;

/** Writes a field of the superblock of an image, of so many bytes. */
export function putField(
  image: Buffer,
  field: keyof typeof superblockFields,
  size: number,
  value: number,
): void {
  image.writeUIntLE(value, superblockOffset + superblockFields[field], size);
}

/** EROFS_FEATURE_INCOMPAT_*: bits of `feature_incompat`. */
export const incompatible = { configurations: 0x2, wide: 0x80, metabox: 0x100 } as const;

/** EROFS_FEATURE_COMPAT_SB_CHKSUM: the superblock has a checksum. */
export const checksumFeature = 1;
