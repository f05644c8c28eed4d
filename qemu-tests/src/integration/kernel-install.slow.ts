// SPDX-License-Identifier: GPL-2.0-only
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firmware, noFirmware } from '../debian/uki.ts';
import { bootsFromArchive, bootsInPlace, bootsUkiFromArchive, ukiCommandLine } from './boot.ts';
import { DebianRoot } from './debian-root.ts';
import { kernelPackage } from './system-archive.ts';

// A Debian whose kernels and initrds kernel-install puts where a boot loader with entries of the Boot Loader Specification
// finds them. The initrds are dracut's. The tests go on from one another.

let root: DebianRoot;
let release: string;
let add: string;
let entry: string;
let folder: string;
let made: string;

beforeAll(async () => {
  root = await DebianRoot.make('dracut', 'kernel-install');
  await root.install(kernelPackage);
  await root.installProject();
  // What dracut made when the kernel was installed would be taken, too.
  await root.run('rm /boot/initrd*');
  await root.run("printf 'layout=bls\\nBOOT_ROOT=/boot\\n' >/etc/kernel/install.conf");
  await root.run('echo root=/dev/vda rw >/etc/kernel/cmdline');
  release = await root.release();
  add = `kernel-install --entry-token=os-id --verbose add ${release} /boot/vmlinuz-${release}`;
  folder = `/boot/debian/${release}`;
  entry = `/boot/loader/entries/debian-${release}`;
});

afterAll(() => root?.remove());

/** Lists the files that kernel-install has made: the others are not in a folder of their own. */
const files = () => root.run('cd /boot && find -mindepth 2 ! -type d -printf "%P\\n" | sort');
/** Sums up what has been made of dracut's initrd, which has the time at which each file was made. */
const sums = () =>
  root.run("cd /boot && find -mindepth 2 ! -type d ! -name 'original-*' | sort | xargs sha256sum");

test('a kernel that is added gets a combined initrd, and an entry for the original', async () => {
  expect(await root.run(add)).toContain('an image that is mounted from an archive');
  expect(await files()).toBe(
    [
      ...['initrd', 'linux', 'original-initrd'].map((name) => `debian/${release}/${name}`),
      ...['-original', ''].map((suffix) => `loader/entries/debian-${release}${suffix}.conf`),
    ].join('\n'),
  );
  const initrds = (conf: string) => root.run(`sed -n 's/^initrd *//p' ${conf}`);
  expect(await initrds(`${entry}.conf`)).toBe(`${folder}/initrd`);
  expect(await initrds(`${entry}-original.conf`)).toBe(`${folder}/original-initrd`);
  expect(await root.run(`lsinitrd ${folder}/original-initrd`)).toContain('dracut modules:');
  expect(await root.run(`initoverlayfs list ${folder}/initrd init`)).toBe('init');
});

test("it boots Debian's own kernel to multi-user", async () => {
  const vmlinuz = await root.copyOut(`${folder}/linux`, 'integration-kernel-install-vmlinuz');
  const image = await root.copyOut(`${folder}/initrd`, 'integration-kernel-install.img');
  await bootsFromArchive('kernel-install-stock', vmlinuz, image);
});

test('it boots a kernel with the series to multi-user, in place', async () => {
  const image = await root.copyOut(`${folder}/initrd`, 'integration-kernel-install.img');
  await bootsInPlace('kernel-install-patched', image);
});

test('adding it again gives the same files', async () => {
  const before = [await files(), await sums()];
  await root.run(add);
  expect([await files(), await sums()]).toEqual(before);
});

test('a kernel that is removed leaves nothing', async () => {
  await root.run(`kernel-install --entry-token=os-id remove ${release}`);
  expect(await files()).toBe('');
});

test('a UKI gets a combined initrd that starts on a page, after microcode of any length', async () => {
  await root.run(`echo '${ukiCommandLine}' >/etc/kernel/cmdline`);
  await root.run("printf 'layout=uki\\nuki_generator=ukify\\nBOOT_ROOT=/boot\\n' >/etc/kernel/install.conf");
  // A generator of microcode, as some distributions have one.
  const early = 'kernel/x86/microcode/GenuineIntel.bin';
  await root.run(
    `mkdir -p /opt/early/${early.slice(0, early.lastIndexOf('/'))} && seq 1000 >/opt/early/${early}`,
  );
  await root.run('cd /opt/early && find . -mindepth 1 | cpio --quiet -o -H newc -O /opt/microcode.img');
  const plugin = '/etc/kernel/install.d/50-microcode.install';
  await root.run(`mkdir -p /etc/kernel/install.d
    echo '#!/bin/sh' >${plugin}
    echo '[ "$1" != add ] || cp /opt/microcode.img "$KERNEL_INSTALL_STAGING_AREA/microcode"' >>${plugin}
    chmod 755 ${plugin}`);
  await root.run(add);
  const uki = `/boot/EFI/Linux/debian-${release}.efi`;
  const findings = JSON.parse(await root.run(`initoverlayfs verify --json --kernel 7.3 ${uki} 2>/dev/null`));
  expect(findings.images).toMatchObject([{ moved: 0, member: 'kernel/initrd/root.erofs' }]);
  expect(await root.run(`initoverlayfs cat ${uki} init 2>/dev/null | wc -c`)).not.toBe('0');
  made = await root.copyOut(uki, 'integration-kernel-install.efi');
  const before = await sums();
  expect(before).toMatch(/^\S+ {2}\S+\.efi$/);
  await root.run(add);
  expect(await sums()).toBe(before);
  await root.run(`kernel-install --entry-token=os-id remove ${release}`);
  expect(await files()).toBe('');
  await root.run(
    `rm -r /opt/early /opt/microcode.img ${plugin} && rmdir --ignore-fail-on-non-empty /etc/kernel/install.d`,
  );
});

test("the firmware boots that UKI, with Debian's own kernel, to multi-user", async ({ skip }) => {
  const found = await firmware();
  if (found === undefined) return skip(noFirmware);
  await bootsUkiFromArchive('kernel-install-uki', made, found);
});

test('purging the package leaves nothing', async () => {
  await root.run('apt-get -q -y purge initoverlayfs');
  expect(await root.run('find /etc /usr /var/lib /boot -name "*initoverlayfs*"')).toBe('');
});
