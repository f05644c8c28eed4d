// SPDX-License-Identifier: GPL-2.0-only
import { Command, Option } from '@commander-js/extra-typings';
import manifest from '../../package.json' with { type: 'json' };
import { extraCompressions } from '../images/extra.ts';
import { add } from './add.ts';
import {
  collect,
  parseAbsolute,
  parseAlign,
  parseBootfs,
  parseFileSystem,
  parseOutput,
  parsePageSize,
  parseRelease,
} from './arguments.ts';
import { build } from './build.ts';
import { convert } from './convert.ts';
import { diff } from './diff.ts';
import { inspect } from './inspect.ts';
import {
  align,
  blockSize,
  cold,
  compress,
  extra,
  extraCompress,
  form,
  keepSignatures,
  keepSwitchRoot,
  keepTimes,
  limit,
  mkfs,
  modules,
  output,
  pcluster,
  profile,
  shim,
  ukiProfile,
  uuid,
  xattrs,
} from './options.ts';
import { checkPartners } from './partners.ts';
import { addProfile } from './profile.ts';
import { addReaders } from './readers.ts';
import { split } from './split.ts';
import { verify } from './verify.ts';

const { version } = manifest;

/** Makes the command line: the one source of --help, the manual page and the completions. */
export function makeProgram(): Command {
  const program = new Command('initoverlayfs')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .description('Converts, splits, builds and inspects initrd images whose root is an EROFS image.')
    .addHelpText(
      'after',
      `
Exit codes:
  0  the command has done its work
  1  the program itself has a fault; please report it
  2  the command line is wrong
  3  an input cannot be read
  4  an output cannot be written
  5  another program is missing or failed
  6  verify: does not boot in place, or with --strict has warnings; diff: something differs`,
    )
    .exitOverride()
    .hook('preAction', (_, command) => checkPartners(command))
    .configureOutput({ outputError: () => {} });

  program
    .command('convert')
    .description(
      "Turns a distribution's initramfs into an initrd with an EROFS image as root. Early-boot data stays at the front.",
    )
    .argument('<initrd>', 'initramfs of cpio archives, compressed or not, or - for standard input')
    .addOption(output())
    .addOption(compress())
    .addOption(pcluster())
    .addOption(blockSize())
    .addOption(form())
    .addOption(modules())
    .addOption(keepSignatures())
    .addOption(align())
    .addOption(uuid())
    .addOption(profile())
    .addOption(cold())
    .addOption(mkfs())
    .addOption(keepTimes())
    .addOption(extra())
    .addOption(extraCompress())
    .option('--init-shim', "execute the shim's initrd-extra before the image's own init")
    .addOption(keepSwitchRoot())
    .addOption(shim())
    .option(
      '--strict',
      'refuse to make an image that will not boot or cannot be left, and say what will end it',
    )
    .addOption(limit())
    .addOption(ukiProfile())
    .action(convert);

  program
    .command('split')
    .description(
      "Splits a distribution's initramfs into an EROFS image and a small initramfs that mounts it, for kernels without the series.",
    )
    .argument('<initrd>', 'initramfs of cpio archives, compressed or not, or - for standard input')
    .addOption(
      new Option(
        '--boot <dir>',
        'write initramfs-RELEASE.img and initoverlayfs-RELEASE.img to this folder',
      ).makeOptionMandatory(),
    )
    .addOption(
      new Option('--bootfs <tag|device>', 'look for the image on this file system').argParser(parseBootfs),
    )
    .option('--in-initramfs', 'put the image into the small initramfs, so that no disk is needed')
    .option('--bootfstype <type>', 'mount that file system as this type', parseFileSystem, 'ext4')
    .addOption(
      new Option(
        '--fs <path>',
        'look for the image at this path (default: /initoverlayfs-RELEASE.img)',
      ).argParser(parseAbsolute),
    )
    .addOption(new Option('--hint <device>', 'look at this device first').argParser(parseAbsolute))
    .option(
      '--kernel <release>',
      "name the kernel's release (default: that of --modules, of a unified kernel image, or of the modules in the initramfs)",
      parseRelease,
    )
    .option(
      '--modules <dir>',
      'take kernel modules from this folder, such as /lib/modules/RELEASE (default: the initramfs)',
    )
    .addOption(
      new Option(
        '--module <name>',
        'load this driver of the disk; may be repeated (default: the usual drivers)',
      ).argParser<string[]>(collect),
    )
    .addOption(keepSignatures())
    .addOption(
      new Option('--initramfs-compress <algorithm>', 'compress the small initramfs')
        .choices(extraCompressions)
        .default('none' as const),
    )
    .addOption(compress())
    .addOption(pcluster())
    .addOption(blockSize())
    .addOption(uuid())
    .addOption(mkfs())
    .addOption(keepTimes())
    .addOption(keepSwitchRoot())
    .addOption(shim())
    .addOption(limit())
    .addOption(ukiProfile())
    .action(split);

  program
    .command('build')
    .description('Builds an initrd from directories and archives.')
    .addOption(
      new Option(
        '--root <dir|tar>',
        'make an EROFS image of this; may be repeated, later images are stacked over earlier ones',
      )
        .argParser<string[]>(collect)
        .makeOptionMandatory(),
    )
    .option('--early <dir|cpio>', 'put this early-boot data at the front')
    .addOption(output())
    .addOption(compress())
    .addOption(pcluster())
    .addOption(blockSize())
    .addOption(form())
    .addOption(modules())
    .addOption(keepSignatures())
    .addOption(align())
    .addOption(uuid())
    .addOption(profile())
    .addOption(cold())
    .addOption(mkfs())
    .addOption(xattrs())
    .addOption(keepTimes())
    .addOption(extra())
    .addOption(extraCompress())
    .addOption(shim())
    .addOption(limit())
    .action(build);

  program
    .command('add')
    .description(
      'Adds files to an initrd as one more archive after all others. A boot configuration stays at the end. Files keep their times, whatever SOURCE_DATE_EPOCH is.',
    )
    .argument('<initrd>', 'initrd to add to, or - for standard input')
    .argument(
      '<files...>',
      'folders, tar archives and files, which become one archive; cpio archives as they are',
    )
    .option(
      '-o, --output <file>',
      'write the initrd to this file (default: in the place of the old one)',
      parseOutput,
    )
    .option('--to <path>', 'put the files below this folder of the archive, such as .extra/credentials')
    .option('--replace', 'put an archive in the place of the last one that has the same names')
    .addOption(
      new Option('--compress <algorithm>', 'compress archives that are not compressed yet')
        .choices(extraCompressions)
        .default('none' as const),
    )
    .addOption(
      new Option('--align <size>', 'start archives at a multiple of this, such as 64K')
        .argParser(parseAlign)
        .default(4096),
    )
    .addOption(limit())
    .action(add);

  program
    .command('verify')
    .description(
      'Says what a kernel will do with an initrd: whether the image is where it is used in place, what the kernel lacks, and what keeps init from starting or from leaving the root.',
    )
    .argument('<initrd>', 'initrd or unified kernel image to verify, or - for standard input')
    .option('--config <file>', "check against this configuration of a kernel; may be gzip's")
    .option(
      '--kernel <release|bzimage>',
      'check against this release, such as 6.12, or this kernel and its configuration (default: that of a unified kernel image, or else 7.3)',
    )
    .addOption(
      new Option('--page-size <size>', 'check for pages of this size, such as 64K')
        .argParser(parsePageSize)
        .default(4096),
    )
    .addOption(
      new Option('--rdinit <path>', 'take this as init, as the kernel does with rdinit=').argParser(
        parseAbsolute,
      ),
    )
    .option('--strict', 'exit with 6 for warnings, too')
    .option('--json', 'print JSON for programs')
    .addOption(limit())
    .addOption(ukiProfile())
    .action(verify);

  program
    .command('diff')
    .description(
      'Prints what is added (+), removed (-) and changed (~) from one initrd to another: content, mode, owner, device, target and extended attributes. Times are not compared.',
    )
    .argument('<a>', 'initrd, unified kernel image, folder or tar archive, or - for standard input')
    .argument('<b>', 'the same, to compare with')
    .option('--json', 'print JSON for programs')
    .addOption(limit())
    .addOption(ukiProfile())
    .action(diff);

  program
    .command('inspect')
    .description(
      'Lists the segments of an initrd, and warns of those that the kernel will reject, move or overlook.',
    )
    .argument('<initrd>', 'initrd to inspect, or - for standard input')
    .option('--json', 'print JSON for programs')
    .addOption(
      new Option(
        '--raw',
        'print a line a segment for scripts: start, end, size, compression, unpacked size and kind, with tabs between; images in an archive follow it',
      ).conflicts('json'),
    )
    .addOption(limit())
    .addOption(ukiProfile())
    .action(inspect);

  addReaders(program);
  addProfile(program);

  return program;
}
