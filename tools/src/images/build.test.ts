// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { inspectInitrd } from '../segments/inspect.ts';
import { walkSegments } from '../segments/walk.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';
import { buildInitrd } from './build.ts';
import { extraCompressions } from './extra.ts';

const root = tree({ init: file('#!/bin/sh\n', { mode: 0o755 }) });
const early = tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('ucode') });
const extra = tree({ credential: file('secret') });

async function kinds(image: Uint8Array): Promise<string[]> {
  const segments = (await walkSegments(image)).filter(({ kind }) => kind !== 'padding');
  return segments.map((segment) =>
    'compression' in segment ? `${segment.kind} ${segment.compression}` : segment.kind,
  );
}

test.each(extraCompressions)(
  'parts are in their order with extras compressed by %s, and inspect warns of nothing',
  async (extraCompress) => {
    const image = await buildInitrd({ roots: [root, extra], early, extras: [extra, extra], extraCompress });
    const cpio = `cpio ${extraCompress}`;
    expect(await kinds(image)).toEqual(['early cpio none', 'erofs', 'erofs', cpio, cpio]);
    expect((await inspectInitrd(image)).warnings).toEqual([]);
  },
);

test('an early archive stays byte for byte', async () => {
  const bytes = treeToNewc(early);
  const image = await buildInitrd({ roots: [root], early: bytes });
  expect(Buffer.compare(image.subarray(0, bytes.length), bytes)).toBe(0);
});

test.each([4, 512, 4096, 2 ** 21])('an EROFS image starts at a multiple of %d', async (align) => {
  const image = await buildInitrd({ roots: [root], early, align });
  const erofs = (await walkSegments(image)).find(({ kind }) => kind === 'erofs');
  expect((erofs?.offset ?? 1) % align).toBe(0);
});
