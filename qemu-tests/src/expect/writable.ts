// SPDX-License-Identifier: GPL-2.0-only

import { file } from '@initoverlayfs/tools';
import { expect } from 'vitest';
import type { Paths } from '../images/tree.ts';
import { prose } from '../images/tree.ts';
import type { Step } from '../machine/steps.ts';
import { rowsOf, type Verdict } from '../machine/verdict.ts';
import { fileSystems } from './file-systems.ts';

// The root of an image with a throw-away layer on top, made by the kernel or by storage-init.

/** The paths that the steps change. */
export const writablePaths: Paths = {
  'etc/lower': file('lower\n'),
  'etc/gone': file('gone\n'),
  'etc/big': file(prose(300_000, 1)),
};

export const writableSteps: readonly Step[] = [
  ['statfs', '/'],
  ['write', '/new', 'text'],
  ['append', '/etc/lower', 'more'],
  ['chmod', '/etc/big', '600'],
  ['unlink', '/etc/gone'],
  ['mkdir', '/etc/dir'],
  ['rename', '/etc/lower', '/etc/dir/moved'],
  ['cat', '/new'],
  ['cat', '/etc/dir/moved'],
  ['cat', '/etc/gone'],
  ['walk', '/etc'],
  ['mounts'],
];

/**
 * Expects that a boot with these steps, and others after them, could write everywhere and saw nothing of the layers.
 */
export function expectWritable(verdict: Verdict): void {
  const { steps } = verdict;
  const step = (name: string, nth = 0) => steps.filter((candidate) => candidate.name === name)[nth];
  expect(step('statfs')?.rows[0]).toMatchObject({ type: fileSystems.overlay, readonly: false });
  const failed = steps.slice(0, writableSteps.length).filter(({ error }) => error !== undefined);
  expect(failed).toEqual([{ name: 'cat', rows: [], error: 'ENOENT', ended: true }]);
  expect(step('cat')?.rows).toEqual([{ line: 'text' }]);
  expect(step('cat', 1)?.rows).toEqual([{ line: 'lower' }, { line: 'more' }]);
  expect(step('walk')?.rows.map(({ path }) => path)).toEqual([
    '/etc',
    '/etc/big',
    '/etc/dir',
    '/etc/dir/moved',
  ]);
  // The layers of the mount are out of sight: nothing else is left that would keep the image.
  const types = rowsOf(verdict, 'mounts').map(({ line }) => line.split(' - ')[1]?.split(' ')[0]);
  expect(types.filter((name) => name === 'overlay')).toHaveLength(1);
  expect(types.filter((name) => name === 'erofs' || name === 'ext4')).toEqual([]);
}
