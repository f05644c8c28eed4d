// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'vitest';
import type { WholeSystem } from '../debian/system.ts';
import type { SystemReport } from '../debian/system-report.ts';

/** Returns the words for a whole system, of whose report there are these parts and no more of systemd than is wrong. */
export const wholeSystemWords = (report: 'write' | 'read,write') =>
  `initoverlayfs.size=128M systemd.log_level=warning system.report=${report}`;

/** Expects a whole Debian on an overlay to be complete and at work, with a writable layer that was filled up once. */
export function expectWholeSystem({ usr }: WholeSystem, report: SystemReport): void {
  const { values } = report;
  expect(values('failed')).toEqual([]);
  expect(values('state')).toEqual(['running']);
  expect(values('root')).toEqual(['overlay']);
  expect(values('init')).toEqual([expect.stringMatching(/\/lib\/systemd\/systemd$/)]);
  expect(values('files')).toEqual([`${usr.files} ${usr.bytes}`]);
  expect(values('mode')).toEqual(['/dev 755', '/dev/console 600', '/dev/null 666', '/root 700', '/tmp 1777']);
  // A package is installed, and a program has a mount and a PID namespace of its own.
  expect(values('apt')).toEqual(['0 install ok installed']);
  expect(values('container')).toEqual(['2']);
  // A full layer is ENOSPC for who writes to it, and nothing else.
  expect(values('full')).toEqual([expect.stringMatching(/No space left on device$/)]);
  expect(values('full-run')).toEqual(['text']);
  expect(values('full-read')).toEqual([expect.stringMatching(/^[0-9a-f]{8}$/)]);
  expect(values('full-over')).toEqual(['text']);
  expect(values('state-after')).toEqual(['running']);
}
