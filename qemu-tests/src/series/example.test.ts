// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { bootable } from '../images/tree.ts';
import { trial } from '../machine/trial.ts';

// The test that qemu-tests/README.md shows.

test('a file of the image can be read', async () => {
  const image = await initrd('example', await erofs({ ...(await bootable()), hello: file('hello\n') }));
  const steps = [['cat', '/hello']] as const;
  await trial({ name: 'example', kernel: await kernel(), initrd: image, steps }, ({ verdict }) => {
    expect(verdict.steps[0].rows).toEqual([{ line: 'hello' }]);
  });
});
