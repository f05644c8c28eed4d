// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../log/record.ts';
import { checkInitrd, checkRoot } from './boot.ts';
import type { Figures } from './report.ts';

const line = (seconds: number, text: string): LogRecord => ({ us: Math.round(seconds * 1e6), text });
const init = line(0.34, 'Run /init as init process');
const systemd = (seconds: number) => line(seconds, 'systemd[1]: systemd 252 running in system mode (+PAM)');
const gone = line(3, 'initoverlayfs: released 8158 pages of initrd memory');

function figures(changes: Partial<Figures> = {}): Figures {
  return {
    memAvailableKiB: 900_000,
    rootType: 'overlay',
    credentials: [],
    multiUser: undefined,
    failedUnits: [],
    profile: [],
    log: [init],
    ...changes,
  };
}

const atEnd = { rootType: 'ext4', multiUser: 4.5, log: [init, systemd(2.5), gone] };

describe('checkInitrd', () => {
  it('takes each way for what it mounts', () => {
    expect(() => checkInitrd('kernel', figures())).not.toThrow();
    expect(() => checkInitrd('cpio', figures({ rootType: 'rootfs' }))).not.toThrow();
  });

  it.each([
    ['an image that was unpacked after all', 'kernel', { rootType: 'rootfs' }, /rootfs; overlay was to be/],
    ['a cpio that is an overlay', 'cpio', {}, /overlay; rootfs was to be/],
    ['a log without its beginning', 'kernel', { log: [] }, /no "Run \/init"/],
  ] as const)('refuses %s', (_, way, changes, message) => {
    expect(() => checkInitrd(way, figures(changes))).toThrow(message);
  });
});

describe('checkRoot', () => {
  it('takes a boot that came through', () => {
    expect(() => checkRoot('kernel', figures(atEnd))).not.toThrow();
  });

  it.each([
    ['a boot that stayed in the initrd', { rootType: 'overlay' }, /overlay at the end/],
    ['a target that was not reached', { multiUser: undefined }, /not reached/],
    ['failed units', { failedUnits: ['a.service', 'b.mount'] }, /a\.service b\.mount/],
    ['memory that is still held', { log: [init, systemd(2.5)] }, /did not get the initrd memory back/],
    ['a log without systemd', { log: [init, gone] }, /no first line of systemd/],
  ])('refuses %s', (_, changes, message) => {
    expect(() => checkRoot('kernel', figures({ ...atEnd, ...changes }))).toThrow(message);
  });

  it('wants memory back from an image only', () => {
    expect(() => checkRoot('cpio', figures({ ...atEnd, log: [init, systemd(2.5)] }))).not.toThrow();
  });
});
