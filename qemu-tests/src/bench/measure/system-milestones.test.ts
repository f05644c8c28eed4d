// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../log/record.ts';
import { systemMilestones } from './system-milestones.ts';

const line = (seconds: number, text: string): LogRecord => ({ us: Math.round(seconds * 1e6), text });
const kernel = [
  line(0.27, 'calling  populate_rootfs+0x0/0x50 @ 1'),
  line(0.33, 'initcall populate_rootfs+0x0/0x50 returned 0 after 60000 usecs'),
  line(0.35, 'Run /init as init process'),
];
const storage = [
  line(0.36, 'storage-init: bootfs=UUID=3f1c is /dev/vda, after 2 ms'),
  line(0.37, 'storage-init: /initoverlayfs.img (erofs) is attached to /dev/loop0'),
];
const systemd = (seconds: number) => line(seconds, 'systemd[1]: systemd 252 running in system mode (+PAM)');
const boot = (...log: LogRecord[]) => ({ log, multiUser: 4.5 });

describe('systemMilestones', () => {
  it('takes the first systemd for its start, and the last for the one that leaves the initrd', () => {
    const at = systemMilestones('cpio-zstd-19', boot(...kernel, systemd(0.4), systemd(2.5)));
    expect(at).toEqual({
      ...{ initrdStart: 0.27, initrdEnd: 0.33, runInit: 0.35, init: 0.35, systemd: 0.4 },
      ...{ left: 2.5, multiUser: 4.5 },
    });
  });

  it('takes the one in the real root for both where the initrd has none', () => {
    const { systemd: first, left } = systemMilestones('kernel-none', boot(...kernel, systemd(2.5)));
    expect([first, left]).toEqual([2.5, 2.5]);
  });

  it("begins with the distribution's init when storage-init is through", () => {
    const { runInit, init } = systemMilestones('user-disk-loop', boot(...kernel, ...storage, systemd(0.4)));
    expect([runInit, init]).toEqual([0.35, 0.37]);
  });

  it.each([
    ['without its beginning', 'cpio-none', boot(...kernel.slice(1), systemd(2.5)), /no .*populate_rootfs/],
    ['without storage-init', 'user-cpio-loop', boot(...kernel, systemd(2.5)), /no .*storage-init/],
    ['without systemd', 'cpio-none', boot(...kernel), /no .*systemd/],
    ['that goes back in time', 'cpio-none', boot(...kernel, systemd(0.3)), /out of order/],
    [
      'that never got there',
      'cpio-none',
      { log: [...kernel, systemd(2.5)], multiUser: undefined },
      /out of order/,
    ],
  ] as const)('refuses a boot %s', (_, way, figures, message) => {
    expect(() => systemMilestones(way, figures)).toThrow(message);
  });
});
