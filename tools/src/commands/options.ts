// SPDX-License-Identifier: GPL-2.0-only
import { Option } from '@commander-js/extra-typings';
import { erofsDefaults } from '../images/erofs.ts';
import { extraCompressions } from '../images/extra.ts';
import { forms } from '../images/form.ts';
import { coldCompressions } from '../images/root-images.ts';
import { xattrChoices } from '../trees/xattrs.ts';
import {
  collect,
  parseAlign,
  parseBlockSize,
  parseOutput,
  parsePcluster,
  parseProgram,
  parseSize,
  parseUkiProfile,
  parseUuid,
} from './arguments.ts';

/** Options that several commands have. commander cannot share option objects, so each command makes its own. */
export const output = () =>
  new Option('-o, --output <file>', 'write the initrd to this file, or to standard output for -')
    .argParser(parseOutput)
    .makeOptionMandatory();
export const compress = () =>
  new Option(
    '--compress <algorithm>',
    'compress the EROFS image with this algorithm of mkfs.erofs (-z), or none',
  ).default(erofsDefaults.compress);
export const pcluster = () =>
  new Option(
    '--pcluster <size>',
    'compress into physical clusters of this size, such as 64K (default: 4096, or a block if that is larger)',
  ).argParser(parsePcluster);
export const blockSize = () =>
  new Option(
    '--block-size <size>',
    'make EROFS images with blocks of this size, such as 64K, which only kernels with pages as large can mount; needs a mkfs.erofs that makes them (default: that of mkfs.erofs)',
  ).argParser(parseBlockSize);
export const align = () =>
  new Option(
    '--align <size>',
    'start EROFS images at a multiple of this, such as 2M (default: 4096, or a block if that is larger)',
  ).argParser(parseAlign);
export const uuid = () =>
  new Option('--uuid <uuid>', 'give the EROFS image this UUID (default: a hash of its contents)').argParser(
    parseUuid,
  );
export const mkfs = () =>
  new Option('--mkfs <path>', 'run this mkfs.erofs').argParser(parseProgram).default(erofsDefaults.mkfs);
export const profile = () =>
  new Option(
    '--profile <list>',
    'make two images: one that is decompressed fast, of the files in this profile, and a small one of all others',
  ).conflicts(['compress', 'pcluster', 'uuid']);
export const cold = () =>
  new Option('--cold <algorithm>', 'compress the files that the profile does not name with this algorithm')
    .choices(coldCompressions)
    .default('lzma' as const);
export const form = () =>
  new Option(
    '--form <form>',
    'write the root as files of a cpio archive, which every kernel boots, or as raw images for kernels with the series',
  )
    .choices(forms)
    .default('archive' as const);
export const modules = () =>
  new Option(
    '--modules <dir>',
    'take erofs, overlay and loop from this folder, such as /lib/modules/RELEASE, for a kernel without the series; may be repeated',
  )
    .argParser(collect)
    .default([] as string[], 'none');
export const keepSignatures = () =>
  new Option(
    '--keep-signatures',
    'do not strip modules, so that a locked-down kernel accepts their signatures',
  );
export const extra = () =>
  new Option('--extra <dir|tar|cpio>', 'add this archive after the EROFS image; may be repeated')
    .argParser(collect)
    .default([] as string[], 'none');
export const extraCompress = () =>
  new Option('--extra-compress <algorithm>', 'compress archives of --extra that are not compressed yet')
    .choices(extraCompressions)
    .default('none' as const);

export const keepSwitchRoot = () =>
  new Option('--keep-switch-root', 'keep switch-root programs that refuse an overlay root');
export const shim = () =>
  new Option(
    '--shim <dir>',
    'take the programs of the shim from this folder (default: build them with make shim)',
  );

export const limit = () =>
  new Option(
    '--limit <size>',
    'refuse compressed archives, compressed files of EROFS images and holes of sparse files that unpack to more, such as 512M or 8G (default: no limit)',
  ).argParser(parseSize);

export const ukiProfile = () =>
  new Option(
    '--uki-profile <number>',
    'take the initrd of this profile of a unified kernel image (default: 0)',
  ).argParser(parseUkiProfile);

export const keepTimes = () =>
  new Option(
    '--keep-times',
    'keep the times of files in EROFS images, none later than SOURCE_DATE_EPOCH if that is set (default: they are kept only if it is set); archives of --extra keep theirs in any case',
  );

export const xattrs = () =>
  new Option(
    '--xattrs <which>',
    'keep these extended attributes of files: none, those of the system such as security.capability, or all, with user.*; those of the root directory itself are seen with initoverlayfs=ro only',
  )
    .choices(xattrChoices)
    .default('system' as const);
