// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { makeShimFolder } from '../fixtures/shim.ts';
import { sampleTree } from '../fixtures/tree.ts';
import { file, tree } from '../trees/tree.ts';
import { buildInitrd } from './build.ts';
import { makeErofs } from './erofs.ts';

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Versions whose bytes the digests are of. mkfs.erofs names its version in its usage, and lz4 is of one source with its library. */
const known = { 'mkfs.erofs': '1.5', lz4: '1.9.4' };

/** Names the program that is of another version, which makes other images. */
async function otherVersion(...programs: (keyof typeof known)[]): Promise<string | undefined> {
  for (const program of programs) {
    const { all = '' } = await execa(program, ['--version'], { all: true, reject: false });
    const found = /\b[ v](\d+\.\d+[^\s,*]*)/.exec(all)?.[1];
    if (found !== known[program]) return `${program} is ${found}, and the digest is of ${known[program]}`;
  }
  return undefined;
}

test('an EROFS image without compression has the golden digest', async ({ skip }) => {
  const other = await otherVersion('mkfs.erofs');
  skip(other !== undefined, other);
  expect(digestOf(await makeErofs(sampleTree(), { compress: 'none' }))).toBe(
    '5acc849503cf9a3a4c4dbb5b2d2e6c4f9cb331239baa0520095c509da62ac75a',
  );
});

test('an initrd in the archive form has the golden digest', async ({ skip }) => {
  const other = await otherVersion('mkfs.erofs', 'lz4');
  skip(other !== undefined, other);
  const shim = await makeShimFolder();
  const early = tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('ucode') });
  const extras = [tree({ 'etc/extra': file('extra\n', { mtime: 1_700_000_000 }) })];
  try {
    expect(digestOf(await buildInitrd({ roots: [sampleTree()], early, extras, shim }))).toBe(
      'aadf2cd1baf1decb74e5e4947c154b97920b6d31f17bf5739335c6f9f4c4b66e',
    );
  } finally {
    await rm(shim, { recursive: true });
  }
});
