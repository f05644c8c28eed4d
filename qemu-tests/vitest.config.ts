// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig } from 'vitest/config';
import { slowdown } from './src/variant.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/forgotten.ts'],
    // A boot keeps one core busy.
    maxWorkers: 2,
    // A boot has its own limit, and says more when that is passed than the runner could.
    testTimeout: 600_000 * slowdown,
    hookTimeout: 1_800_000,
  },
});
