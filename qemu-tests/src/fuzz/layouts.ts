// SPDX-License-Identifier: GPL-2.0-only
import { superblockFields } from '../images/superblock.ts';

// The structures of EROFS, by fs/erofs/erofs_fs.h of Linux 6.12; those of METABOX and 48BIT by that of 7.3.

/**
 * The meaning of a number in an image, which decides the other values that it could have: `block` the address of a
 * block, `nid` the number of an inode, `size` a number of bytes, `offset` bytes from somewhere, `count` the number of
 * things that follow, `flags` bits, `id` an index into some table, `bytes` no number at all.
 */
export type FieldKind = 'block' | 'nid' | 'size' | 'offset' | 'count' | 'flags' | 'id' | 'bytes';

/** The fields of a structure: name, kind, offset and size. */
export type Layout = readonly (readonly [name: string, kind: FieldKind, at: number, size: number])[];

export const superblock: Layout = [
  ['magic', 'bytes', superblockFields.magic, 4],
  ['checksum', 'bytes', superblockFields.checksum, 4],
  ['feature_compat', 'flags', superblockFields.feature_compat, 4],
  ['blkszbits', 'count', superblockFields.blkszbits, 1],
  ['sb_extslots', 'count', superblockFields.sb_extslots, 1],
  ['root_nid', 'nid', superblockFields.root_nid, 2],
  ['inos', 'count', superblockFields.inos, 8],
  ['build_time', 'count', superblockFields.build_time, 8],
  ['build_time_nsec', 'count', superblockFields.build_time_nsec, 4],
  ['blocks', 'block', superblockFields.blocks, 4],
  ['meta_blkaddr', 'block', superblockFields.meta_blkaddr, 4],
  ['xattr_blkaddr', 'block', superblockFields.xattr_blkaddr, 4],
  ['volume_name', 'bytes', superblockFields.volume_name, 16],
  ['feature_incompat', 'flags', superblockFields.feature_incompat, 4],
  ['available_compr_algs', 'flags', superblockFields.available_compr_algs, 2],
  ['extra_devices', 'count', superblockFields.extra_devices, 2],
  ['devt_slotoff', 'offset', superblockFields.devt_slotoff, 2],
  ['dirblkbits', 'count', superblockFields.dirblkbits, 1],
  ['xattr_prefix_count', 'count', superblockFields.xattr_prefix_count, 1],
  ['xattr_prefix_start', 'offset', superblockFields.xattr_prefix_start, 4],
  ['packed_nid', 'nid', superblockFields.packed_nid, 8],
  ['xattr_filter_reserved', 'flags', superblockFields.xattr_filter_reserved, 1],
];

/** Fields that are there with 48BIT. */
export const wideSuperblock: Layout = [['rootnid_8b', 'nid', superblockFields.rootnid_8b, 8]];

/** Fields that are there with METABOX. */
export const metaboxSuperblock: Layout = [['metabox_nid', 'nid', superblockFields.metabox_nid, 8]];

/** The fields of struct z_erofs_extent; a record may be shorter. */
export const extent: Layout = [
  ['plen', 'size', 0, 4],
  ['pstart_lo', 'offset', 4, 4],
  ['pstart_hi', 'offset', 8, 4],
  ['lstart_lo', 'offset', 12, 4],
  ['lstart_hi', 'offset', 16, 4],
];

export const compactInode: Layout = [
  ['i_format', 'flags', 0, 2],
  ['i_xattr_icount', 'count', 2, 2],
  ['i_mode', 'flags', 4, 2],
  ['i_nlink', 'count', 6, 2],
  ['i_size', 'size', 8, 4],
  ['i_u', 'block', 16, 4],
  ['i_ino', 'id', 20, 4],
  ['i_uid', 'id', 24, 2],
];

export const extendedInode: Layout = [
  ['i_format', 'flags', 0, 2],
  ['i_xattr_icount', 'count', 2, 2],
  ['i_mode', 'flags', 4, 2],
  ['i_size', 'size', 8, 8],
  ['i_u', 'block', 16, 4],
  ['i_ino', 'id', 20, 4],
  ['i_uid', 'id', 24, 4],
  ['i_gid', 'id', 28, 4],
  ['i_mtime', 'size', 32, 8],
  ['i_mtime_nsec', 'count', 40, 4],
  ['i_nlink', 'count', 44, 4],
];

export const dirent: Layout = [
  ['nid', 'nid', 0, 8],
  ['nameoff', 'offset', 8, 2],
  ['file_type', 'id', 10, 1],
];

export const xattrHeader: Layout = [
  ['h_name_filter', 'flags', 0, 4],
  ['h_shared_count', 'count', 4, 1],
];

export const xattrEntry: Layout = [
  ['e_name_len', 'count', 0, 1],
  ['e_name_index', 'id', 1, 1],
  ['e_value_size', 'size', 2, 2],
];

export const mapHeader: Layout = [
  ['h_fragmentoff', 'offset', 0, 4],
  ['h_idata_size', 'size', 2, 2],
  ['h_advise', 'flags', 4, 2],
  ['h_algorithmtype', 'id', 6, 1],
  ['h_clusterbits', 'count', 7, 1],
];

export const fullIndex: Layout = [
  ['di_advise', 'flags', 0, 2],
  ['di_clusterofs', 'offset', 2, 2],
  ['di_u', 'block', 4, 4],
];

export const chunkIndex: Layout = [
  ['advise', 'flags', 0, 2],
  ['device_id', 'id', 2, 2],
  ['blkaddr', 'block', 4, 4],
];
