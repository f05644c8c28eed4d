// SPDX-License-Identifier: GPL-2.0-only

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSystemReport, type SystemReport } from '../debian/system-report.ts';
import { kernel } from '../host/kernels.ts';
import { systemdStart } from '../log/marks.ts';
import { requiredSeconds } from '../log/record.ts';
import { trial } from '../machine/trial.ts';
import { artefactsOf, type Boot } from '../machine/vm.ts';
import { bootsFromArchive, bootsInPlace } from './boot.ts';
import { DebianRoot } from './debian-root.ts';
import { kernelPackage } from './system-archive.ts';

// A Debian whose initrds dracut makes when a kernel is installed. The tests go on from one another.

/** Reads what the kernel and the initrd took, in seconds, from the first line of `systemd-analyze time`. */
function startupSeconds(line: string): number[] {
  const times = /^Startup finished in ([\d.]+)(m?)s \(kernel\) \+ ([\d.]+)(m?)s \(initrd\) \+/.exec(line);
  if (times === null) throw new Error(`no times of kernel and initrd: ${line}`);
  const [, kernel, milli, initrd, milliToo] = times;
  return [Number(kernel) / (milli ? 1000 : 1), Number(initrd) / (milliToo ? 1000 : 1)];
}

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

describe('systemd-analyze, and a shutdown', () => {
  let disk: string;
  let image: string;

  beforeAll(async () => {
    const guest = join(import.meta.dirname, 'guest');
    await root.copyIn(join(guest, 'shutdown-report'), 'usr/local/sbin/');
    await root.copyIn(join(guest, 'shutdown-report.service'), 'etc/systemd/system/');
    await root.run(
      `systemctl enable shutdown-report.service; echo 1f0e2d3c4b5a69788796a5b4c3d2e1f0 >/etc/machine-id`,
    );
    image = await root.copyOut(initrd, 'integration-dracut-shutdown.img');
    disk = await root.disk('integration-dracut.ext4');
  });

  afterAll(async () => {
    await root.run('systemctl disable shutdown-report.service');
    await root.run('rm /usr/local/sbin/shutdown-report /etc/systemd/system/shutdown-report.service');
  });

  /** Boots to the end of a shutdown, and expects systemd's times to be of the kernel and the initrd. */
  async function shutDown(on: string, vmlinuz: string, look: (report: SystemReport, boot: Boot) => void) {
    const name = `integration-dracut-shutdown ${on}`;
    const report = join(artefactsOf(name), 'report.txt');
    const append = 'root=/dev/vda rootfstype=ext4 rw systemd.log_target=kmsg';
    const machine = { disks: [disk], memoryMiB: 1024, icount: 'sleep', timeoutSeconds: 1200 } as const;
    const options = { name, kernel: vmlinuz, initrd: image, append, ...machine, serialLogs: [report] };
    await trial(options, (boot) => {
      const found = parseSystemReport(readFileSync(report, 'latin1'));
      // The kernel's part ends where systemd starts, in the initrd.
      const [inKernel = 0, inInitrd = 0] = startupSeconds(found.values('times').join());
      expect(inKernel).toBeCloseTo(requiredSeconds(found.log, systemdStart), 0);
      expect(inInitrd).toBeGreaterThan(0.1);
      look(found, boot);
    });
  }

  test("with Debian's own kernel the end is in the initrd as dracut made it", async () => {
    await shutDown('stock', vmlinuz, ({ values }, { console }) => {
      expect(values('result')).toEqual(['success']);
      expect(values('exitrd')).toEqual(['shutdown', 'bin/sh', 'usr/lib/os-release']);
      expect(console).toMatch(/Successfully changed into root pivot|Returning to initrd/);
    });
  });

  // dracut looks for an initrd of the running kernel's release, and this kernel is not installed.
  test('systemd-analyze knows of an initrd that is mounted in place', async () => {
    await shutDown('series', await kernel(), ({ values }) => expect(values('exitrd')).toEqual([]));
  });
});

test('the hook does nothing the second time', async () => {
  const sums = () => root.run('cd /boot && sha256sum initrd* && stat -c "%n %y" initrd*');
  const was = await sums();
  expect(await root.run(`run-parts --arg=${release} --arg=${initrd} /etc/initramfs/post-update.d`)).toBe('');
  expect(await sums()).toBe(was);
});

test('without the package the initrd is again the original, and nothing is left of both', async () => {
  const original = (await root.run(`sha256sum <${initrd}.original`)).trim();
  await root.run('apt-get -q -y remove initoverlayfs');
  expect((await root.run(`sha256sum <${initrd}`)).trim()).toBe(original);
  await root.run(`apt-get -q -y purge linux-image-${release} initoverlayfs`);
  expect(await root.run('ls /boot')).toBe('');
  expect((await root.paths()).filter((path) => !before.includes(path))).toEqual([]);
});
