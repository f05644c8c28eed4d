// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directory, file, type Segment, symlink, tree, treeToNewc, walkSegments } from '@initoverlayfs/tools';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asBuilt, converted, credentialName } from './initrd.ts';

let folder: string;
let original: string;

const early = treeToNewc(
  tree({ early_cpio: file('1\n'), 'kernel/x86/microcode/GenuineIntel.bin': file('microcode') }),
);
const main = treeToNewc(
  tree({
    'usr/lib/systemd/systemd': file('x', { mode: 0o755 }),
    init: symlink('usr/lib/systemd/systemd'),
    etc: directory(),
  }),
);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
  original = join(folder, 'initrd.img');
  writeFileSync(original, Buffer.concat([early, main]));
  for (const program of ['initrd-extra', 'archive-init', 'switch_root'])
    writeFileSync(join(folder, program), program);
});

afterAll(() => rmSync(folder, { recursive: true }));

const kinds = (segments: Segment[]) => segments.map(({ kind }) => kind).filter((kind) => kind !== 'padding');
const names = (segment: Segment | undefined) =>
  segment !== undefined && 'archives' in segment ? segment.archives.flat().map(({ name }) => name) : [];

it('asBuilt keeps the original at the start, byte for byte', async () => {
  const bytes = await asBuilt(original);
  expect(Buffer.from(bytes).subarray(0, early.length + main.length)).toEqual(Buffer.concat([early, main]));
  const segments = await walkSegments(bytes);
  expect(kinds(segments)).toEqual(['early cpio', 'cpio', 'cpio', 'cpio']);
  expect(names(segments.at(-2))).toContain('demo-measure');
  expect(names(segments.at(-1))).toContain(`.extra/credentials/${credentialName}`);
});

it('converted makes early cpio, image and extra, with the probe inside the image', async () => {
  const { image } = await converted(original, folder);
  const segments = await walkSegments(image);
  expect(kinds(segments)).toEqual(['early cpio', 'erofs cpio', 'cpio']);
  expect(names(segments.at(-1))).not.toContain('demo-measure');
  // Names of directory entries are never compressed.
  expect(Buffer.from(image).includes('demo-measure')).toBe(true);
});

it('converted names the file that is no initramfs', async () => {
  const damaged = join(folder, 'damaged.img');
  writeFileSync(damaged, 'garbage');
  await expect(converted(damaged, folder)).rejects.toThrow(`${damaged}: offset 0x0: `);
});
