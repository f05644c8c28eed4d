// SPDX-License-Identifier: GPL-2.0-only
import { buildInitrd, file, tree } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { extraVariables, listenVariables } from '../expect/pid1.ts';
import { differences } from '../expect/walk.ts';
import { kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { cpio, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, realistic } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { netboot } from '../machine/loaders.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// Boot loaders join several initrd files.

const extra: Paths = { 'firmware.bin': file(noise(5001, 1)), host: file('one of many\n') };
const steps = [['walk', '/', 'r'], ['pid1'], ['walk', 'fd:3', 'r']] as const;

test('iPXE joins two files, of which the first is the root and the second reaches init', async () => {
  const paths: Paths = { ...(await bootable()), ...(await realistic()) };
  const root = await buildInitrd({ roots: [tree(paths)], shim: await shim() });
  const machine = { kernel: await kernel(), steps };
  const loader = await netboot('netboot', machine, [
    await initrd('netboot root', Buffer.from(root)),
    await initrd('netboot extra', await cpio(extra, 'gzip')),
  ]);
  await trial({ name: 'netboot', ...machine, loader, timeoutSeconds: 120 }, ({ verdict, log }) => {
    const [whole, , detached] = verdict.steps;
    expect(differences(whole.rows, paths, 'r')).toEqual([]);
    expect(listenVariables({ verdict })).toEqual(extraVariables);
    expect(differences(detached.rows, extra, 'r')).toEqual([]);
    expect(seriesLog(log).mounted).toMatchObject({ images: 1 });
  });
});
