// SPDX-License-Identifier: GPL-2.0-only

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSystemReport } from '../debian/system-report.ts';
import { artefactsRoot } from '../host/artefacts.ts';
import { trial } from '../machine/trial.ts';
import { bootsFromArchive, bootsInPlace } from './boot.ts';
import { DebianRoot } from './debian-root.ts';
import { kernelPackage } from './system-archive.ts';

// A Debian whose initrds dracut makes when a kernel is installed. The tests go on from one another.

let root: DebianRoot;
let before: string[];
let installed: string;
let release: string;
let initrd: string;
let vmlinuz: string;

beforeAll(async () => {
  root = await DebianRoot.make('dracut');
  before = await root.paths();
  await root.installProject();
  installed = await root.install(kernelPackage);
  release = await root.release();
  initrd = `/boot/initrd.img-${release}`;
  vmlinuz = await root.copyOut(`boot/vmlinuz-${release}`, 'integration-dracut-vmlinuz');
});

afterAll(() => root?.remove());

test('a kernel that is installed gets a combined initrd, and lsinitrd reads the original beside it', async () => {
  expect(installed).toContain(`${initrd}.original`);
  expect(await root.run(`initoverlayfs inspect --raw ${initrd}`)).toContain('kernel/initrd/root.erofs');
  const modules = 'usr/lib/dracut/modules.txt';
  const listed = await root.run(`lsinitrd -f ${modules} ${initrd}.original`);
  expect(listed).toContain('systemd-initrd');
  expect(await root.run(`initoverlayfs cat ${initrd} ${modules}`)).toBe(listed);
});

test("it boots Debian's own kernel to multi-user", async () => {
  const image = await root.copyOut(initrd, 'integration-dracut-stock.img');
  await bootsFromArchive('dracut-stock', vmlinuz, image);
});

test('it boots a kernel with the series to multi-user, in place', async () => {
  await bootsInPlace('dracut-patched', await root.copyOut(initrd, 'integration-dracut.img'));
});

test('a shutdown goes back to the initrd as dracut made it', async () => {
  const guest = join(import.meta.dirname, 'guest');
  await root.copyIn(join(guest, 'shutdown-report'), 'usr/local/sbin/');
  await root.copyIn(join(guest, 'shutdown-report.service'), 'etc/systemd/system/');
  await root.run(
    `systemctl enable shutdown-report.service; echo 1f0e2d3c4b5a69788796a5b4c3d2e1f0 >/etc/machine-id`,
  );
  const name = 'integration-dracut-shutdown';
  const report = join(artefactsRoot, name, 'report.txt');
  await trial(
    {
      name,
      kernel: vmlinuz,
      initrd: await root.copyOut(initrd, 'integration-dracut-shutdown.img'),
      disks: [await root.disk('integration-dracut.ext4')],
      append: 'root=/dev/vda rootfstype=ext4 rw systemd.log_target=kmsg',
      memoryMiB: 1024,
      icount: 'sleep',
      timeoutSeconds: 1200,
      serialLogs: [report],
    },
    ({ console }) => {
      const { values } = parseSystemReport(readFileSync(report, 'latin1'));
      expect(values('result')).toEqual(['success']);
      expect(values('exitrd')).toEqual(['shutdown', 'bin/sh', 'usr/lib/os-release']);
      expect(console).toMatch(/Successfully changed into root pivot|Returning to initrd/);
    },
  );
  await root.run('systemctl disable shutdown-report.service');
  await root.run('rm /usr/local/sbin/shutdown-report /etc/systemd/system/shutdown-report.service');
});

test('without the package the initrd is again the original, and nothing is left of both', async () => {
  const original = (await root.run(`sha256sum <${initrd}.original`)).trim();
  await root.run('apt-get -q -y remove initoverlayfs');
  expect((await root.run(`sha256sum <${initrd}`)).trim()).toBe(original);
  await root.run(`apt-get -q -y purge linux-image-${release} initoverlayfs`);
  expect(await root.run('ls /boot')).toBe('');
  expect((await root.paths()).filter((path) => !before.includes(path))).toEqual([]);
});
