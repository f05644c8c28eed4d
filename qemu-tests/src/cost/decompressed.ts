// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Step } from '../script.ts';
import { trial } from '../trial.ts';
import type { Verdict } from '../verdict.ts';
import { type CallSite, Gdb, type Registers } from './gdb.ts';
import type { Image } from './images.ts';
import { place, use } from './measure.ts';
import { commands } from './sample.ts';

/** The ways to use a compressed image that differ in what they make the kernel decompress. */
export const patterns: Readonly<Record<string, readonly Step[]>> = {
  'read 4K': [use('read', 4096)],
  'read 64K': [use('read', 65536)],
  'read 128K': [use('read', 131072)],
  map: [use('map')],
  'random 4K': [use('random', 65536)],
  programs: commands.map((command): Step => ['run', ...command]),
};

/** Bytes that came out of the decompressor in one boot, from the first one to the last. */
export interface Decompression {
  readonly form: string;
  readonly pattern: string;
  readonly calls: number;
  readonly bytes: number;
  /**
   * What was needed: the bytes of files that are in the page cache afterwards, or what all pclusters that were
   * touched hold if that is less (files that are not compressed get into the page cache, too).
   */
  readonly usedBytes: number;
}

/** Decompressed beyond what was used, as a fraction. */
export function excess({ bytes, usedBytes }: Decompression): number {
  return bytes / usedBytes - 1;
}

/** The calls of the LZ4 decompressor in the output of `objdump -d`. */
export function callSites(disassembly: string): CallSite[] {
  const call = /^([0-9a-f]+):\s+call .*<LZ4_decompress_safe(?:_partial)?>\n([0-9a-f]+):/gm;
  return [...disassembly.matchAll(call)].map(([, at, behind]) => ({
    at: BigInt(`0x${at}`),
    behind: BigInt(`0x${behind}`),
  }));
}

/**
 * Where EROFS calls it in the kernel whose vmlinux lies beside this bzImage. Throws an Error when there is no
 * vmlinux, or no call in it.
 */
export async function callSitesOf(kernel: string): Promise<CallSite[]> {
  const vmlinux = join(dirname(kernel), 'vmlinux');
  const symbols = await execa('nm', [vmlinux]);
  const functions = [...symbols.stdout.matchAll(/ [tT] (z_erofs_lz4_decompress\S*)$/gm)];
  const sites: CallSite[] = [];
  for (const [, name] of functions) {
    const { stdout } = await execa('objdump', ['-d', '--no-show-raw-insn', `--disassemble=${name}`, vmlinux]);
    sites.push(...callSites(stdout));
  }
  if (sites.length === 0) throw new Error(`${vmlinux}: EROFS nowhere calls the LZ4 decompressor`);
  return sites;
}

/** Adds up calls of `LZ4_decompress_safe[_partial](src, dst, srcSize, dstSize, ...)`. */
class Tally {
  calls = 0;
  bytes = 0;
  readonly #largest = new Map<bigint, number>();

  add({ rdi: source, rcx }: Registers): void {
    const size = Number(rcx & 0xffffffffn);
    this.calls++;
    this.bytes += size;
    this.#largest.set(source, Math.max(size, this.#largest.get(source) ?? 0));
  }

  /** Had each pcluster been decompressed once. */
  get onceBytes(): number {
    return [...this.#largest.values()].reduce((sum, size) => sum + size, 0);
  }
}

function residentBytes({ steps }: Verdict): number {
  const rows = steps.filter(({ name }) => name === 'resident').map(({ rows }) => rows[0]);
  const bytes = rows.map((row) => Number(row?.bytes));
  if (bytes.length !== 2 || bytes.some(Number.isNaN)) {
    throw new Error('the agent did not say what the page cache holds');
  }
  return bytes.reduce((sum, each) => sum + each, 0);
}

/**
 * Boots the image, uses its files, and counts through QEMU's gdb stub what the kernel decompresses meanwhile:
 * the kernel is the one that is measured, without any counter in it.
 */
export async function decompressed(
  kernel: string,
  sites: readonly CallSite[],
  image: Image,
  pattern: string,
): Promise<Decompression> {
  const steps = patterns[pattern];
  if (steps === undefined) throw new RangeError(`there is no pattern ${pattern}`);
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-gdb-'));
  const gdb = join(folder, 'socket');
  const tally = new Tally();
  try {
    const { verdict } = await trial(
      {
        name: `cost-decompressed-${image.form}-${pattern}`,
        ...{ kernel, initrd: image.path, append: 'quiet', gdb, memoryMiB: 1024, timeoutSeconds: 600 },
        steps: [...steps, ['resident', '/init'], ['resident', place]],
      },
      ({ verdict }) => {
        const failed = verdict.steps.find(({ error, rows }) => error !== undefined || rows[0]?.status);
        if (failed) throw new Error(`${failed.name}: ${failed.error ?? JSON.stringify(failed.rows[0])}`);
        residentBytes(verdict);
      },
      async () => (await Gdb.connect(gdb)).watch(sites, (registers) => tally.add(registers)),
    );
    const usedBytes = Math.min(residentBytes(verdict), tally.onceBytes);
    return { form: image.form, pattern, calls: tally.calls, bytes: tally.bytes, usedBytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
