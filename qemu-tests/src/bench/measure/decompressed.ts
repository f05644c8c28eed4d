// SPDX-License-Identifier: GPL-2.0-only

import { commands } from '../../images/packages.ts';
import type { Step } from '../../machine/steps.ts';
import { rowsOf, type Verdict } from '../../machine/verdict.ts';
import type { Image } from '../forms/images.ts';
import { copier, decompressorsOf, type Request, watched } from './decompressor.ts';
import { place, use } from './uses.ts';

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

/** Adds up requests. */
class Tally {
  calls = 0;
  bytes = 0;
  readonly #largest = new Map<string, number>();

  add({ source, outputBytes }: Request): void {
    this.calls++;
    this.bytes += outputBytes;
    this.#largest.set(source, Math.max(outputBytes, this.#largest.get(source) ?? 0));
  }

  /** Had each pcluster been decompressed once. */
  get onceBytes(): number {
    return [...this.#largest.values()].reduce((sum, size) => sum + size, 0);
  }
}

function residentBytes(verdict: Verdict): number {
  const rows = rowsOf(verdict, 'resident');
  if (rows.length !== 2) throw new Error('the agent did not say what the page cache holds');
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Boots the image, uses its files, and counts through QEMU's gdb stub what the kernel decompresses meanwhile:
 * the kernel is the one that is measured, without any counter in it.
 */
export async function decompressed(kernel: string, image: Image, pattern: string): Promise<Decompression> {
  const steps = patterns[pattern];
  if (steps === undefined) throw new RangeError(`there is no pattern ${pattern}`);
  const tally = new Tally();
  const decompressors = (await decompressorsOf(kernel)).filter(({ name }) => name !== copier);
  const resident = await watched(
    {
      name: `cost-decompressed-${image.form}-${pattern}`,
      ...{ kernel, initrd: image.path, append: 'quiet', memoryMiB: 1024, timeoutSeconds: 600 },
      steps: [...steps, ['resident', '/init'], ['resident', place]],
    },
    decompressors,
    (_, request) => tally.add(request),
    ({ verdict }) => {
      const failed = verdict.steps.find(({ error, rows }) => error !== undefined || rows[0]?.status);
      if (failed) throw new Error(`${failed.name}: ${failed.error ?? JSON.stringify(failed.rows[0])}`);
      return residentBytes(verdict);
    },
  );
  const usedBytes = Math.min(resident, tally.onceBytes);
  return { form: image.form, pattern, calls: tally.calls, bytes: tally.bytes, usedBytes };
}
