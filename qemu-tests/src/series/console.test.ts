// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { dash } from '../images/programs.ts';
import { bootable } from '../images/tree.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

test('a shell of the image answers on the console', async () => {
  await trial(
    {
      name: 'console shell',
      kernel: await kernel(),
      initrd: await initrd('console shell', await erofs({ ...(await bootable()), ...(await dash()) })),
      steps: [['shell', '/bin/dash']],
    },
    ({ verdict }) => expect(verdict.steps[0].rows).toEqual([{ status: 7 }]),
    async (vm) => {
      await vm.expect(/# /);
      vm.send('echo $((6 * 7)) > /answer\r');
      await vm.expect(/# /);
      vm.send('read -r answer < /answer; echo "it is $answer"\r');
      await vm.expect(/\nit is 42\r+\n/);
      await vm.expect(/# /);
      // The terminal is the shell's own: an interrupt ends its command, and the shell goes on.
      vm.send('echo busy; while :; do :; done\r');
      await vm.expect(/\nbusy\r+\n/);
      vm.send('\x03');
      await vm.expect(/# /);
      vm.send('exit 7\r');
    },
  );
});
