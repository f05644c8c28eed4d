// SPDX-License-Identifier: GPL-2.0-only
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootsFromArchive, bootsInPlace } from './boot.ts';
import { DebianRoot } from './debian-root.ts';
import { kernelPackage } from './system-archive.ts';

// A Debian whose initrds update-initramfs makes, from the installation of a kernel to the removal of the package. The
// tests go on from one another.

let root: DebianRoot;
let before: string[];
let installed: string;
let release: string;
let initrd: string;

beforeAll(async () => {
  root = await DebianRoot.make('initramfs-tools');
  before = await root.paths();
  await root.installProject();
  installed = await root.install(kernelPackage);
  release = await root.release();
  initrd = `/boot/initrd.img-${release}`;
});

afterAll(() => root?.remove());

const sums = () => root.run('cd /boot && sha256sum initrd* && stat -c "%n %y" initrd*');

test('a kernel that is installed gets a combined initrd, and the original lies beside it', async () => {
  expect(installed).toContain(`${initrd}.original`);
  expect(await root.run(`initoverlayfs inspect --raw ${initrd}`)).toContain('kernel/initrd/root.erofs');
  expect(await root.run(`lsinitramfs ${initrd}.original`)).toContain('\nscripts/local\n');
  expect(await root.run('stat -c %a /boot/initrd*')).toBe('644\n644');
});

test("it boots Debian's own kernel to multi-user", async () => {
  const vmlinuz = await root.copyOut(`boot/vmlinuz-${release}`, 'integration-vmlinuz');
  await bootsFromArchive('stock', vmlinuz, await root.copyOut(initrd, 'integration-stock.img'));
});

test('it boots a kernel with the series to multi-user, in place', async () => {
  await bootsInPlace('patched', await root.copyOut(initrd, 'integration-patched.img'));
});

test('the hook does nothing the second time', async () => {
  const was = await sums();
  expect(await root.run(`run-parts --arg=${release} --arg=${initrd} /etc/initramfs/post-update.d`)).toBe('');
  expect(await sums()).toBe(was);
});

test('update-initramfs makes both anew', async () => {
  expect(await root.run('update-initramfs -u')).toContain(`${initrd}.original`);
  expect(await root.run('ls /boot | grep ^initrd')).toBe(
    `initrd.img-${release}\ninitrd.img-${release}.original`,
  );
});

test('a kernel that can use neither form keeps its initrd, and is told of once', async () => {
  await root.run(`sed -i.kept 's/^CONFIG_OVERLAY_FS=.*/# &/' /boot/config-${release}`);
  await root.run(`mv /lib/modules/${release}/kernel/fs/overlayfs /opt/ && depmod ${release}`);
  expect(await root.run('update-initramfs -u')).toContain('cannot use an image, it has no overlayfs');
  expect(await root.run('update-initramfs -u')).toBe(`update-initramfs: Generating ${initrd}`);
  expect(await root.run('ls /boot | grep ^initrd')).toBe(`initrd.img-${release}`);
  await root.run(`mv /opt/overlayfs /lib/modules/${release}/kernel/fs/ && depmod ${release}`);
  await root.run(`mv /boot/config-${release}.kept /boot/config-${release} && update-initramfs -u`);
});

test('without the package the initrd is again the original, and nothing is left of it', async () => {
  const original = (await root.run(`sha256sum <${initrd}.original`)).trim();
  await root.run('apt-get -q -y remove initoverlayfs');
  expect((await root.run(`sha256sum <${initrd}`)).trim()).toBe(original);
  expect(await root.run('update-initramfs -u')).toBe(`update-initramfs: Generating ${initrd}`);
  await root.run('apt-get -q -y purge initoverlayfs');
  expect(
    await root.run('find / -xdev -path /proc -prune -o -path /opt -prune -o -name "*initoverlayfs*" -print'),
  ).toBe('');
});

test('with the kernel nothing is left of both', async () => {
  await root.install('/opt/initoverlayfs.deb');
  await root.run('update-initramfs -u');
  await root.run(`apt-get -q -y purge linux-image-${release}`);
  expect(await root.run('ls /boot')).toBe('');
  await root.run('apt-get -q -y purge initoverlayfs');
  expect((await root.paths()).filter((path) => !before.includes(path))).toEqual([]);
});
