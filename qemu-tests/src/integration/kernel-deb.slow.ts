// SPDX-License-Identifier: GPL-2.0-only
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kernelDeb, kernelWith } from '../host/kernels.ts';
import { bootsInPlace } from './boot.ts';
import { DebianRoot } from './debian-root.ts';

// The patched kernel as a package, in a Debian that has the project's package. The tests go on from one another.

let root: DebianRoot;
let release: string;

beforeAll(async () => {
  root = await DebianRoot.make('initramfs-tools', 'kernel-deb');
  await root.installProject();
  // A distribution's configuration takes an hour; this one has all that the virtual machine needs built in.
  const config = join(dirname(await kernelWith('patched', '')), '.config');
  await root.copyIn(await kernelDeb(config), 'opt/kernel-initoverlayfs.deb');
  await root.install('/opt/kernel-initoverlayfs.deb');
  release = await root.release();
});

afterAll(() => root?.remove());

test('apt installs it beside the others under a name of its own, and it gets a combined initrd', async () => {
  expect(release).toMatch(/^\d+\.\d+\.\d+-initoverlayfs$/);
  const files = ['System.map-', 'config-', 'initrd.img-', 'vmlinuz-'].map((name) => `${name}${release}`);
  files.splice(3, 0, `initrd.img-${release}.original`);
  expect(await root.run('ls /boot')).toBe(files.join('\n'));
  const initrd = `/boot/initrd.img-${release}`;
  expect(await root.run(`initoverlayfs inspect --raw ${initrd}`)).toContain('kernel/initrd/root.erofs');
  await root.run(`initoverlayfs verify --config /boot/config-${release} ${initrd}`);
});

test('it boots from that initrd to multi-user, in place', async () => {
  const vmlinuz = await root.copyOut(`boot/vmlinuz-${release}`, 'kernel-deb-vmlinuz');
  const initrd = await root.copyOut(`boot/initrd.img-${release}`, 'kernel-deb.img');
  await bootsInPlace('kernel-deb', initrd, vmlinuz);
});

test('apt purges it, and nothing of it is left', async () => {
  await root.run(`apt-get -q -y purge linux-image-${release}`);
  expect(await root.run(`find / -xdev -path /opt -prune -o -name '*${release}*' -print`)).toBe('');
});
