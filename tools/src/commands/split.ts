// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { Failure } from '../host/failure.ts';
import { isDirectory, readInput } from '../host/input.ts';
import { checkOutput, writeOutput } from '../host/output.ts';
import { type Pair, type SplitOptions, splitInitrd } from '../images/split.ts';
import { describeChanges, megabytes } from './describe.ts';
import { showProgress } from './progress.ts';
import { warn } from './warn.ts';

export interface SplitArguments extends Omit<SplitOptions, 'drivers'> {
  boot: string;
  inInitramfs?: boolean;
  module?: string[];
}

export async function split(
  input: string,
  { boot, inInitramfs = false, module, ...options }: SplitArguments,
): Promise<void> {
  if (inInitramfs === (options.bootfs !== undefined)) {
    throw new Failure('usage', 'say where the image will be: either --bootfs or --in-initramfs');
  }
  const step = showProgress();
  const bytes = await readInput(input);
  if (!(await isDirectory(boot).catch(() => false)))
    throw new Failure('output', 'is no folder; make it first', { file: boot });
  const pair = await splitInitrd(
    bytes,
    { ...options, ...(module === undefined ? {} : { drivers: module }) },
    step,
  ).catch((error) => {
    throw error instanceof Failure && error.kind === 'input' ? error.in(input) : error;
  });
  const initramfs = join(boot, `initramfs-${pair.release}.img`);
  const image = join(boot, pair.imageName);
  for (const output of inInitramfs ? [initramfs] : [initramfs, image]) await checkOutput(output, [input]);
  // The image comes first, because an initramfs without its image would not boot.
  if (!inInitramfs) await step(`Writing ${image}`, () => writeOutput(image, pair.image));
  await step(`Writing ${initramfs}`, () => writeOutput(initramfs, pair.initramfs));
  for (const warning of pair.warnings) warn(`${input}: ${warning}`);
  process.stdout.write(describe(input, bytes.length, pair, { initramfs, image, inInitramfs }));
}

function describe(
  input: string,
  inputSize: number,
  pair: Pair,
  { initramfs, image, inInitramfs }: { initramfs: string; image: string; inInitramfs: boolean },
): string {
  const inside = inInitramfs ? `, ${megabytes(pair.image.length)} of it the EROFS image` : '';
  const modules = pair.modules.length === 0 ? 'no modules' : `modules ${pair.modules.join(', ')}`;
  const lines = [
    ...describeChanges(pair),
    ...(inInitramfs ? [] : [`${image}: ${megabytes(pair.image.length)} (${input}: ${megabytes(inputSize)})`]),
    `${initramfs}: ${megabytes(pair.initramfs.length)}${inside}; ${modules}`,
    `settings in it: ${pair.config.trimEnd().split('\n').join(', ')}`,
  ];
  return `${lines.join('\n')}\n`;
}
