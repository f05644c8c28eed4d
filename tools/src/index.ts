// SPDX-License-Identifier: GPL-2.0-only
export { byteString, displayName } from './codecs/bytes.ts';
export { crc32c } from './codecs/crc32c.ts';
export { type ErofsSuperblock, readErofsSuperblock } from './codecs/erofs-superblock.ts';
export {
  type NewcArchive,
  type NewcEntry,
  type NewcHeader,
  type NewcMember,
  readNewcArchive,
  writeNewcArchive,
} from './codecs/newc.ts';
export { exitCode, Failure, type FailureKind } from './failure.ts';
export { type ErofsOptions, erofsDefaults, makeErofs } from './images/erofs.ts';
export { concatenateInitrd, type Part } from './images/initrd.ts';
export { unpackNewc } from './trees/from-newc.ts';
export { treeToNewc } from './trees/to-newc.ts';
export {
  type Attributes,
  type Device,
  type Directory,
  device,
  directory,
  type Endpoint,
  endpoint,
  type File,
  file,
  hardLinks,
  type Inode,
  lookUp,
  type Symlink,
  symlink,
  type Tree,
  tree,
  walkTree,
} from './trees/tree.ts';
