#!/usr/bin/env -S npx tsx
// SPDX-License-Identifier: GPL-2.0-only
import { Command, CommanderError, Option } from '@commander-js/extra-typings';
import {
  collect,
  parseAbsolute,
  parseAlign,
  parseBootfs,
  parsePcluster,
  parseUuid,
} from './commands/arguments.ts';
import { build } from './commands/build.ts';
import { convert } from './commands/convert.ts';
import { inspect } from './commands/inspect.ts';
import { split } from './commands/split.ts';
import { exitCode, Failure } from './host/failure.ts';
import { erofsDefaults } from './images/erofs.ts';
import { extraCompressions } from './images/extra.ts';

const program = new Command('initoverlayfs')
  .description('Convert, split, build and inspect initrd images whose root is an EROFS image')
  .addHelpText(
    'after',
    '\nExit codes: 2 usage, 3 bad input, 4 output not written, 5 a program is missing or failed.',
  )
  .exitOverride()
  .configureOutput({ outputError: () => {} });

/** Subcommands share how an EROFS image is made; commander has no other way to share options. */
const output = () => new Option('-o, --output <file>', 'the initrd to write').makeOptionMandatory();
const compress = () =>
  new Option('--compress <algorithm>', 'none, or what mkfs.erofs -z takes').default(erofsDefaults.compress);
const pcluster = () =>
  new Option('--pcluster <bytes>', 'size of a physical cluster')
    .argParser(parsePcluster)
    .default(erofsDefaults.pcluster);
const align = () =>
  new Option('--align <bytes>', 'where EROFS images start').argParser(parseAlign).default(4096);
const uuid = () =>
  new Option('--uuid <uuid>', 'of the EROFS image (default: from its contents)').argParser(parseUuid);
const mkfs = () => new Option('--mkfs <path>', 'the mkfs.erofs to run').default(erofsDefaults.mkfs);
const extra = () =>
  new Option('--extra <dir|tar|cpio>', 'archive for behind the EROFS image; repeatable')
    .argParser(collect)
    .default([] as string[], 'none');
const extraCompress = () =>
  new Option('--extra-compress <algorithm>', 'for archives that are not compressed')
    .choices(extraCompressions)
    .default('none' as const);

const keepSwitchRoot = () =>
  new Option('--keep-switch-root', 'leave switch-root programs that refuse an overlay root');
const shim = () =>
  new Option('--shim <dir>', 'where the programs of the shim are (default: what make shim builds)');

program
  .command('convert')
  .description("turn a distribution's initramfs into early cpio + EROFS image")
  .argument('<initrd>', 'an initramfs of cpio archives, compressed or not')
  .addOption(output())
  .addOption(compress())
  .addOption(pcluster())
  .addOption(align())
  .addOption(uuid())
  .addOption(mkfs())
  .addOption(extra())
  .addOption(extraCompress())
  .option('--init-shim', "run the shim's initrd-extra before the image's init")
  .addOption(keepSwitchRoot())
  .addOption(shim())
  .action(convert);

program
  .command('split')
  .description("turn a distribution's initramfs into an EROFS image and a small initramfs that boots it")
  .argument('<initrd>', 'an initramfs of cpio archives, compressed or not')
  .addOption(
    new Option(
      '--boot <dir>',
      'where initramfs-RELEASE.img and initoverlayfs-RELEASE.img go',
    ).makeOptionMandatory(),
  )
  .addOption(
    new Option('--bootfs <tag|device>', 'the file system that the image will be on').argParser(parseBootfs),
  )
  .option('--in-initramfs', 'put the image into the small initramfs: no disk is needed')
  .option('--bootfstype <type>', 'of the file system that the image will be on', 'ext4')
  .addOption(
    new Option('--fs <path>', 'of the image there (default: /initoverlayfs-RELEASE.img)').argParser(
      parseAbsolute,
    ),
  )
  .addOption(new Option('--hint <device>', 'the device to look at first').argParser(parseAbsolute))
  .option('--kernel <release>', "the kernel's release (default: that of the modules)")
  .option('--modules <dir>', "kernel modules, as in /lib/modules/RELEASE (default: the initramfs' own)")
  .addOption(
    new Option('--module <name>', 'driver of the disk; repeatable (default: the usual ones)').argParser<
      string[]
    >(collect),
  )
  .option('--keep-signatures', 'do not strip modules: a kernel that is locked down wants their signatures')
  .addOption(
    new Option('--initramfs-compress <algorithm>', 'for the small initramfs')
      .choices(extraCompressions)
      .default('none' as const),
  )
  .addOption(compress())
  .addOption(pcluster())
  .addOption(uuid())
  .addOption(mkfs())
  .addOption(keepSwitchRoot())
  .addOption(shim())
  .action(split);

program
  .command('build')
  .description('make an initrd from directories and archives')
  .addOption(
    new Option('--root <dir|tar>', 'becomes an EROFS image; repeatable, later ones over earlier ones')
      .argParser<string[]>(collect)
      .makeOptionMandatory(),
  )
  .option('--early <dir|cpio>', 'early-boot data for the front')
  .addOption(output())
  .addOption(compress())
  .addOption(pcluster())
  .addOption(align())
  .addOption(uuid())
  .addOption(mkfs())
  .addOption(extra())
  .addOption(extraCompress())
  .action(build);

program
  .command('inspect')
  .description('list the segments of an initrd and what the kernel will make of them')
  .argument('<initrd>')
  .option('--json', 'for programs')
  .action(inspect);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** One line for what the user can change, everything there is for what only a developer can. */
function report(error: unknown): number {
  if (error instanceof Failure) {
    process.stderr.write(`initoverlayfs: ${error.message}\n`);
    return exitCode[error.kind];
  }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCode.ok;
    process.stderr.write(
      `initoverlayfs: ${error.message.replace(/^error: /, '')}; see initoverlayfs --help\n`,
    );
    return exitCode.usage;
  }
  process.stderr.write(
    `initoverlayfs: internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return exitCode.internal;
}
