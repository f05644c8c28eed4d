// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { file } from '@initoverlayfs/tools';
import { scaled } from '../host/variant.ts';
import { cpio, initrd } from '../images/initrd.ts';
import { bootable } from '../images/tree.ts';
import { kernelFault } from '../log/console.ts';
import { linesIn } from '../log/record.ts';
import { resultsOf } from '../machine/verdict.ts';
import { type Boot, Vm } from '../machine/vm.ts';
import type { Base } from './base.ts';
import { encodeBatch } from './batch.ts';
import type { Mutant } from './mutant.ts';
import { type Result, resultOf } from './result.ts';

export interface RunOptions {
  /** Names the artefacts. */
  readonly name: string;
  /** A kernel with CONFIG_TEST_FS_IMAGE. */
  readonly kernel: string;
  readonly bases: readonly Base[];
  /** Their numbers ascend. */
  readonly mutants: readonly Mutant[];
  /** Told how many mutants are done, now and then. */
  readonly progress?: (done: number) => void;
}

/**
 * Returns words for the kernel's command line. EROFS logs every damage, and the serial line is slow, so the console
 * gets nothing until the kernel dies, and then the whole log.
 */
function append(): string {
  return [
    'loglevel=2 log_buf_len=256K panic_print=0x20',
    'panic_on_warn=1 oops=panic sysctl.kernel.panic_on_rcu_stall=1',
    `rcupdate.rcu_cpu_stall_timeout=${Math.min(300, Math.ceil(scaled(21)))}`,
  ].join(' ');
}

/**
 * Seconds of the guest for one mutant. Most take a third of one. A damaged extent that all files share is read again
 * for every page of each of them: thousands of failures, up to six seconds of a processor with sanitizers, and a busy
 * host gives the guest only a part of that.
 */
const limit = 60;

/** Seconds of the host without a mutant done that make a hang; the agent itself gives up after three limits. */
const patience = 300;

const every = 500;

/**
 * Kills the machine when its verdict stops growing. The returned function ends the watch and tells whether it killed.
 */
function watch(vm: Vm, progress: (done: number) => void): () => boolean {
  const file = join(vm.artefacts, 'verdict.jsonl');
  let size = 0;
  let grown = performance.now();
  let killed = false;
  const timer = setInterval(() => {
    const now = existsSync(file) ? statSync(file).size : 0;
    if (now !== size) {
      grown = performance.now();
      progress(readFileSync(file, 'latin1').split('"mutant":').length - 1);
    } else if (performance.now() - grown > scaled(patience) * 1000) {
      killed = true;
      vm.kill();
    }
    size = now;
  }, every);
  return () => {
    clearInterval(timer);
    return killed;
  };
}

/** Returns the first words of the kernel about the fault that it died of. */
export function reasonOf(boot: Boot): string {
  const lines = linesIn(boot.console).filter((line) => !/Kernel panic - not syncing/.test(line));
  return kernelFault(lines.join('\n')) ?? boot.outcome.reason;
}

/**
 * Runs mutants, many in a boot. One that the kernel does not survive, or that comes to no end, gets a failure, and
 * the next boot goes on after it. Throws an Error when a boot says nothing about any mutant.
 */
export async function runMutants(options: RunOptions): Promise<Result[]> {
  const { name, kernel, bases, mutants, progress = () => {} } = options;
  const results: Result[] = [];
  if (mutants.length === 0) return results;
  const batch = file(encodeBatch(bases, mutants));
  const image = await initrd(name, await cpio({ ...(await bootable()), batch }));

  while (results.length < mutants.length) {
    const before = results.length;
    const next = mutants[before] as Mutant;
    const vm = Vm.start({
      name: `${name} from ${next.number}`,
      kernel,
      initrd: image,
      append: append(),
      steps: [['fuzz', '/batch', next.number, Math.ceil(scaled(limit))]],
      memoryMiB: 768,
      // It scans by itself after a minute and then every ten, with hundreds of failed mounts behind it.
      leaks: true,
      // The patience is the limit that counts.
      timeoutSeconds: 14_400,
    });
    const unwatch = watch(vm, (done) => progress(before + done));
    const boot = await vm.wait();
    const hung = unwatch();

    const [step] = resultsOf(boot.verdict, 'fuzz');
    results.push(...(step?.rows ?? []).filter((row) => 'mutant' in row).map(resultOf));
    const ended = step?.ended === true && step.error === undefined;
    if (ended && boot.outcome.kind === 'passed') break;
    const begun = (step?.rows.length ?? 0) > 0;
    if (
      !begun ||
      (results.length === before && !hung && (step?.ended || boot.outcome.kind === 'infrastructure'))
    ) {
      throw new Error(`${vm.name}: ${explain(boot)}\nto repeat: ${vm.keepInputs()}`);
    }
    vm.keepInputs();
    // The row of the stuck mutant is already there.
    if (step?.error === 'EDEADLK') continue;
    const failure = hung ? `hung: nothing came for ${scaled(patience)} s` : reasonOf(boot);
    const culprit = mutants[results.length];
    if (culprit !== undefined) {
      results.push({ number: culprit.number, mount: undefined, failure, used: {} });
    } else {
      // The fault came after the last mutant, which is then as good a guess as any.
      results.push({ ...(results.pop() as Result), failure });
    }
  }
  progress(results.length);
  return results;
}

function explain(boot: Boot): string {
  const error = boot.verdict.steps[0]?.error;
  if (error === 'ENOENT') return 'the kernel has no device test_fs_image (CONFIG_TEST_FS_IMAGE)';
  return error === undefined ? reasonOf(boot) : `the step failed: ${error}`;
}
