// SPDX-License-Identifier: GPL-2.0-only

import { directory, file } from '@initoverlayfs/tools';
import { expect } from 'vitest';
import type { Paths } from '../images/tree.ts';
import { prose } from '../images/tree.ts';
import type { Step } from '../machine/steps.ts';
import { resultsOf, rowsOf, type Verdict } from '../machine/verdict.ts';
import { fileSystems } from './file-systems.ts';
import { differences } from './walk.ts';

// The root of an image with a throw-away layer on top, made by the kernel or by storage-init.

const big = prose(300_000, 1);

/** The paths that the steps change. */
export const writablePaths: Paths = {
  'etc/lower': file('lower\n'),
  'etc/gone': file('gone\n'),
  'etc/big': file(big),
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
  ['walk', '/etc', 'r'],
  ['mounts'],
];

/**
 * Expects that a boot with these steps, and others after them, could write everywhere and saw nothing of the layers.
 */
export function expectWritable(verdict: Verdict): void {
  const { steps } = verdict;
  const step = (name: string) => steps.find((candidate) => candidate.name === name);
  expect(step('statfs')?.rows[0]).toMatchObject({ type: fileSystems.overlay, readonly: false });
  expect(step('cat')?.rows).toEqual([{ line: 'text' }]);
  const changed = { big: file(big, { mode: 0o600 }), dir: directory(), 'dir/moved': file('lower\nmore') };
  const [walk] = resultsOf(verdict, 'walk');
  expect(differences(walk?.rows ?? [], changed, 'r', '/etc')).toEqual([]);
  // The layers of the mount are out of sight: nothing else is left that would keep the image.
  const types = rowsOf(verdict, 'mounts').map(({ line }) => line.split(' - ')[1]?.split(' ')[0]);
  expect(types.filter((name) => name === 'overlay')).toHaveLength(1);
  expect(types.filter((name) => name === 'erofs' || name === 'ext4')).toEqual([]);
}
