// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** The tests that build kernels of their own and take up to hours: for `make qemu-test-slow` and `make kernel-check`. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      include: ['src/**/*.slow.ts'],
      // Each takes so long that its start does not count.
      isolate: true,
      testTimeout: 3_600_000,
      hookTimeout: 3_600_000,
    },
  }),
);
