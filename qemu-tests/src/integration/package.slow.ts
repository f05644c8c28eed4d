// SPDX-License-Identifier: GPL-2.0-only
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DebianRoot, projectPackage } from './debian-root.ts';

// The project's package for Debian. That it can be installed and purged is tested with each generator.

let root: DebianRoot;

beforeAll(async () => {
  root = await DebianRoot.make('lintian');
  await root.copyIn(projectPackage(), 'opt/initoverlayfs.deb');
});

afterAll(() => root?.remove());

test('lintian has nothing to say about the package', async () => {
  const check = 'lintian --allow-root --info --fail-on none /opt/initoverlayfs.deb';
  expect(await root.run(check)).toBe('');
});
