// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** What builds kernels of its own and takes up to hours: `make kernel-check`, not `make qemu-test`. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({ test: { include: ['src/**/*.slow.ts'], testTimeout: 3_600_000, hookTimeout: 3_600_000 } }),
);
