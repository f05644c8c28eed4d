// SPDX-License-Identifier: GPL-2.0-only
import { Argument, type Command, Option } from '@commander-js/extra-typings';
import { partNames } from '../images/view.ts';
import { parseSegment } from './arguments.ts';
import { cat } from './cat.ts';
import { extract } from './extract.ts';
import { list } from './list.ts';
import { limit, ukiProfile } from './options.ts';

const initrd = () => new Argument('<initrd>', 'initrd to read, or - for standard input');
const patterns = () =>
  new Argument(
    '[patterns...]',
    'patterns of paths: * and ? stay within a name, ** does not; a directory stands for all below it',
  );
const segment = () =>
  new Option(
    '--segment <number>',
    'show this segment alone, counted from 1 (list --long has the numbers)',
  ).argParser(parseSegment);
const part = () =>
  new Option(
    '--part <part>',
    'only files for the early boot, those of the root, or those that come beside an image',
  )
    .choices(partNames)
    .conflicts('segment');

/** Adds the commands that read files of an initrd. */
export function addReaders(program: Command): void {
  program
    .command('list')
    .description('Lists the files of an initrd as init sees them: archives and images over one another.')
    .addArgument(initrd())
    .addArgument(patterns())
    .option('--long', 'print mode, owner, size, time, part and segment, and what a file hides')
    .addOption(new Option('--json', 'print JSON for programs').conflicts('long'))
    .addOption(segment())
    .addOption(part())
    .addOption(limit())
    .addOption(ukiProfile())
    .action(list);

  program
    .command('cat')
    .description('Prints files of an initrd as init would read them. Symlinks lead inside the tree.')
    .addArgument(initrd())
    .argument('<paths...>', 'paths of files')
    .addOption(segment())
    .addOption(part())
    .addOption(limit())
    .addOption(ukiProfile())
    .action(cat);

  program
    .command('extract')
    .description(
      'Extracts the files of an initrd as init sees them into a new folder. If there is more than the root, it becomes early/, main/ and extra/. Owners, devices and most extended attributes need root.',
    )
    .addArgument(initrd())
    .addArgument(patterns())
    .option('-o, --output <dir>', 'make this folder')
    .addOption(
      new Option('--to-stdout', 'print the contents of files, one after the other').conflicts([
        'output',
        'force',
      ]),
    )
    .option('--force', 'replace the folder if it exists, with all in it')
    .addOption(segment())
    .addOption(part())
    .addOption(limit())
    .addOption(ukiProfile())
    .action(extract);
}
