// SPDX-License-Identifier: GPL-2.0-only
import { configDefaults, defineConfig } from 'vitest/config';
import { kernelSeries, onDebug, slowdown } from './src/host/variant.ts';

/**
 * The tests that do not fit the series of the run. The one for 6.12 is version 1, whose own tests are in `v1/`; the
 * others here are of what version 2 changed or added.
 */
const otherSeries =
  kernelSeries() === '6.12'
    ? [
        'archive',
        'archive-refused',
        'attributes',
        'environment',
        'fallback',
        'helpers',
        'mapping',
        'memtotal',
        'require',
        'segments',
      ].map((name) => `src/series/${name}.test.ts`)
    : ['src/series/v1/**'];

/** The project `boots`, and what the other configurations here are made from. */
export default defineConfig({
  test: {
    // Tests of the sanitizers themselves are there where these are.
    include: [
      'src/{series,storage-init}/**/*.test.ts',
      'src/**/*.boot.test.ts',
      ...(onDebug ? ['src/**/*.debug.ts'] : []),
    ],
    exclude: [...configDefaults.exclude, ...otherSeries],
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
