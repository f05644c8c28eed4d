// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lacking, optionsMissing } from './options.ts';

const configuration = 'CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_AB="text"\n';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'options-test-'));
  vi.unstubAllEnvs();
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('an option is there built in or as a module, and under its whole name', () => {
  expect(lacking(configuration, ['A', 'B', 'C', 'AB', 'D'])).toEqual(['C', 'AB', 'D']);
});

test('without BZIMAGE no option is missing', async () => {
  vi.stubEnv('BZIMAGE', '');
  expect(await optionsMissing('NO_SUCH_OPTION')).toBeUndefined();
});

test('the reason for a skip names the options that the configuration beside the image lacks', async () => {
  writeFileSync(join(folder, '.config'), configuration);
  vi.stubEnv('BZIMAGE', join(folder, 'bzImage'));
  expect(await optionsMissing('A', 'C')).toBe('the kernel of BZIMAGE lacks CONFIG_C');
});
