// SPDX-License-Identifier: GPL-2.0-only
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { writeNewcArchive } from '../codecs/newc.ts';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { bytesOf, sizeOf } from '../trees/content.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { contentOf, device, type File, file, lookUp, type Tree, tree } from '../trees/tree.ts';
import { archiveParts } from './archive.ts';
import { readDistribution } from './distribution.ts';
import { makeErofs } from './erofs.ts';
import { concatenateInitrd } from './initrd.ts';
import { readEverything } from './root.ts';
import { type PartName, readView, type View, type ViewOptions, walkPart } from './view.ts';

const first = tree({ init: file('first'), 'etc/x': file('old'), 'etc/y': file('y'), 'd/e': file('e') });
const second = tree({ 'etc/x': file('new'), d: device('character', 0, 0) });
const third = tree({ 'cred/c': file('c') });

const view = (parts: Uint8Array[], options: ViewOptions = {}, align = 4) =>
  withWork((work) =>
    readView(asSource(concatenateInitrd(parts.map((bytes) => ({ bytes, align })))), work, options),
  );
const names = (seen: View, part: PartName) =>
  [...walkPart(seen.parts[part])].map(({ path, origin }) => `${path} ${origin.segment}`);
const originOf = (seen: View, wanted: string) =>
  [...walkPart(seen.parts.main)].find(({ path }) => path === wanted)?.origin;
const text = (root: Tree, path: string) => {
  const inode = lookUp(root, path);
  return inode?.type === 'file' ? Buffer.from(bytesOf(contentOf(inode))).toString() : inode?.type;
};

describe('a hard link to a name of an archive before', () => {
  const linked = { ino: 1, nlink: 2, mode: 0o100644 };
  const one = writeNewcArchive([{ name: 'one', data: Buffer.from('data'), ...linked }]);
  const two = writeNewcArchive([{ name: 'two', data: Buffer.alloc(0), ...linked }]);
  // Its trailer is a header of 110 bytes and a name.
  const open = one.subarray(0, one.length - 124);

  test.each([
    ['without a trailer', open, 'data'],
    ['in gzip without a trailer', gzipSync(open), 'data'],
    ['with a trailer', one, ''],
    ['in gzip with a trailer', gzipSync(one), ''],
  ])('%s is what the kernel makes of it', async (_, before, content) => {
    await withWork(async (work) => {
      const initrd = concatenateInitrd([{ bytes: before }, { bytes: gzipSync(two) }]);
      const seen = await readView(asSource(initrd), work, { keep: () => true });
      const roots = [
        seen.parts.main.root,
        await readEverything(asSource(initrd), work),
        (await readDistribution(initrd)).root,
      ];
      for (const root of roots) {
        const [first, second] = ['one', 'two'].map((name) => lookUp(root, name) as File);
        expect(second === first).toBe(content !== '');
        expect(sizeOf(contentOf(second as File))).toBe(content.length);
      }
    });
  });
});

