// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { file, symlink } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { agent, kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import { Vm } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'TMPFS_XATTR');

// A root that is never left: an image without /init, whose programs are found as on a disk. The successor of an initrd
// with root=/dev/ram0.

/** Returns a tree without /init that has the agent at this path. */
async function rootWith(path: string): Promise<Paths> {
  const { init: _init, ...others } = await bootable();
  return { ...others, from: file('image\n'), [path]: file(await readFile(await agent()), { mode: 0o755 }) };
}

let usual: Buffer;
let own: Buffer;
let bare: Buffer;
let late: Buffer;

beforeAll(async () => {
  usual = await erofs(await rootWith('sbin/init'));
  bare = await erofs({ from: file('image\n') });
  late = await cpio(await bootable());
  own = await erofs({ ...(await rootWith('opt/agent')), 'sbin/init': symlink('nowhere') });
});

/** Boots an image and returns the series' lines and the name that PID 1 was started by. */
async function boots(name: string, image: Buffer, append: string) {
  const { found } = await trial(
    {
      name: `final root ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`final root ${name}`, [image]),
      append,
      steps: [['pid1'], ['statfs', '/'], ['cat', '/from']],
    },
    ({ log, verdict: { steps } }) => {
      expect(steps[2].rows).toEqual([{ line: 'image' }]);
      return { ...seriesLog(log), init: steps[0].rows[0] };
    },
  );
  return found;
}

test.each([
  ['/sbin/init without a word', () => usual, '', '/sbin/init'],
  ['init=', () => own, 'init=/opt/agent', '/opt/agent'],
  ['rdinit=', () => own, 'rdinit=/opt/agent', '/opt/agent'],
  ['init= read-only', () => own, 'initoverlayfs=ro init=/opt/agent', '/opt/agent'],
])('an image without /init is the root, and %s runs', async (name, image, append, init) => {
  const found = await boots(name, image(), append);
  expect(found.mounted).toMatchObject({ images: 1 });
  expect(found.init).toEqual({ arg: init });
});

test('root=/dev/ram0 is answered in the log', async () => {
  const { lines } = await boots('ram0', own, 'root=/dev/ram0 init=/opt/agent');
  expect(lines).toContain('that is the root, root=/dev/ram0 is not used');
});

test.each([
  ['root= names a disk', () => usual, 'root=/dev/vda', 'no usable /init in the image, error -2'],
  ['root= names another RAM disk', () => usual, 'root=/dev/ram1', 'no usable /init in the image, error -2'],
  ['init= is missing', () => usual, 'init=/none', 'no usable /none in the image, error -2'],
  ['init= cannot be executed', () => usual, 'init=/from', 'no usable /from in the image, error -13'],
  ['rdinit= is missing', () => usual, 'rdinit=/none', 'no usable /none in the image, error -2'],
  [
    'an archive over it would bring one',
    () => Buffer.concat([bare, late]),
    'initoverlayfs.extra=overlay',
    'no usable /init in the image, error -2',
  ],
])('an image without /init is not the root where %s', async (name, image, append, reason) => {
  // Nothing that today's path uses is in the initrd, so it ends without a root.
  const vm = Vm.start({
    name: `final root not ${name}`,
    kernel: await kernel(),
    initrd: await initrd(`final root not ${name}`, [image()]),
    append,
    steps: [['pid1']],
  });
  const { log, outcome } = await vm.wait();
  expect(outcome.kind).toBe('panicked');
  expect(outcome.reason).toContain('VFS: Unable to mount root fs');
  expect(seriesLog(log).fallbacks).toEqual([reason]);
});
