// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kernel } from '../../host/kernels.ts';
import { loadSize } from './load-size.ts';

test('a kernel is larger when it is unpacked, and lies at its own alignment', async () => {
  const path = await kernel('stock');
  const { address, initSize } = loadSize(path);
  // CONFIG_PHYSICAL_START as it is by default.
  expect(address).toBe(16 << 20);
  expect(initSize).toBeGreaterThan(statSync(path).size);
  expect(initSize % 4096).toBe(0);
});

test('another file is refused by name', () => {
  expect(() => loadSize(import.meta.filename)).toThrow(`${import.meta.filename}: no header`);
});
