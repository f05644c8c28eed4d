// SPDX-License-Identifier: GPL-2.0-only
import { rm } from 'node:fs/promises';
import { file } from '@initoverlayfs/tools';
import { membersOf } from '../images/image-archive.ts';
import { cpio, cpioCompressions, early, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise, prose } from '../images/tree.ts';
import { kernelFault } from '../log/console.ts';
import { linesIn } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { type Boot, Vm } from '../machine/vm.ts';
import { readBase, sha256 } from './base.ts';
import { archiveMutant, type InitrdParts, initrdMutant } from './initrd-mutant.ts';
import { targetOf } from './mutant.ts';

/** Panics with which a kernel without a root, or with a broken init, is right to stop. */
const stop =
  /Kernel panic - not syncing: (No working init found|Requested init .* failed|VFS: Unable to mount root fs|Attempted to kill init!)/;

/** The outcome of a boot, and the reason if it is a failure. */
export interface BootVerdict {
  readonly kind: 'booted from images' | 'fell back and booted' | 'stopped' | 'failed';
  readonly reason: string;
}

/** Judges the boot of a damaged initrd. It may stop, as long as the kernel says why and nothing worse. */
export function bootVerdict(boot: Boot): BootVerdict {
  const log = seriesLog(boot.log);
  const lines = linesIn(boot.console);
  const fault = kernelFault(lines.filter((line) => !stop.test(line)).join('\n'));
  if (fault !== undefined) return { kind: 'failed', reason: fault };
  if (boot.outcome.kind === 'timed out') return { kind: 'failed', reason: boot.outcome.reason };
  if (boot.verdict.done) {
    const kind = log.mounted === undefined ? 'fell back and booted' : 'booted from images';
    return { kind, reason: log.fallbacks[0] ?? boot.outcome.reason };
  }
  const why =
    log.fallbacks[0] ??
    lines.find((line) => /Initramfs unpacking failed|agent: /.test(line)) ??
    (log.mounted === undefined ? undefined : 'the init of the image ended');
  const panic = lines.find((line) => stop.test(line));
  if (why === undefined)
    return { kind: 'failed', reason: `stopped without a reason: ${panic ?? boot.outcome.reason}` };
  return { kind: 'stopped', reason: why };
}

async function made(): Promise<InitrdParts> {
  const paths = { ...(await bootable()), prose: file(prose(30_000, 1)), noise: file(noise(9000, 2)) };
  const root = async (compress: string) => {
    const bytes = await erofs(paths, { compress });
    return targetOf({ name: `root ${compress}`, bytes, sha256: sha256(bytes) });
  };
  const extra = { credential: file('secret\n'), more: file(prose(20_000, 3)) };
  return {
    roots: [await root('none'), await root('lz4hc')],
    uppers: await Promise.all(
      ['plain', 'chunks', 'lz4hc-64k', 'lz4hc-tail', 'zstd-64k'].map(async (name) =>
        targetOf(await readBase(name)),
      ),
    ),
    early: await early(),
    archives: await Promise.all(cpioCompressions.map((compression) => cpio(extra, compression))),
    others: await membersOf(await bootable()),
  };
}

/** A damaged inode of 150 bytes may claim 4 GiB, which takes minutes to read. The largest file of the roots is smaller. */
const mostOfAFile = 4 << 20;

export interface BootsOptions {
  readonly seed: number;
  readonly count: number;
  readonly kernel: string;
  readonly progress: (text: string) => void;
  readonly inParallel: <T>(work: readonly (() => Promise<T>)[]) => Promise<T[]>;
}

/** The two forms of an initrd, each with mutants of its own numbers. */
const forms = [
  { name: 'boot', make: initrdMutant },
  { name: 'archive boot', make: archiveMutant },
];

/**
 * Boots damaged initrds, of each form every other one, and returns lines about it for a person. The images with an init are made here, so the same
 * seed gives the same mutants only with the same compiler and mkfs.erofs; the first line has their hash.
 */
export async function bootMutants(options: BootsOptions): Promise<{ lines: string[]; failed: number }> {
  const { seed, count, kernel, progress, inParallel } = options;
  if (count === 0) return { lines: [], failed: 0 };
  const parts = await made();
  const failures: string[] = [];
  const kinds = new Map<string, number>();
  let done = 0;
  const boot = (nth: number) => async () => {
    const { name: form, make } = forms[nth % forms.length] as (typeof forms)[number];
    const number = Math.floor(nth / forms.length);
    const { bytes, what } = make(seed, number, parts);
    const name = `fuzz ${form} ${seed} ${number}`;
    const image = await initrd(name, bytes);
    const vm = Vm.start({
      name,
      kernel,
      initrd: image,
      append: 'panic_on_warn=1 oops=panic loglevel=7',
      steps: [['walk', '/', 'rpm', mostOfAFile], ['memory']],
      memoryMiB: 768,
      timeoutSeconds: 180,
    });
    const verdict = bootVerdict(await vm.wait());
    kinds.set(verdict.kind, (kinds.get(verdict.kind) ?? 0) + 1);
    if (verdict.kind === 'failed')
      failures.push(`failed: ${form} ${number}: ${verdict.reason} (${what}); ${vm.keepInputs()}`);
    await rm(image);
    progress(`booted: ${++done} of ${count}`);
  };
  await inParallel(Array.from({ length: count }, (_, nth) => boot(nth)));
  const tally = [...kinds].sort().map(([kind, n]) => `${n} ${kind}`);
  const bases = sha256(Buffer.concat(parts.roots.map(({ base }) => base.bytes))).slice(0, 16);
  return {
    lines: [`${count} boots (roots ${bases}): ${tally.join(', ')}`, ...failures],
    failed: failures.length,
  };
}
