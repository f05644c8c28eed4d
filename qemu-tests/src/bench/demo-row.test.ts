// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest';
import type { Figures } from '../debian/report.ts';
import type { LogRecord } from '../log/record.ts';
import { type Candidate, rowOf } from './demo-row.ts';

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
    log: [init],
    ...changes,
  };
}

const atEnd = { rootType: 'ext4', multiUser: 4.5, log: [init, systemd(2.5), gone] };

describe('rowOf', () => {
  const candidate: Candidate = { path: 'kernel', image: 'x', kernel: 'k', initrd: 'i', disk: 'd' };

  it("takes systemd's first start, in the initrd if it is there", () => {
    const root = figures({ ...atEnd, memAvailableKiB: 950_000 });
    expect(rowOf(candidate, 1000, figures({ log: [init, systemd(0.36)] }), root)).toEqual({
      path: 'kernel',
      image: 'x',
      imageBytes: 1000,
      runInit: 0.34,
      systemdStart: 0.36,
      multiUser: 4.5,
      memAvailableKiB: 900_000,
      memAfterSwitchRootKiB: 950_000,
    });
    expect(rowOf(candidate, 1000, figures(), root).systemdStart).toBe(2.5);
  });
});
