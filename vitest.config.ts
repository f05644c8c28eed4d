// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './qemu-tests/order.ts';

/** The tests that boot a machine or need a built kernel: all of these folders, and files named so elsewhere. */
const boots = ['src/series/**', 'src/storage-init/**', 'src/**/*.boot.test.ts'];

// Each start of Node.js reads the certificates that this names, which takes longer than the rest of a start, and no test
// talks to a server.
delete process.env.NODE_EXTRA_CA_CERTS;

/** For tests that leave their process as they found it: modules are loaded once, and each processor runs a file. */
const shared = { isolate: false, maxWorkers: '100%' } as const;

const tools = {
  ...shared,
  root: 'tools',
  globalSetup: 'src/fixtures/package.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
} as const;

/**
 * The layers: `tools` and `unit` start no machine and load no native module (`make test`), `long` are tests of the tools
 * that are large, random or many, `boots` is what lands with each change, and `bench` what a change of the bench needs
 * besides.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: { ...tools, name: 'tools', include: ['src/**/*.test.ts'], exclude: ['src/**/*.long.test.ts'] },
      },
      { test: { ...tools, name: 'long', include: ['src/**/*.long.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'unit',
          root: 'qemu-tests',
          include: ['src/**/*.test.ts'],
          exclude: boots,
          testTimeout: 60_000,
        },
      },
      {
        extends: './qemu-tests/vitest.config.ts',
        // After the others: a boot has the machine to itself.
        test: { name: 'boots', root: 'qemu-tests', exclude: ['src/bench/**'], sequence: { groupOrder: 1 } },
      },
      {
        extends: './qemu-tests/vitest.config.ts',
        test: {
          name: 'bench',
          root: 'qemu-tests',
          exclude: ['src/!(bench)/**'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
