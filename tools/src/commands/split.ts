// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { megabytes } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import { isDirectory } from '../host/input.ts';
import { checkOutput, writeOutput } from '../host/output.ts';
import { chunksOf } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { layOut } from '../images/initrd.ts';
import { type PairSources, type SplitOptions, splitSource } from '../images/split.ts';
import { isRelease, timesFor } from './arguments.ts';
import { describeChanges } from './describe.ts';
import { openInitrd } from './input.ts';
import { onOneLine } from './print.ts';
import { showProgress } from './progress.ts';
import { warnAll } from './warn.ts';

export interface SplitArguments extends Omit<SplitOptions, 'drivers' | 'times'> {
  boot: string;
  inInitramfs?: boolean;
  module?: string[];
  ukiProfile?: number;
  keepTimes?: boolean;
}

export async function split(
  input: string,
  { boot, inInitramfs = false, module, ukiProfile, keepTimes = false, ...options }: SplitArguments,
): Promise<void> {
  if (inInitramfs === (options.bootfs !== undefined)) {
    throw new Failure('usage', 'say where the image will be: either --bootfs or --in-initramfs');
  }
  const times = timesFor(keepTimes);
  await withWork(async (work) => {
    const step = showProgress();
    const { source, release } = await openInitrd(input, work, ukiProfile);
    if (!(await isDirectory(boot).catch(() => false)))
      throw new Failure('output', 'is no folder; make it first', { file: boot });
    const drivers = module === undefined ? {} : { drivers: module };
    // The name of a folder of modules tells the release, too.
    const isTold = options.modules === undefined && release !== undefined && isRelease(release);
    const wanted = { ...(isTold ? { kernel: release } : {}), ...options, ...drivers, ...times };
    const pair = await splitSource(source, wanted, work, step).catch((error) => {
      throw error instanceof Failure && error.kind === 'input' ? error.in(input) : error;
    });
    const small = layOut(pair.initramfs);
    const initramfs = join(boot, `initramfs-${pair.release}.img`);
    const image = join(boot, pair.imageName);
    for (const output of inInitramfs ? [initramfs] : [initramfs, image]) await checkOutput(output, [input]);
    const made = { inputs: [input] };
    // Neither is replaced before both are written. The image comes first, because an initramfs without its image would
    // not boot.
    const before = async () => {
      if (!inInitramfs) await writeOutput(image, chunksOf(pair.image), made);
    };
    await step(`Writing to ${boot}`, () => writeOutput(initramfs, small.chunks(), { ...made, before }));
    warnAll(input, pair.warnings);
    const sizes = { input: source.size, initramfs: small.size };
    process.stdout.write(describe(input, sizes, pair, { initramfs, image, inInitramfs }));
  });
}

function describe(
  input: string,
  sizes: { input: number; initramfs: number },
  pair: PairSources,
  { initramfs, image, inInitramfs }: { initramfs: string; image: string; inInitramfs: boolean },
): string {
  const inside = inInitramfs ? `, ${megabytes(pair.image.size)} of it the EROFS image` : '';
  const modules = pair.modules.length === 0 ? 'no modules' : `modules ${pair.modules.join(', ')}`;
  const lines = [
    ...describeChanges(pair),
    ...(inInitramfs
      ? []
      : [
          `${onOneLine(image)}: ${megabytes(pair.image.size)} (${onOneLine(input)}: ${megabytes(sizes.input)})`,
        ]),
    `${onOneLine(initramfs)}: ${megabytes(sizes.initramfs)}${inside}; ${modules}`,
    `settings in it: ${pair.config.trimEnd().split('\n').join(', ')}`,
  ];
  return `${lines.join('\n')}\n`;
}
