// SPDX-License-Identifier: GPL-2.0-only
export { byteString, displayName } from './codecs/bytes.ts';
export type { Compression } from './codecs/compression.ts';
export { crc32c } from './codecs/crc32c.ts';
export { type Elf, readElf } from './codecs/elf.ts';
export { type ErofsSuperblock, readErofsSuperblock } from './codecs/erofs-superblock.ts';
export { typeBits } from './codecs/file-type.ts';
export {
  type NewcArchive,
  type NewcEntry,
  type NewcHeader,
  type NewcMember,
  writeNewcArchive,
} from './codecs/newc.ts';
export { readNewcArchive } from './codecs/newc-archive.ts';
export { exitCode, Failure, type FailureKind } from './host/failure.ts';
export { writeOutput } from './host/output.ts';
export type { Step } from './host/step.ts';
export { type BuildOptions, buildInitrd } from './images/build.ts';
export { type Conversion, type ConvertOptions, convertInitrd } from './images/convert.ts';
export { type Distribution, readDistribution } from './images/distribution.ts';
export { type ErofsOptions, erofsDefaults, makeErofs } from './images/erofs.ts';
export { type ExtraCompression, makeExtra } from './images/extra.ts';
export type { Form } from './images/form.ts';
export { concatenateInitrd, type Part } from './images/initrd.ts';
export { coldCompressions } from './images/root-images.ts';
export { type Pair, type SplitOptions, splitInitrd } from './images/split.ts';
export { type InitrdReport, inspectInitrd, type SegmentReport } from './segments/inspect.ts';
export type {
  CpioSegment,
  ErofsSegment,
  PaddingSegment,
  Segment,
  UnknownSegment,
} from './segments/segment.ts';
export { walkSegments } from './segments/walk.ts';
export type { Warning } from './segments/warnings.ts';
export { type BootOptions, guessBootFiles } from './trees/boot-files.ts';
export { readDirectory } from './trees/from-directory.ts';
export { unpackNewc } from './trees/from-newc.ts';
export { readTar, type UnpackedTar } from './trees/from-tar.ts';
export { formatProfile, type Profile, parseProfile, profileOf } from './trees/profile.ts';
export type { Refuser } from './trees/switch-root.ts';
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
