// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemBoot } from '../debian/system-report.ts';
import { kernel } from '../host/kernels.ts';
import { seriesLog } from '../log/series-log.ts';
import { DebianRoot } from './debian-root.ts';
import { kernelPackage } from './system-archive.ts';

// A Debian whose kdump-tools makes an initrd of its own for the crash kernel. The tests go on from one another.

let root: DebianRoot;
/** A kernel with the series, which is no package. */
let release: string;
let initrd: string;

const kdump = '/var/lib/kdump';

beforeAll(async () => {
  root = await DebianRoot.make('kdump-tools');
  await root.installProject();
  release = await root.addKernel(await kernel());
  initrd = `${kdump}/initrd.img-${release}`;
});

afterAll(() => root?.remove());

test('a kernel with the series gets a combined initrd for its crash kernel, and the original beside it', async () => {
  expect(await root.kernelHooks('postinst', release)).toContain(`${initrd}.original`);
  expect(await root.run(`initoverlayfs inspect --raw ${initrd}`)).toContain('kernel/initrd/root.erofs');
  expect(await root.run(`lsinitramfs ${initrd}.original`)).toContain('\netc/kdump/sysctl.conf\n');
});

test('a kernel without the series keeps the initrd for its crash kernel', async () => {
  const said = await root.install(kernelPackage);
  expect(said).toContain(`kdump-tools: Generating ${kdump}/initrd.img-`);
  expect(said).not.toContain(`initoverlayfs: ${kdump}`);
  expect((await root.run(`ls ${kdump} | grep original`)).trim()).toBe(`initrd.img-${release}.original`);
});

test('after a panic, the crash kernel boots in place from it and saves the dump', async () => {
  const guest = join(import.meta.dirname, 'guest');
  await root.copyIn(join(guest, 'kdump-report'), 'usr/local/sbin/');
  await root.copyIn(join(guest, 'kdump-report.service'), 'etc/systemd/system/');
  await root.run('mkdir /etc/systemd/system/kdump-tools-dump.service.d');
  await root.copyIn(join(guest, 'kdump-dump.conf'), 'etc/systemd/system/kdump-tools-dump.service.d/');
  // The test kernel has no /proc/kcore, which kexec reads unless the kernel itself loads the files. To compress the dump
  // takes longer than all else in the crash kernel.
  await root.run(`printf '%s\\n' KDUMP_KEXEC_ARGS=-s "MAKEDUMP_ARGS='-d 31'" >>/etc/default/kdump-tools
    systemctl enable kdump-report.service; echo 1f0e2d3c4b5a69788796a5b4c3d2e1f0 >/etc/machine-id`);
  const options = {
    name: 'integration-kdump',
    kernel: await kernel(),
    disks: [await root.disk('integration-kdump.ext4')],
    // crashkernel= is what kdump-tools gives GRUB.
    append: 'root=/dev/vda rootfstype=ext4 rw crashkernel=384M-:128M',
    memoryMiB: 1024,
    icount: 'sleep',
    timeoutSeconds: 1800,
    provoked: /panic - not syncing: sysrq triggered crash/,
  } as const;
  await systemBoot(options, ({ values, log }) => {
    expect(values('loaded')).toEqual(['1']);
    expect(values('initrd')).toEqual([initrd]);
    // kdump-config has made it anew, and called no hook but its own.
    expect(values('start')).toContainEqual(expect.stringContaining(`kdump-tools: Generating ${initrd}`));
    expect(values('start')).toContainEqual(expect.stringContaining('an image that is mounted in place'));
    expect(seriesLog(log).mounted).toMatchObject({ images: 1 });
    expect(values('vmcore')).toEqual(['177ELF']);
    expect(values('saved')).toEqual(['0']);
    expect(values('dump').join()).toMatch(/^makedumpfile \d{7,}$/);
    expect(values('panic').join()).toMatch(/sysrq triggered crash/);
  });
});

test('without the package the initrd is again the original, and nothing is left of it', async () => {
  const original = (await root.run(`sha256sum <${initrd}.original`)).trim();
  await root.run('apt-get -q -y remove initoverlayfs');
  expect((await root.run(`sha256sum <${initrd}`)).trim()).toBe(original);
  await root.run('apt-get -q -y purge initoverlayfs');
  expect(await root.run(`find ${kdump} /usr /etc -name '*original*' -o -name '*initoverlayfs*'`)).toBe('');
});

test('with the kernel its original is removed', async () => {
  await root.install('/opt/initoverlayfs.deb');
  expect(await root.kernelHooks('postinst', release)).toContain(`${initrd}.original`);
  await root.kernelHooks('postrm', release);
  expect(await root.run(`ls ${kdump} | grep ${release} || :`)).toBe('');
});
