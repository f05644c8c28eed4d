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
import { versionOf } from './mkfs.ts';

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Digests by the version of mkfs.erofs, which decides the bytes. */
const golden: Record<string, { plain: string; archive: string }> = {
  '1.5': {
    plain: '5acc849503cf9a3a4c4dbb5b2d2e6c4f9cb331239baa0520095c509da62ac75a',
    archive: 'aadf2cd1baf1decb74e5e4947c154b97920b6d31f17bf5739335c6f9f4c4b66e',
  },
  '1.8.6': {
    plain: '5140dee60b64f76b1890e96abf8362789c54c9c0ede2c21a1d4ca7a2c90dedca',
    archive: 'fa5b794f15b768fa140c51f80c6e410d64ef6fd46d528bc8fac33ebfa1492585',
  },
};

/** Versions of lz4 that make the same bytes. Its library has that of the program, being of one source. */
const lz4Versions = ['1.9.4', '1.10.0'];

/** Finds the digests of the mkfs.erofs that is installed, or says that there are none. */
async function goldenHere(): Promise<{ digests?: (typeof golden)[string]; reason: string }> {
  const version = (await versionOf('mkfs.erofs')) ?? 'of an unknown version';
  const digests = golden[version];
  const reason = `mkfs.erofs is ${version}, and digests are of ${Object.keys(golden).join(' and ')}`;
  return { reason, ...(digests ? { digests } : {}) };
}

test('an EROFS image without compression has the golden digest', async ({ skip }) => {
  const { digests, reason } = await goldenHere();
  skip(!digests, reason);
  expect(digestOf(await makeErofs(sampleTree(), { compress: 'none' }))).toBe(digests?.plain);
});

test('an initrd in the archive form has the golden digest', async ({ skip }) => {
  const { digests, reason } = await goldenHere();
  skip(!digests, reason);
  const { stdout } = await execa('lz4', ['--version']);
  const version = /\bv(\d[\d.]*)/.exec(stdout)?.[1] ?? '';
  skip(!lz4Versions.includes(version), `lz4 is ${version}, and digests are of ${lz4Versions.join(' and ')}`);
  const shim = await makeShimFolder();
  const early = tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('ucode') });
  const extras = [tree({ 'etc/extra': file('extra\n', { mtime: 1_700_000_000 }) })];
  try {
    const initrd = await buildInitrd({ roots: [sampleTree()], early, extras, shim });
    expect(digestOf(initrd)).toBe(digests?.archive);
  } finally {
    await rm(shim, { recursive: true });
  }
});
