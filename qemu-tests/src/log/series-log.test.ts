// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { parseLog } from './record.ts';
import { seriesLog } from './series-log.ts';

test('the lines of the series are read', () => {
  const console = [
    '[    0.1] initoverlayfs: 2 erofs images mounted in place, 851968 bytes, rw',
    '[    0.1] initoverlayfs: erofs image moved down by 2048 bytes to offset 0x1000',
    '[    0.2] initoverlayfs: extra files passed to init as descriptor 3; and more',
    '[    0.3] Run /init as init process',
    '[    0.4] initoverlayfs: released 208 pages of initrd memory',
    '',
  ].join('\r\n');
  expect(seriesLog(parseLog(console))).toMatchObject({
    mounted: { images: 2, bytes: 851968, mode: 'rw' },
    extras: true,
    moved: [2048],
    released: [208],
    fallbacks: [],
  });
});

test('a fallback is read, and so is a log without lines of the series', () => {
  const line = 'initoverlayfs: bad superblock checksum; falling back to unpacking the initrd';
  expect(seriesLog(parseLog(`[    0.1] ${line}\r\n`))).toMatchObject({
    mounted: undefined,
    fallbacks: ['bad superblock checksum'],
  });
  expect(seriesLog(parseLog('[    0.3] Run /init as init process\r\n')).lines).toEqual([]);
});
