// SPDX-License-Identifier: GPL-2.0-only
import { Command } from '@commander-js/extra-typings';
import { kernel as buildKernel } from '../host/kernels.ts';
import { tasks } from '../host/progress.ts';
import { sample } from '../images/packages.ts';
import { type Form, type Image, images } from './forms/images.ts';
import { type Decompression, decompressed, patterns } from './measure/decompressed.ts';
import { smallestMemory } from './measure/search.ts';
import { type Cost, measure } from './measure/uses.ts';
import { goals, type Memory, reached, reportText } from './report/goals.ts';

const timed: readonly Form[] = [
  'cpio none',
  'cpio lz4',
  'EROFS none',
  'EROFS lz4hc 4K',
  'EROFS lz4hc 16K',
  'EROFS lz4hc 64K',
];
const bisected: readonly Form[] = [
  'cpio none',
  'cpio lz4',
  'EROFS none',
  'EROFS lz4hc 4K',
  'EROFS lz4hc 64K',
];
/** Every pattern where there is something to reach; the others to compare with, for they take a stop per pcluster. */
const counted: Partial<Record<Form, readonly string[]>> = {
  'EROFS lz4hc 4K': ['read 64K', 'programs'],
  'EROFS lz4hc 16K': ['read 64K', 'programs'],
  'EROFS lz4hc 64K': Object.keys(patterns),
};

async function main(megabytes: number): Promise<void> {
  const kernel = await buildKernel();
  const costs: Cost[] = [];
  const memory: Memory[] = [];
  const decompressions: Decompression[] = [];
  let made: Image[] = [];
  const each = async (forms: readonly Form[], run: (image: Image) => Promise<void>) => {
    for (const image of made.filter(({ form }) => forms.includes(form))) await run(image);
  };

  await tasks([
    {
      title: `Initrds of ${megabytes} MB of this Debian's programs and libraries`,
      task: async (_, task) => {
        made = await images(await sample(megabytes), timed, (form) => {
          task.output = form;
        });
      },
    },
    {
      title: 'Guest time of booting and of using every file',
      task: (_, task) =>
        each(timed, async (image) => {
          task.output = image.form;
          costs.push(await measure(kernel, image));
        }),
    },
    {
      title: 'The smallest machine that boots each and reads it all',
      task: (_, task) =>
        each(bisected, async (image) => {
          task.output = image.form;
          memory.push({ form: image.form, mib: await smallestMemory(kernel, image) });
        }),
    },
    {
      title: 'What is decompressed',
      task: async (_, task) => {
        await each(timed, async (image) => {
          for (const pattern of counted[image.form] ?? []) {
            task.output = `${image.form}, ${pattern}`;
            decompressions.push(await decompressed(kernel, image, pattern));
          }
        });
      },
    },
  ]).run();

  const report = { costs, memory, decompressions };
  process.stdout.write(reportText(report));
  if (!goals(report).every(reached)) process.exitCode = 1;
}

const { args } = new Command('cost')
  .description('What booting, reading, mapping and splicing one tree costs in each form of initrd.')
  .argument('[megabytes]', 'size of the tree', '100')
  .parse();

try {
  await main(Number(args[0] ?? 100));
} catch (error) {
  const whole = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  process.stderr.write(`${whole instanceof Error ? whole.message : String(whole)}\n`);
  process.exitCode = 1;
}
