// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { withUnknownFeature } from '../images/damage.ts';
import { cpio, early, erofs, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, realistic } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { everyWay, type Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { resultsOf } from '../machine/verdict.ts';

// The sanitizers of this kernel are on all the time, and nothing is leaked. A report of theirs fails any boot
// (console.ts).

const leaks = '/sys/kernel/debug/kmemleak';
const lookForLeaks: Step[] = [
  ['mount', 'none', '/sys/kernel/debug', 'debugfs'],
  // kmemleak reports what two scans have found unchanged, and the second of them at the age of five seconds.
  ['write', leaks, 'scan'],
  ['sleep', 6],
  ['write', leaks, 'scan'],
  ['cat', leaks],
  ['cat', '/proc/lockdep_stats'],
];
const use: Step[] = [
  ['walk', '/', everyWay],
  ['beyond', '/data/noise-4097'],
  ['pin', '/data/mixed', 8],
];
const leave: Step[] = [['newroot', '/newroot'], ['pivot', '/newroot'], ['unpin']];

let paths: Paths;
const extra: Paths = { 'etc/extra': file(noise(50_000, 1)) };

beforeAll(async () => {
  const all = Object.entries(await realistic());
  // The six hundred small files are all alike, and cost a minute in each boot.
  const few = all.filter(([path]) => !path.startsWith('crowd/'));
  paths = { ...(await bootable()), ...Object.fromEntries(few) };
});

const damaged = async () => withUnknownFeature(await erofs(paths));
/** Makes an early archive that holds the init of a fallback. */
const front = async () => cpio({ early_cpio: (await bootable()).init });
const stacked = async () => [
  await early(),
  { at: 0x1804 },
  await erofs(paths, { compress: 'lz4hc', pcluster: 65536 }),
  { align: 4 },
  await erofs(extra),
  await cpio(extra, 'zstd'),
  { align: 4 },
  await cpio(extra),
];

test.each<[string, number, () => Promise<(Buffer | Gap)[]>, string, Step[]]>([
  ['everything, used in every way and left', 2, stacked, '', [['walk', 'fd:3', everyWay], ...use, ...leave]],
  ['extras over the root', 2, stacked, 'initoverlayfs.extra=overlay', [...use, ...leave]],
  ['a fallback', 0, async () => [await front(), { align: 4 }, await damaged()], 'rdinit=/early_cpio', []],
  ['a plain cpio', 0, async () => [await cpio(paths, 'gzip')], '', use],
])('nothing is leaked: %s', async (name, images, make, append, steps) => {
  await trial(
    {
      name: `sanitizers ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`sanitizers ${name}`, await make()),
      append,
      memoryMiB: 512,
      leaks: true,
      steps: [...steps, ...lookForLeaks],
    },
    ({ log, verdict }) => {
      expect(seriesLog(log).mounted?.images ?? 0).toBe(images);
      expect(verdict.steps.map(({ name: step, error }) => ({ step, error }))).toEqual(
        [...steps, ...lookForLeaks].map(([step]) => ({ step, error: undefined })),
      );
      // The sanitizers were on: a kmemleak that has given up refuses to scan, and a lockdep that has given up counts
      // zero.
      const [found, lockdep] = resultsOf(verdict, 'cat').slice(-2);
      expect(found?.rows).toEqual([]);
      expect(lockdep?.rows.map(({ line }) => line.replaceAll(/\s+/g, ' ').trim())).toContain(
        'debug_locks: 1',
      );
      expect(linesOf(log, /^(kasan: )?KernelAddressSanitizer initialized/)).toHaveLength(1);
      expect(linesOf(log, 'kmemleak: Kernel memory leak detector initialized')).toHaveLength(1);
    },
  );
});
