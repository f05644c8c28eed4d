// SPDX-License-Identifier: GPL-2.0-only

import { resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { file } from '@initoverlayfs/tools';
import { kernel } from '../host/kernels.ts';
import { cpio, initrd } from '../images/initrd.ts';
import { bootable } from '../images/tree.ts';
import { everyWay } from '../machine/steps.ts';
import { Vm } from '../machine/vm.ts';
import { readBase } from './base.ts';
import { mutantOf, readCorpus } from './corpus.ts';
import { applyEdits } from './edit.ts';
import { reasonOf } from './run.ts';

// Shows the effect of an entry of the corpus without the series: on the unpatched kernel, through a loop device.

const program = new Command('loop')
  .description(
    'Mounts an entry of the corpus from a loop device, on the unpatched kernel, and reads all of it.',
  )
  .argument('<entry>', 'the name of the entry in corpus/, without .json')
  .option('--kernel <path>', 'use another kernel')
  .parse();
const [name] = program.processedArgs;
const { kernel: given } = program.opts();

const entry = readCorpus().find((some) => some.name === name);
if (entry === undefined) throw new Error(`corpus/${name}.json: no such entry`);
const base = await readBase(entry.base);
const { length, edits } = mutantOf(entry, 0, [base]);
const image = applyEdits(base.bytes, length, edits);
const vm = Vm.start({
  name: `fuzz loop ${name}`,
  kernel: given === undefined ? await kernel('stock') : resolve(given),
  initrd: await initrd(`fuzz loop ${name}`, await cpio({ ...(await bootable()), image: file(image) })),
  append: 'oops=panic',
  steps: [
    ['loop', '/image', '/dev/loop0'],
    ['mount', '/dev/loop0', '/mnt', 'erofs', 'ro'],
    ['walk', '/mnt', everyWay],
  ],
  timeoutSeconds: 60,
});
const boot = await vm.wait();
const mounted = boot.verdict.steps[1]?.error ?? 'mounted';
process.stdout.write(`${mounted}; ${boot.outcome.kind}: ${reasonOf(boot)}\n${vm.keepInputs()}\n`);
