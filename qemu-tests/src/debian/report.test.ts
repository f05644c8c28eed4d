// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest';
import { released, runInit, systemdStart } from '../log/marks.ts';
import { secondsAt } from '../log/record.ts';
import { parseFigures } from './report.ts';

const report = [
  'memory MemTotal 995152',
  'memory MemAvailable 955000',
  'percpu 30',
  'percpu 8',
  'read /init',
  'read /usr/a\\x5cb',
  'root rootfs',
  'root ext4',
  'credential demo.cred',
  'ActiveEnterTimestampMonotonic=4705889',
  'UserspaceTimestampMonotonic=3391142',
  'log [    0.279304] Unpacking initramfs...',
  'log [    1.641441] Run /init as init process',
  'log [    1.641442]   with arguments:',
  'log [    1.665709] systemd[1]: systemd 252.39-1~deb12u2 running in system mode (+PAM +AUDIT)',
  'log <6>[    3.384845] systemd[1]: systemd 252.39-1~deb12u2 running in system mode (+PAM +AUDIT)',
  'log a second line of something',
  'done',
  '',
].join('\r\n');

describe('parseFigures', () => {
  it('reads a whole report', () => {
    const figures = parseFigures(report);
    expect(figures).toMatchObject({
      memAvailableKiB: 955152,
      rootType: 'ext4',
      credentials: ['demo.cred'],
      multiUser: 4.705889,
      failedUnits: [],
      profile: ['/init', '/usr/a\\x5cb'],
    });
    expect(figures.log).toHaveLength(6);
    expect(secondsAt(figures.log, runInit)).toBe(1.641441);
    expect(secondsAt(figures.log, systemdStart)).toBe(1.665709);
    expect(secondsAt(figures.log, released)).toBeUndefined();
  });

  it('has no multi-user time in an initrd or when the target was not reached', () => {
    expect(parseFigures(report.replace(/Active.*=4705889\r\n/, '')).multiUser).toBeUndefined();
    expect(parseFigures(report.replace('4705889', '0')).multiUser).toBeUndefined();
  });

  it('refuses a report that stops early', () => {
    expect(() => parseFigures(report.replace('done', ''))).toThrow('did not finish');
    expect(() => parseFigures('done\n')).toThrow('no memory MemAvailable');
  });
});
