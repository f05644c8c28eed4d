// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootsFromArchive, bootsInPlace } from './boot.ts';
import { DebianRoot } from './debian-root.ts';
import { kernelPackage } from './system-archive.ts';

// The hook of mkinitcpio. No suite of Debian has that, so `guest/mkinitcpio` runs the hook as mkinitcpio does, in a Debian
// whose kernel and initrds are where Arch has its own. The tests go on from one another.

const image = '/boot/initramfs-linux.img';
const fallback = '/boot/initramfs-linux-fallback.img';
const vmlinuz = '/boot/vmlinuz-linux';

let root: DebianRoot;
let before: string[];
let release: string;
/** The folder of the kernel's modules, where its headers put its configuration. */
let modules: string;

beforeAll(async () => {
  root = await DebianRoot.make('initramfs-tools', 'mkinitcpio');
  await root.install(kernelPackage);
  release = await root.release();
  modules = `/lib/modules/${release}`;
  await root.run(`cd /boot
    rm initrd.img-* System.map-*
    cp vmlinuz-${release} ${modules}/vmlinuz
    mv vmlinuz-${release} ${vmlinuz}
    mkdir ${modules}/build /etc/mkinitcpio.d
    cp config-${release} /opt/kernel.config
    mv config-${release} ${modules}/build/.config`);
  const guest = join(import.meta.dirname, 'guest');
  await root.copyIn(join(guest, 'mkinitcpio'), 'usr/local/bin/');
  await root.copyIn(join(guest, 'linux.preset'), 'etc/mkinitcpio.d/');
  before = await root.paths();
  await root.installProject();
});

afterAll(() => root?.remove());

const make = () => root.run('mkinitcpio -p linux');
const files = async () => (await root.run('ls -d /boot/*')).split('\n');
const sum = async (file: string) => (await root.run(`sha256sum <${file}`)).trim();

test('the image of a preset becomes a combined initrd, and its fallback stays as it was made', async () => {
  expect(await make()).toContain(`${image}: `);
  expect(await files()).toEqual([fallback, image, `${image}.original`, vmlinuz]);
  expect(await root.run(`initoverlayfs inspect --raw ${image}`)).toContain('kernel/initrd/root.erofs');
  for (const cpio of [fallback, `${image}.original`])
    expect(await root.run(`lsinitramfs ${cpio}`)).toContain('\nscripts/local\n');
});

test("it boots Debian's own kernel to multi-user", async () => {
  const kernel = await root.copyOut(vmlinuz, 'integration-mkinitcpio-vmlinuz');
  const initrd = await root.copyOut(image, 'integration-mkinitcpio-stock.img');
  await bootsFromArchive('mkinitcpio-stock', kernel, initrd);
});

test('it boots a kernel with the series to multi-user, in place', async () => {
  await bootsInPlace('mkinitcpio-patched', await root.copyOut(image, 'integration-mkinitcpio-patched.img'));
});

test('the hook does nothing the second time', async () => {
  const sums = () => root.run('cd /boot && sha256sum * && stat -c "%n %y" *');
  const was = await sums();
  const hook = `/usr/lib/initcpio/post/initoverlayfs ${vmlinuz} ${image} ''`;
  expect(await root.run(`KERNELVERSION=${release} KERNELDESTINATION=${vmlinuz} ${hook}`)).toBe('');
  expect(await sums()).toBe(was);
});

test('mkinitcpio makes both anew', async () => {
  expect(await make()).toContain(`(the original, `);
  expect(await files()).toEqual([fallback, image, `${image}.original`, vmlinuz]);
});

test('without the configuration of the kernel the image stays as it was made, which is said once', async () => {
  await root.run(`mv ${modules}/build /opt/`);
  const reason = `${image} stays as it is: Linux ${release} cannot use an image, its configuration is neither`;
  expect(await make()).toContain(reason);
  expect(await make()).not.toContain('initoverlayfs: ');
  expect(await files()).toEqual([fallback, image, vmlinuz]);
  await root.run(`mv /opt/build ${modules}/`);
  expect(await make()).toContain(`${image}.original`);
});

test('without the package the image is again the original, and nothing is left of it', async () => {
  const original = await sum(`${image}.original`);
  await root.run('apt-get -q -y remove initoverlayfs');
  expect(await sum(image)).toBe(original);
  expect(await make()).not.toContain('initoverlayfs: ');
  await root.run('apt-get -q -y purge initoverlayfs');
  expect((await root.paths()).filter((path) => !before.includes(path))).toEqual([fallback, image]);
});
