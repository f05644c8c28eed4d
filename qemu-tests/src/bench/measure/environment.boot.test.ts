// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kernelSeries } from '../../host/variant.ts';
import { benchKernels } from '../forms/kernels.ts';
import { environmentSchema } from '../model/schema.ts';
import { environment, releaseOf, versionIn } from './environment.ts';

test.each([
  ['QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)', '7.2.22'],
  ['mkfs.erofs (erofs-utils) 1.8.6', '1.8.6'],
  ['xz (XZ Utils) 5.4.1', '5.4.1'],
  ['*** LZ4 command line interface 64-bits v1.9.4, by Yann Collet ***', '1.9.4'],
])('the version in %s', (text, version) => {
  expect(versionIn(text)).toBe(version);
});

test('what is measured with is told: kernels, configurations, machine and programs', async () => {
  const kernels = await benchKernels();
  expect(releaseOf(readFileSync(kernels.patched)).startsWith(`${kernelSeries()}.`)).toBe(true);
  const told = environmentSchema.parse(
    await environment('make bench', kernels, 'instructions', { x: 'why' }, 6144),
  );
  expect(told.configSha256.patched).not.toBe(told.configSha256.stock);
  expect(told.machine).toContain('-icount shift=0,sleep=off');
  expect(told.machine).toContain('-cpu max,la57=off -m 6144M -smp 1');
  expect(told.tools['mkfs.erofs']).toMatch(/^\d+\.\d+/);
  expect(told.tools.compiler).toMatch(/^gcc/);
  expect(told.qemu).toMatch(/^\d+\.\d+/);
  expect(told.missing).toEqual({ x: 'why' });
  const timed = await environment('make bench', kernels, 'wall', {}, undefined);
  expect(timed.machine).not.toContain('icount');
  expect(timed.machine).not.toContain('-m ');
});
