// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig } from 'vitest/config';
import { architecture } from './src/host/architecture.ts';
import { leftOutOnArm64 } from './src/host/exclusions.ts';
import { kernelSeries, onDebug, slowdown } from './src/host/variant.ts';

/** The project `boots`, and what the other configurations here are made from. */
export default defineConfig({
  test: {
    // Tests of the sanitizers themselves are there where these are.
    include: [
      'src/{series,storage-init}/**/*.test.ts',
      'src/**/*.boot.test.ts',
      ...(onDebug ? ['src/**/*.debug.ts'] : []),
    ],
    exclude: architecture === 'arm64' ? Object.keys(leftOutOnArm64) : [],
    // Each process of the tests asks for it, too.
    env: { KERNEL_SERIES: kernelSeries() },
    setupFiles: ['src/machine/setup.ts'],
    // A worker loads its modules, and asks for the kernels, once.
    isolate: false,
    // A boot keeps one core of two busy; the third is there while another makes images or starts its file.
    maxWorkers: 3,
    // A boot has its own limit, and says more when that is passed than the runner could.
    testTimeout: 600_000 * slowdown,
    hookTimeout: 1_800_000,
  },
});
