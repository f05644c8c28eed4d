// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'tools', root: 'tools', include: ['src/**/*.test.ts'], testTimeout: 60_000 } },
      {
        extends: './qemu-tests/vitest.config.ts',
        // After the tools: a boot has the machine to itself.
        test: { name: 'qemu-tests', root: 'qemu-tests', sequence: { groupOrder: 1 } },
      },
    ],
  },
});