describe('images', () => {
  test('are stacked like overlayfs does, and later archives are apart', async () => {
    const images = [await makeErofs(first), await makeErofs(second)];
    const seen = await view([...images, gzipSync(treeToNewc(third))], {}, 4096);
    expect(names(seen, 'main')).toEqual([' 2', 'etc 2', 'etc/x 2', 'etc/y 1', 'init 1']);
    expect(names(seen, 'extra')).toEqual([' 3', 'cred 3', 'cred/c 3']);
    expect(text(seen.parts.main.root, 'etc/x')).toBe('new');
    expect(originOf(seen, 'etc/x')?.hides).toEqual([{ segment: 1, type: 'file', how: 'replaced' }]);
    expect(originOf(seen, 'etc')?.hides).toEqual([{ segment: 1, type: 'directory', how: 'merged' }]);
  });

  test('in an archive are stacked by their numbers, and its other files are not unpacked', async () => {
    const images = [await makeErofs(first), await makeErofs(second)].map(asSource);
    const init = { name: 'init', mode: 0o755, bytes: Buffer.from('storage-init') };
    const archive = concatenateInitrd(archiveParts(images, [init], 0, 4096).parts);
    const seen = await view([archive, treeToNewc(third)]);
    expect(text(seen.parts.main.root, 'init')).toBe('first');
    expect(text(seen.parts.main.root, 'etc/x')).toBe('new');
    expect(seen.segments.map(({ kind, part, member }) => [kind, part, member])).toEqual([
      ['cpio', undefined, undefined],
      ['erofs', 'main', 'kernel/initrd/root.erofs'],
      ['erofs', 'main', 'kernel/initrd/root.1.erofs'],
      ['cpio', 'extra', undefined],
    ]);
    const alone = await view([archive, treeToNewc(third)], { segment: 1 });
    expect(text(alone.parts.main.root, 'init')).toBe('storage-init');
  });

  test('in an archive that the kernel refuses are files of it', async () => {
    // In the order of names, root.1.erofs comes first.
    const archive = tree({
      init: file('storage-init'),
      'kernel/initrd/root.erofs': file(await makeErofs(first)),
      'kernel/initrd/root.1.erofs': file(await makeErofs(second)),
    });
    const seen = await view([treeToNewc(archive), treeToNewc(third)], {}, 4096);
    expect(text(seen.parts.main.root, 'init')).toBe('storage-init');
    expect(names(seen, 'main')).toContain('cred/c 2');
    expect(seen.notes).toEqual([
      expect.stringMatching(/root\.1\.erofs comes without the one before it, so the kernel makes no root/),
    ]);
  });

  test('behind an archive are not used, nor is what follows', async () => {
    const seen = await view([treeToNewc(second), await makeErofs(first), treeToNewc(third)], {}, 4096);
    expect(names(seen, 'main')).toEqual([' 1', 'd 1', 'etc 1', 'etc/x 1']);
    expect(seen.notes).toEqual([expect.stringMatching(/EROFS image at 0x1000 comes after an archive/)]);
  });
});

describe('archives', () => {
  test('are unpacked over one another', async () => {
    const seen = await view([
      treeToNewc(first),
      gzipSync(treeToNewc(third)),
      treeToNewc(tree({ 'etc/x': file('new') })),
    ]);
    expect(text(seen.parts.main.root, 'etc/x')).toBe('new');
    expect(names(seen, 'main')).toContain('cred/c 2');
    expect(originOf(seen, 'etc/x')).toEqual({
      segment: 3,
      hides: [{ segment: 1, type: 'file', how: 'replaced' }],
    });
  });

  test('of the early boot are apart', async () => {
    const early = treeToNewc(tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('m') }));
    const seen = await view([early, treeToNewc(first)]);
    expect(names(seen, 'early')).toContain('kernel/x86/microcode/GenuineIntel.bin 1');
    expect(names(seen, 'main')).not.toContainEqual(expect.stringContaining('microcode'));
  });

  test('can be seen alone, without the parents of their files', async () => {
    const orphan = Buffer.from(treeToNewc(tree({ 'etc/x': file('x') })));
    const start = orphan.indexOf('070701', orphan.indexOf('070701', 1) + 1);
    const seen = await view([treeToNewc(first), orphan.subarray(start)], { segment: 2 });
    expect(names(seen, 'main')).toEqual(['etc/x 2']);
    await expect(view([treeToNewc(first)], { segment: 2 })).rejects.toThrow('there is no segment 2');
  });

  test('keep the contents that are asked for', async () => {
    const bytes = gzipSync(treeToNewc(first));
    await withWork(async (work) => {
      const kept = await readView(asSource(bytes), work, { keep: () => true });
      expect(text(kept.parts.main.root, 'etc/y')).toBe('y');
      const plain = await readView(asSource(bytes), work);
      expect(() => text(plain.parts.main.root, 'etc/y')).toThrow('was not kept');
    });
  });
});
