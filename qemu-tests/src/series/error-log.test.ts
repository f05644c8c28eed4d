// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import { findInode, patchBytes } from '../images/damage.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { bootable } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { resultsOf } from '../machine/verdict.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// What a damaged extent costs whoever reads it: some lines of the log and no time to speak of, though it has more than
// a thousand pages, and each of them is an error of its own.

const block = 4096;
const size = 8 << 20;

/** Returns an image with a file of one byte after the other whose extents are all outside the image. */
async function damaged(): Promise<Buffer> {
  const sound = await erofs(
    { ...(await bootable()), bad: file(Buffer.alloc(size, 'extent')) },
    { compress: 'lz4hc', mkfsArgs: ['-Elegacy-compress', '-C65536'] },
  );
  return patchBytes(sound, (bytes) => {
    const inode = findInode(bytes, 0o100644, size);
    // A map header of 8 bytes, 8 reserved, then 8 bytes a logical cluster: advice, offset, block.
    const first = Math.ceil((inode.offset + inode.size) / 8) * 8 + 16;
    const clusters = Array.from({ length: size / block }, (_, n) => first + 8 * n);
    const heads = clusters.filter((at) => (bytes.readUInt16LE(at) & 3) === 1);
    expect(heads.length).toBeLessThan(5);
    for (const head of heads) bytes.writeUInt32LE(0x00f0_0000, head + 4);
  });
}

test('reading a damaged extent writes ten lines to the log, and reading it again takes no time', async ({
  skip,
}) => {
  skip(onDebug, 'its guest clock is no figure');
  const again: Step[] = [
    ['say', 'start'],
    ['cat', '/bad'],
    ['say', 'end'],
  ];
  await trial(
    {
      name: 'error log',
      kernel: await kernel(),
      initrd: await initrd('error log', await damaged()),
      // The kernel counts what it did not say for five seconds, and says how many that was with the next error.
      steps: [['walk', '/bad', 'r'], ['sleep', 6], ['walk', '/bad', 'r'], ...again],
      icount: 'no-sleep',
    },
    ({ verdict, log }) => {
      expect(resultsOf(verdict, 'walk').map(({ rows }) => rows[0])).toMatchObject([
        { size, read: 'EIO' },
        { size, read: 'EIO' },
      ]);
      const lines = linesOf(log, /^erofs:? \(device .*\): .*error|callbacks suppressed/);
      const after = lines.findIndex((line) => line.includes('suppressed'));
      expect(lines.slice(0, after)).toHaveLength(10);
      expect(lines[after]).toMatch(/^_erofs_(printk|err): 1\d\d\d callbacks suppressed$/);
      expect(lines.slice(after + 1)).toEqual(
        Array(2).fill(expect.stringMatching(/: read error -5 @ 0 of nid /)),
      );

      const [start = Number.NaN, end] = log
        .filter(({ text }) => text === 'start' || text === 'end')
        .map(({ us }) => us);
      // To ask for each page of the extent takes longer by far.
      expect((end ?? Number.NaN) - start).toBeLessThan(200);
    },
  );
});
