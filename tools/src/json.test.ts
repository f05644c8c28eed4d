// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNewcArchive } from './codecs/newc.ts';
import { makeUki } from './fixtures/uki.ts';
import { makeErofs } from './images/erofs.ts';
import { bundle, packageFolder } from './packaging/bundle.ts';
import { device, file, tree } from './trees/tree.ts';

let folder: string;
let readme: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  readme = await readFile(join(packageFolder, 'README.md'), 'utf8');
  const xattrs = new Map([['user.a', Buffer.from('1')]]);
  const image = await makeErofs(
    tree({ init: file('#!/bin/sh\n', { mode: 0o755, xattrs }), null: device('block', 1, 3) }),
  );
  const archive = (data: Uint8Array, more: string) =>
    writeNewcArchive([
      { name: 'kernel', mode: 0o40755, data: Buffer.alloc(0) },
      { name: 'kernel/initrd', mode: 0o40755, data: Buffer.alloc(0) },
      { name: 'kernel/initrd/root.erofs', mode: 0o100644, data },
      { name: more, mode: 0o120777, data: Buffer.from('t\xff', 'latin1') },
    ]);
  const upper = await makeErofs(tree({ init: file('2', { mode: 0o755 }) }));
  const initrd = Buffer.concat([archive(image, 'n'), Buffer.from('junk')]);
  await writeFile(
    join(folder, 'raw.img'),
    Buffer.concat([image, upper, gzipSync(archive(Buffer.of(1), '\xfc'))]),
  );
  await writeFile(join(folder, 'other.img'), gzipSync(archive(Buffer.of(2), '\xfc')));
  await writeFile(join(folder, 'archive.img'), initrd);
  await writeFile(
    join(folder, 'uki.efi'),
    makeUki([
      [
        '.ucode',
        writeNewcArchive([
          { name: 'kernel/x86/microcode/GenuineIntel.bin', mode: 0o100644, data: Buffer.of(1) },
        ]),
      ],
      ['.initrd', archive(image, 'n')],
      ['.profile', 'ID=main\nTITLE=Main\n'],
    ]),
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** Returns the names in backticks of the table of README with this header. */
function documented(header: string): Set<string> {
  const start = readme.indexOf(`| \`${header}\` |`);
  expect(start, header).toBeGreaterThan(0);
  const table = readme.slice(start, readme.indexOf('\n\n', start));
  return new Set([...table.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string));
}

/** Keys of these objects are names of files or of attributes. */
const maps = ['xattrs', 'xattrsBase64'];

function* keysOf(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const each of value) yield* keysOf(each);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      yield key;
      if (!maps.includes(key)) yield* keysOf(inner);
    }
}

test.each([
  ['inspect', ['raw.img'], ['archive.img'], ['uki.efi']],
  ['list', ['raw.img'], ['archive.img'], ['uki.efi']],
  ['verify', ['raw.img'], ['archive.img'], ['uki.efi']],
  ['diff', ['raw.img', 'other.img'], [join(packageFolder, 'cases/bootconfig.img'), 'other.img']],
] as [string, ...string[][]][])('README names every key of %s --json', async (command, ...inputs) => {
  // What `uki` and `file` are is said once.
  const names = new Set([...documented(`${command} --json`), ...documented('inspect --json')]);
  const found = new Set<string>();
  for (const args of inputs) {
    const { stdout } = await execa('node', [bundle, command, ...args, '--json'], {
      cwd: folder,
      reject: false,
    });
    for (const key of keysOf(JSON.parse(stdout))) found.add(key);
  }
  expect([...found].filter((key) => !names.has(key))).toEqual([]);
});

test('JSON has the profile of a unified kernel image, and where its sections are', async () => {
  const { stdout } = await execa('node', [bundle, 'inspect', 'uki.efi', '--json'], { cwd: folder });
  const { uki, segments } = JSON.parse(stdout);
  const bytes = await readFile(join(folder, 'uki.efi'));
  expect(uki).toMatchObject({
    profile: 0,
    title: 'Main',
    sections: [{ name: '.ucode', start: 0 }, { name: '.initrd' }],
  });
  const { offset, start } = uki.sections[1];
  expect(bytes.toString('latin1', offset, offset + 6)).toBe('070701');
  expect(segments.map((segment: { offset: number }) => segment.offset)).toContain(start);
  for (const command of ['list', 'verify']) {
    const other = await execa('node', [bundle, command, 'uki.efi', '--json'], { cwd: folder, reject: false });
    expect(JSON.parse(other.stdout).uki).toEqual(uki);
  }
});
