// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { allWays, factsOf } from '../model/way.ts';
import { systemCommandLine, systemRefusal } from './systems.ts';

test('only a root that nothing puts an overlay on is refused', async () => {
  expect(await systemRefusal('pmem-none-dax')).toMatch(/needs one to write to/);
  expect(await systemRefusal('kernel-lz4hc-4k')).toBeUndefined();
  expect(await systemRefusal('cpio-xz')).toBeUndefined();
});

test('the command line is the same for all but storage-init', () => {
  const usual = systemCommandLine('cpio-none', 'root');
  expect(usual).toMatch(/^quiet root=\/dev\/pmem0 .*demo\.measure=root .*initcall_debug/);
  for (const way of allWays.filter((each) => factsOf(each).family !== 'user')) {
    expect(systemCommandLine(way, 'root')).toBe(usual);
  }
  expect(systemCommandLine('user-cpio-loop', 'root')).toBe(`${usual} attach=loop`);
  expect(systemCommandLine('user-disk-file', 'root')).toBe(`${usual} attach=file`);
});

test('in the initrd the root is awaited in vain', () => {
  expect(systemCommandLine('cpio-none', 'initrd')).not.toContain('root=/dev/pmem0');
});
