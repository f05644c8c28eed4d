// SPDX-License-Identifier: GPL-2.0-only
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { convertInitrd, file, symlink } from '@initoverlayfs/tools';
import { describe, expect, test } from 'vitest';
import { archives } from '../debian/apt.ts';
import { distribution, type Generator, plan } from '../debian/distribution.ts';
import { extra } from '../debian/initrd.ts';
import { unpackedProgram } from '../debian/unpacked.ts';
import { extraVariables, listenVariables } from '../expect/pid1.ts';
import { agent, kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { ext4, wholeDisk } from '../images/disk.ts';
import { cpio, initrd } from '../images/initrd.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import { Vm } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'TMPFS_XATTR', 'CGROUPS', 'UNIX', 'INOTIFY_USER');

// The descriptor and the variables of the extra files in the next root, whose init looks at what it was started with.
// Nothing in these initrds knows of extra files. `shim.test.ts` has the programs that this machine has.

const steps = [['pid1'], ['fds']] as const;

describe('the root on a disk to which an initrd of Debian leads', () => {
  /** Makes a disk with the agent as /agent, which systemd takes for a system. */
  async function disk(): Promise<string> {
    const points = ['dev', 'mnt', 'newroot', 'proc', 'run', 'sys', 'tmp'];
    const files = {
      ...Object.fromEntries(points.map((path) => [`${path}/.keep`, Buffer.alloc(0)])),
      'etc/os-release': Buffer.from('ID=test\n'),
      agent: await readFile(await agent()),
    };
    return wholeDisk('switch root', await ext4(files));
  }

  test.each<[string, Generator, readonly string[], readonly string[]]>([
    // It closes what it was not made to keep, and knows nothing of the variables.
    ["systemd's switch-root is without the descriptor and has the variables", 'dracut', [], extraVariables],
    [
      "the shim's switch_root at the place of that of busybox has neither",
      'initramfs-tools',
      ['busybox', 'busybox'],
      [],
    ],
  ])('by %s', async (_, generator, origins, variables) => {
    const original = (await distribution(await plan(generator))).initrd;
    const options = { shim: await shim(), extras: [extra()] };
    const { image, replaced } = await convertInitrd(await readFile(original), options);
    expect(replaced.map(({ origin }) => origin)).toEqual(origins);
    const name = `switch root ${generator}`;
    await trial(
      {
        name,
        kernel: await kernel(),
        initrd: await initrd(name, Buffer.from(image)),
        disks: [await disk()],
        append: 'root=/dev/vda rootfstype=ext4 rw init=/agent',
        memoryMiB: 1024,
        // On a busy host, units would time out by its clock.
        icount: 'sleep',
        timeoutSeconds: 600,
        steps,
      },
      (result) => {
        expect(seriesLog(result.log)).toMatchObject({ extras: true, released: [expect.any(Number)] });
        expect(listenVariables(result)).toEqual(variables);
        expect(result.verdict.steps[1].rows).toHaveLength(3);
      },
    );
  });
});

describe("an image with klibc's run-init", () => {
  const script = `#!/bin/sh
mount -t tmpfs newroot /newroot
mkdir /newroot/proc /newroot/sys /newroot/dev
cp /agent /newroot/agent
exec run-init /newroot /agent "$@"
`;

  /** Makes an initrd of an image and of extra files, with run-init as it is or replaced. */
  async function withRunInit(keepSwitchRoot: boolean) {
    const program = 'usr/lib/klibc/bin/run-init';
    const root = join(
      dirname(await unpackedProgram((await archives()).codename, 'klibc-utils', program)),
      'root',
    );
    const library = (await readdir(join(root, 'lib'))).find((path) => path.startsWith('klibc-')) ?? '';
    const copy = async (path: string) => file(await readFile(path), { mode: 0o755 });
    const paths: Paths = {
      ...(await bootable()),
      init: file(script, { mode: 0o755 }),
      agent: await copy(await agent()),
      'bin/busybox': await staticBusybox(),
      ...Object.fromEntries(
        ['sh', 'mount', 'mkdir', 'cp'].map((applet) => [`bin/${applet}`, symlink('busybox')]),
      ),
      'bin/run-init': await copy(join(root, program)),
      [`lib/${library}`]: await copy(join(root, 'lib', library)),
    };
    const options = { keepSwitchRoot, extras: [extra()], shim: await shim() };
    return convertInitrd(await cpio(paths), options);
  }

  test('leaves nothing of the extra files when convert puts the shim in its place', async () => {
    const { image, replaced } = await withRunInit(false);
    expect(replaced).toEqual([{ path: 'bin/run-init', origin: 'klibc' }]);
    const name = 'switch root klibc';
    const path = await initrd(name, Buffer.from(image));
    await trial({ name, kernel: await kernel(), initrd: path, steps }, (result) => {
      expect(seriesLog(result.log).released).toHaveLength(1);
      expect(listenVariables(result)).toEqual([]);
      expect(result.verdict.steps[1].rows).toHaveLength(3);
    });
  });

  test('panics when it is kept, since it wants a ramfs', async () => {
    const { image } = await withRunInit(true);
    const name = 'switch root klibc kept';
    const path = await initrd(name, Buffer.from(image));
    const { outcome, console } = await Vm.start({ name, kernel: await kernel(), initrd: path, steps }).wait();
    expect(outcome.kind).toBe('panicked');
    expect(console).toContain('rootfs not a ramfs or tmpfs');
  });
});
