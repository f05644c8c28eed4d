// SPDX-License-Identifier: GPL-2.0-only
import { Argument, type Command, Option } from '@commander-js/extra-typings';
import { collect, parseAbsolute, parseOutput } from './arguments.ts';
import { cold, limit, mkfs, output, shim, ukiProfile } from './options.ts';
import { closure } from './profile-closure.ts';
import { explain } from './profile-explain.ts';
import { merge } from './profile-merge.ts';
import { record } from './profile-record.ts';

const list = () =>
  new Option('-o, --output <file>', 'write the profile to this file (default: standard output)').argParser(
    parseOutput,
  );

/** Adds the commands that make and examine the lists for --profile. */
export function addProfile(program: Command): void {
  const profile = program
    .command('profile')
    .description('Makes and examines profiles: sorted lists of the files that a boot reads, for --profile.')
    .helpCommand(false);

  profile
    .command('record')
    .description(
      'Makes an initrd whose boot writes a profile of itself to /run/initoverlayfs/profile when it leaves its root. A hook of systemd, dracut or initramfs-tools starts the recorder, or else the switch_root of the shim.',
    )
    .argument('<initrd>', 'initramfs of cpio archives, compressed or not, or - for standard input')
    .addOption(output())
    .addOption(shim())
    .addOption(limit())
    .action(record);

  profile
    .command('closure')
    .description(
      'Lists the files that a boot from an initrd probably reads: init, the programs, units and settings that it names, and what these need. Nothing is executed.',
    )
    .argument('<initrd>', 'initrd to read, or - for standard input')
    .addOption(list())
    .addOption(
      new Option('--rdinit <path>', 'take this as init, as the kernel does with rdinit=').argParser(
        parseAbsolute,
      ),
    )
    .addOption(
      new Option(
        '--module <name>',
        'add this kernel module and those that it needs, such as the file system and the disk driver of the root; may be repeated',
      )
        .argParser(collect)
        .default([] as string[], 'none'),
    )
    .option('--kernel <release>', 'take modules of this kernel, if there are those of several')
    .addOption(limit())
    .addOption(ukiProfile())
    .action(closure);

  profile
    .command('merge')
    .description('Merges profiles, such as those of several machines, into one.')
    .argument('<lists...>', 'profiles to merge, or - for standard input')
    .addOption(list())
    .action(merge);

  profile
    .command('explain')
    .description(
      'Says how large the two images of a profile are, what it costs to read a file that the profile lacks, and which of its paths name no file.',
    )
    .argument('<initrd>', 'initrd to divide, or - for standard input')
    .addArgument(new Argument('<list>', 'profile, or - for standard input'))
    .addOption(cold())
    .addOption(mkfs())
    .option('--json', 'print JSON for programs')
    .addOption(limit())
    .addOption(ukiProfile())
    .action(explain);
}
