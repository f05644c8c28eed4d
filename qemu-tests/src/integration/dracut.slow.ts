// SPDX-License-Identifier: GPL-2.0-only

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSystemReport } from '../debian/system-report.ts';
import { kernel } from '../host/kernels.ts';
import { systemdStart } from '../log/marks.ts';
import { type LogRecord, requiredSeconds } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';
import { artefactsOf } from '../machine/vm.ts';
import { bootsFromArchive, bootsInPlace } from './boot.ts';
import { DebianRoot } from './debian-root.ts';
import { kernelPackage } from './system-archive.ts';

// A Debian whose initrds dracut makes when a kernel is installed. The tests go on from one another.

/** Reads what the kernel and the initrd took, in seconds, from the first line of `systemd-analyze time`. */
function startupSeconds(line: string): [kernel: number, initrd: number] {
  const times = /^Startup finished in ([\d.]+)(m?)s \(kernel\) \+ ([\d.]+)(m?)s \(initrd\) \+/.exec(line);
  if (times === null) throw new Error(`no times of kernel and initrd: ${line}`);
  const [, kernel, milli, initrd, milliToo] = times;
  return [Number(kernel) / (milli ? 1000 : 1), Number(initrd) / (milliToo ? 1000 : 1)];
}

const secondsOf = (log: readonly LogRecord[], pattern: RegExp) =>
  log.filter(({ text }) => pattern.test(text)).map(({ us }) => us / 1e6);

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

describe('the times of systemd-analyze, and the end of a shutdown in the initrd as dracut made it,', () => {
  let disk: string;
  let stock: string;
  /** The release of a kernel with the series, and its initrd. */
  let series: string;
  let inPlace: string;

  beforeAll(async () => {
    const guest = join(import.meta.dirname, 'guest');
    await root.copyIn(join(guest, 'shutdown-report'), 'usr/local/sbin/');
    await root.copyIn(join(guest, 'shutdown-report.service'), 'etc/systemd/system/');
    await root.run(
      `systemctl enable shutdown-report.service; echo 1f0e2d3c4b5a69788796a5b4c3d2e1f0 >/etc/machine-id`,
    );
    stock = await root.copyOut(initrd, 'integration-dracut-shutdown.img');
    series = await root.addKernel(await kernel());
    expect(await root.kernelHooks('postinst', series)).toContain('an image that is mounted in place');
    inPlace = await root.copyOut(`/boot/initrd.img-${series}`, 'integration-dracut-series.img');
    disk = await root.disk('integration-dracut.ext4');
  });

  afterAll(async () => {
    await root.run('systemctl disable shutdown-report.service');
    await root.run('rm /usr/local/sbin/shutdown-report /etc/systemd/system/shutdown-report.service');
    await root.kernelHooks('postrm', series);
    await root.run(`rm -r /lib/modules/${series} /boot/config-${series} /boot/vmlinuz-${series}`);
  });

  /**
   * Boots to the end of a shutdown. Expects it to be in the initrd as dracut made it, and systemd's times to be those of
   * the kernel and of the initrd.
   */
  async function shutDown(
    on: string,
    vmlinuz: string,
    image: string,
    look: (log: readonly LogRecord[]) => void,
  ) {
    const name = `integration-dracut-shutdown ${on}`;
    const report = join(artefactsOf(name), 'report.txt');
    const append = 'root=/dev/vda rootfstype=ext4 rw systemd.log_target=kmsg';
    const machine = { disks: [disk], memoryMiB: 1024, icount: 'sleep', timeoutSeconds: 1200 } as const;
    const options = { name, kernel: vmlinuz, initrd: image, append, ...machine, serialLogs: [report] };
    await trial(options, ({ console }) => {
      const found = parseSystemReport(readFileSync(report, 'latin1'));
      const [inKernel, inInitrd] = startupSeconds(found.values('times').join());
      // The log has lines from before and after each of these moments: systemd starts in the initrd, which ends the
      // kernel's part, and in the root, which ends the initrd's. A line that is missing is out of order.
      const handedOver =
        secondsOf(found.log, /^Run \/init |^storage-init: /).at(-1) ?? Number.POSITIVE_INFINITY;
      const left = requiredSeconds(found.log, /^systemd\[1\]: Switching root/);
      const [inside = 0, outside = 0] = secondsOf(found.log, systemdStart);
      const moments = [handedOver, inKernel, inside, left, inKernel + inInitrd, outside];
      expect(moments).toEqual([...moments].sort((a, b) => a - b));
      look(found.log);
      expect(found.values('result')).toEqual(['success']);
      expect(found.values('exitrd')).toEqual(['shutdown', 'bin/sh', 'usr/lib/os-release']);
      expect(console).toMatch(/Successfully changed into root pivot|Returning to initrd/);
    });
  }

  test("are right of an image that Debian's own kernel mounts from an archive", async () => {
    await shutDown('stock', vmlinuz, stock, (log) => {
      expect(storageLog(log)).toContainEqual(expect.stringMatching(/root\.erofs/));
    });
  });

  test('are right of an image that a kernel with the series mounts in place', async () => {
    await shutDown('series', await kernel(), inPlace, (log) => {
      expect(seriesLog(log).mounted).toMatchObject({ images: 1 });
      expect(seriesLog(log).released).toHaveLength(1);
    });
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
