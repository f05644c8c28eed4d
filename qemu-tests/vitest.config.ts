// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig } from 'vitest/config';
import { architecture } from './src/host/architecture.ts';
import { kernelSeries, onDebug, slowdown } from './src/host/variant.ts';

/** The files of `series/` that run on arm64. */
const onArm64 = [
  'arm64',
  'environment',
  'example',
  'extras',
  'mapping',
  'memtotal',
  'overlay',
  'probe',
  'release',
  'require',
  'segments',
  'smoke',
];

/** The project `boots`, and what the other configurations here are made from. */
export default defineConfig({
  test: {
    // Tests of the sanitizers themselves are there where these are.
    include:
      architecture === 'arm64'
        ? onArm64.map((name) => `src/series/${name}.test.ts`)
        : [
            'src/{series,storage-init}/**/*.test.ts',
            'src/**/*.boot.test.ts',
            ...(onDebug ? ['src/**/*.debug.ts'] : []),
          ],
    // The tests ask for it, too, each in a process of its own.
    env: { KERNEL_SERIES: kernelSeries() },
    setupFiles: ['src/machine/setup.ts'],
    // A boot keeps one core busy.
    maxWorkers: 2,
    // A boot has its own limit, and says more when that is passed than the runner could.
    testTimeout: 600_000 * slowdown,
    hookTimeout: 1_800_000,
  },
});
