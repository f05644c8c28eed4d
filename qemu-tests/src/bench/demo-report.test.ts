// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest';
import { type Report, reportSchema, reportTable } from './demo-report.ts';

const row = {
  path: 'cpio',
  image: 'initramfs-tools',
  imageBytes: 22_426_009,
  runInit: 1.639927,
  systemdStart: 1.663845,
  multiUser: 4.705889,
  memAvailableKiB: 891_116,
  memAfterSwitchRootKiB: 955_152,
};

describe('reportSchema', () => {
  it('takes a whole report', () => {
    expect(reportSchema.safeParse({ rows: [row] }).success).toBe(true);
  });

  it.each([
    ['no rows', { rows: [] }],
    ['an unknown path', { rows: [{ ...row, path: 'disk' }] }],
    ['a time that was not measured', { rows: [{ ...row, multiUser: Number.NaN }] }],
    ['a missing figure', { rows: [{ ...row, memAvailableKiB: undefined }] }],
    ['a figure too many', { rows: [{ ...row, more: 1 }] }],
  ])('refuses %s', (_, report) => {
    expect(reportSchema.safeParse(report).success).toBe(false);
  });
});

describe('reportTable', () => {
  it('lines up and fits on a narrow terminal', () => {
    const report = { rows: [row, { ...row, path: 'kernel', image: 'dracut', runInit: 0.34 }] } as Report;
    expect(reportTable(report)).toBe(
      [
        'image            path    file MB  Run /init  systemd  multi-user  avail. initrd  avail. root',
        'initramfs-tools  cpio       22.4      1.640    1.664        4.71          870.2        932.8',
        'dracut           kernel     22.4      0.340    1.664        4.71          870.2        932.8',
        '',
      ].join('\n'),
    );
  });
});
