// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { execa } from 'execa';
import { kernel } from '../host/kernels.ts';
import { consoleArguments, hostFrom } from './qemu.ts';

function file(path: string): string {
  if (!existsSync(path)) throw new InvalidArgumentError('no such file.');
  return resolve(path);
}

function mebibytes(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new InvalidArgumentError('a whole number of MiB is needed.');
  return count;
}

const program = new Command('boot')
  .description('Boots an initrd with its console on this terminal; Ctrl-A x leaves, Ctrl-A c is the monitor.')
  .argument('<initrd>', 'the initrd to boot', file)
  .option('--kernel <path>', 'boot this kernel image (default: the patched kernel, built if need be)', file)
  .option('--append <words>', 'add words to the kernel command line', '')
  .option('--memory <MiB>', 'give the machine this much memory', mebibytes, 1024)
  .option('--disk <path...>', 'attach raw disk images; nothing is written back')
  .parse();

const options = program.opts();
const [initrd] = program.processedArgs;
const [qemu = '', ...words] = consoleArguments(
  {
    kernel: options.kernel ?? (await kernel()),
    initrd,
    append: options.append,
    memoryMiB: options.memory,
    disks: options.disk?.map((disk) => resolve(disk)),
  },
  hostFrom(process.env),
);

process.stderr.write('Ctrl-A x leaves.\n');
const { exitCode, failed, shortMessage } = await execa(qemu, words, { stdio: 'inherit', reject: false });
if (failed) process.stderr.write(`${shortMessage}\n`);
process.exitCode = failed ? (exitCode ?? 1) : 0;
