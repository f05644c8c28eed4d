// SPDX-License-Identifier: GPL-2.0-only
import { beforeAll, describe, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { seriesLog } from '../log/series-log.ts';
import { systemInitrd, systemTar } from './system.ts';
import { type SystemReport, systemBoot } from './system-report.ts';

needs('INITOVERLAYFS', 'CGROUPS', 'UNIX', 'INOTIFY_USER', 'NAMESPACES', 'USER_NS', 'PID_NS');

// A whole Debian in the initrd, never left: what its users would try first.

let tar: string;

beforeAll(async () => {
  tar = await systemTar('small');
});

const one = (report: SystemReport, name: string) => report.values(name)[0];

describe.each([
  ['none', ['--compress', 'none']],
  ['lz4hc', []],
] as const)('a Debian with systemd as an image, %s', (compress, options) => {
  let report: SystemReport;

  beforeAll(async () => {
    report = await systemBoot(
      {
        name: `system-${compress}`,
        kernel: await kernel(),
        initrd: await systemInitrd(tar, ...options),
        append: 'initoverlayfs.size=128M systemd.log_level=warning',
        memoryMiB: 1024,
        timeoutSeconds: 600,
      },
      () => {},
    );
  });

  test('is mounted in place and boots to its end without a failed unit', () => {
    expect(seriesLog(report.log).mounted).toMatchObject({ images: 1 });
    expect(report.values('failed')).toEqual([]);
    expect(one(report, 'state')).toBe('running');
    expect(one(report, 'root')).toBe('overlay');
    expect(one(report, 'init')).toMatch(/\/lib\/systemd\/systemd$/);
  });

  test('has its folders and devices with the right modes', () => {
    expect(report.values('mode')).toEqual([
      '/dev 755',
      '/dev/console 600',
      '/dev/null 666',
      '/root 700',
      '/tmp 1777',
    ]);
  });

  test('installs a package and runs a container', () => {
    expect(one(report, 'apt')).toBe('0 install ok installed');
    expect(one(report, 'container')).toBe('2');
  });

  test('says ENOSPC when its writable layer is full, and goes on', () => {
    expect(one(report, 'full')).toMatch(/No space left on device$/);
    expect(one(report, 'full-run')).toBe('text');
    expect(one(report, 'full-read')).toMatch(/^[0-9a-f]{8}$/);
    expect(one(report, 'full-over')).toBe('text');
    expect(one(report, 'state-after')).toBe('running');
  });
});
