// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { artefactsRoot, projectRoot } from '../host/artefacts.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { resultsOf } from '../machine/verdict.ts';
import { form } from './forms/forms.ts';
import { benchKernels } from './forms/kernels.ts';
import { benchTree } from './forms/tree.ts';
import { access, machineOf } from './measure/machine.ts';
import { treeWays } from './model/way.ts';
import { command } from './run/command.ts';

// The kernel functions in which reading every file of the tree spends its instructions. Two boots read the tree
// different numbers of times: their difference is reading, and dropping what was read. A repeated string instruction
// counts once for each repetition: a copy of 25 MB by `rep movsb` is 25 million.

const [few, many] = [2, 6];
const megabytes = 25;
const shown = 25;

interface Symbols {
  readonly addresses: readonly bigint[];
  readonly names: readonly string[];
}

async function symbolsOf(vmlinux: string): Promise<Symbols> {
  const { stdout } = await execa('nm', ['--numeric-sort', vmlinux]);
  const text = stdout.split('\n').filter((line) => / [tTwW] /.test(line));
  return {
    addresses: text.map((line) => BigInt(`0x${line.slice(0, 16)}`)),
    names: text.map((line) => line.slice(19)),
  };
}

/** Returns the function at an address; programs are one. */
function functionAt({ addresses, names }: Symbols, address: bigint): string {
  if (address < (addresses[0] ?? 0n)) return '(programs)';
  let [low, high] = [0, addresses.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((addresses[middle] ?? 0n) <= address) low = middle;
    else high = middle - 1;
  }
  return names[low] ?? '';
}

async function plugin(): Promise<string> {
  const file = join(projectRoot, 'build/instructions.so');
  const source = join(projectRoot, 'qemu-tests/plugin/instructions.c');
  await execa('cc', ['-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', file, source], {
    stderr: 'inherit',
  });
  return file;
}

await command(async () => {
  const asked = process.argv[2] ?? 'kernel-lz4hc-4k';
  const way = treeWays.find((each) => each === asked);
  if (way === undefined) throw new RangeError(`FORM=${asked}: want one of ${treeWays.join(', ')}`);
  const machine = machineOf(await form(await benchTree(megabytes), way), await benchKernels());
  const symbols = await symbolsOf(join(dirname(machine.kernel), 'vmlinux'));
  const shared = await plugin();

  /** Boots, reads the tree so many times, and returns the instructions of each function and the seconds of a reading. */
  const boot = async (times: number) => {
    const counts = join(artefactsRoot, `profile-${way}-${times}.counts`);
    const steps = Array.from({ length: times }, (): Step[] => [access('read'), ['memory']]).flat();
    const name = `bench profile ${way} ${times}`;
    const { found: seconds } = await trial(
      { name, ...machine, plugin: `${shared},out=${counts}`, steps },
      ({ verdict }) => {
        const row = resultsOf(verdict, 'cost')[0]?.rows[0];
        if (!row?.bytes) throw new Error('nothing was read');
        return row.ns / 1e9;
      },
    );
    const functions = new Map<string, number>();
    for (const line of (await readFile(counts, 'latin1')).trim().split('\n')) {
      const [address, count] = line.split(' ');
      const name = functionAt(symbols, BigInt(`0x${address}`));
      functions.set(name, (functions.get(name) ?? 0) + Number(count));
    }
    return { functions, seconds };
  };

  const [less, more] = [await boot(few), await boot(many)];
  const rows = [...more.functions]
    .map(([name, count]) => [name, (count - (less.functions.get(name) ?? 0)) / (many - few)] as const)
    .toSorted(([, a], [, b]) => b - a);
  const million = (count: number) => (count / 1e6).toFixed(2).padStart(9);
  const all = rows.reduce((sum, [, count]) => sum + count, 0);
  console.log(
    `${way}: reading ${megabytes} MB takes ${less.seconds.toFixed(3)} s, an instruction a nanosecond`,
  );
  console.log('million instructions a reading, with dropping the caches after it:');
  for (const [name, count] of [...rows.slice(0, shown), ['all', all] as const])
    console.log(`${million(count)}  ${name}`);
  return true;
});
