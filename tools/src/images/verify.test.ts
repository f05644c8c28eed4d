// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fakeErofs } from '../fixtures/erofs.ts';
import { Failure } from '../host/failure.ts';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { parseConfig } from '../kernels/config.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { kernelOfRelease } from '../kernels/kernel.ts';
import { surprisesOf } from '../trees/surprises.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { device, directory, file, symlink, type Tree, tree } from '../trees/tree.ts';
import { buildInitrd } from './build.ts';
import { describeReplaced } from './replaced.ts';
import { readArchives, readImages } from './root.ts';
import { verifyInitrd } from './verify.ts';

const init = file('\x7fELF', { mode: 0o755 });
const extra = treeToNewc(tree({ credential: file('secret') }));
const filtered = execFileSync('xz', ['-c', '--check=crc32', '--x86', '--lzma2'], { input: extra });

/** Verifies with a root that is given, since most images here have no more than a superblock. */
async function verify(
  initrd: Uint8Array,
  { kernel, root, pageSize }: { kernel?: Kernel; root?: Tree; pageSize?: number } = {},
) {
  const options = { ...(kernel ? { kernel } : {}), ...(pageSize ? { pageSize } : {}) };
  const { findings, ...rest } = await verifyInitrd(asSource(initrd), {
    ...options,
    readRoot: async (_placement, _lost, see) => {
      if (root) see(root);
      return root;
    },
  });
  const lines = findings.map(({ level, message }) => `${level}: ${message}`);
  return { ...rest, findings: lines, heavy: lines.filter((line) => /^(?:error|warning)/.test(line)) };
}

const config = (...without: string[]): Kernel => {
  const options = [
    'INITOVERLAYFS',
    'BLK_DEV_INITRD',
    'EROFS_FS',
    'OVERLAY_FS',
    'TMPFS',
    'EROFS_FS_ZIP',
    'RD_GZIP',
    'RD_XZ',
    'XZ_DEC_X86',
    'BINFMT_ELF',
    'BINFMT_SCRIPT',
  ];
  const lines = options.filter((name) => !without.includes(name)).map((name) => `CONFIG_${name}=y`);
  return { config: parseConfig(lines.join('\n')) };
};

describe('an initrd with a real image', () => {
  test('boots in place, and its init and libraries are looked at', async () => {
    const script = file('#!/bin/sh\n', { mode: 0o755 });
    const initrd = await buildInitrd({
      roots: [tree({ init: script }), tree({ 'bin/sh': init })],
      form: 'raw',
    });
    const source = asSource(initrd);
    const { boots, findings } = await verifyInitrd(source, {
      kernel: config(),
      readRoot: async (placement) => readImages(source, placement),
    });
    expect({ boots, findings }).toMatchObject({
      boots: false,
      findings: [
        { level: 'error', message: 'init cannot start: /bin/sh is neither a script nor an ELF program' },
        {},
        {},
      ],
    });
  });

  test('of archives alone is unpacked', async () => {
    const source = asSource(gzipSync(treeToNewc(tree({ init: file('x', { mode: 0o755 }) }))));
    const { inPlace, findings } = await withWork((work) =>
      verifyInitrd(source, { readRoot: () => readArchives(source, work) }),
    );
    expect(inPlace).toBe(false);
    expect(findings.map(({ message }) => message)).toEqual([
      'there is no EROFS image; the kernel unpacks the archives instead, as without the series',
      'init cannot start: /init is neither a script nor an ELF program',
    ]);
  });
});

test.each<[string, Uint8Array[], string[]]>([
  ['a good image', [fakeErofs(), extra], []],
  [
    'an image after an archive',
    [extra, Buffer.alloc(4096 - (extra.length % 4096)), fakeErofs()],
    ['error: the EROFS image comes after an archive that is unpacked, so it is not used; put it first'],
  ],
  [
    'an image off a page',
    [Buffer.alloc(4), fakeErofs()],
    [
      'warning: an EROFS image: the kernel moves all 8192 bytes down by 4 first; put NULs before it up to a multiple of 4096',
    ],
  ],
  [
    'an image off a multiple of 4',
    [Buffer.alloc(3), fakeErofs()],
    [
      'error: the EROFS image starts 3 bytes after a multiple of 4; put NULs before it; the kernel unpacks the archives instead, as without the series',
    ],
  ],
  [
    'two images with one UUID',
    [fakeErofs(), fakeErofs()],
    [expect.stringMatching(/^warning: the same UUID as the image at offset 0x0/)],
  ],
  ['two images', [fakeErofs(), fakeErofs({ uuid: 2 })], []],
  [
    'an image after an archive after an image',
    [fakeErofs(), extra, Buffer.alloc(4096 - (extra.length % 4096)), fakeErofs()],
    ['warning: an EROFS image after an archive is not used, nor what comes after it'],
  ],
  [
    'garbage after an image',
    [fakeErofs(), Buffer.from('garbage')],
    [expect.stringMatching(/^warning: the kernel ignores the rest: neither cpio/)],
  ],
  [
    'microcode after an image',
    [fakeErofs(), treeToNewc(tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('u') }))],
    [expect.stringMatching(/^warning: early-boot data that the kernel overlooks/)],
  ],
])('%s', async (_, parts, heavy) => {
  expect((await verify(Buffer.concat(parts))).heavy).toEqual(heavy);
});

test.each<[string, Uint8Array, Kernel, string[]]>([
  ['with all', fakeErofs({ incompat: 1 }), config(), []],
  [
    'without the series',
    fakeErofs(),
    config('INITOVERLAYFS'),
    [
      'error: the kernel is built without CONFIG_INITOVERLAYFS: it finds no archive where the image is, and no init',
    ],
  ],
  [
    'without decompression',
    fakeErofs({ incompat: 1 }),
    config('EROFS_FS_ZIP'),
    ['error: the image has zero_padding, lz4, and the kernel is built without CONFIG_EROFS_FS_ZIP'],
  ],
  [
    'without zstd',
    fakeErofs({ incompat: 3, algorithms: 8 }),
    config(),
    ['error: the image has zstd, and the kernel is built without CONFIG_EROFS_FS_ZIP_ZSTD'],
  ],
  [
    'without LZMA, which only the cold one of two images has',
    Buffer.concat([
      fakeErofs({ incompat: 3, algorithms: 2 }),
      fakeErofs({ incompat: 3, algorithms: 1, uuid: 2 }),
    ]),
    config(),
    ['error: the image has lzma, and the kernel is built without CONFIG_EROFS_FS_ZIP_LZMA'],
  ],
  [
    'with what the cold image of --cold zstd has',
    Buffer.concat([
      fakeErofs({ incompat: 3, algorithms: 8 }),
      fakeErofs({ incompat: 3, algorithms: 1, uuid: 2 }),
    ]),
    { config: new Map([...(config().config ?? []), ['CONFIG_EROFS_FS_ZIP_ZSTD', 'y']]) },
    [],
  ],
  [
    'without gzip',
    Buffer.concat([fakeErofs(), gzipSync(extra)]),
    config('RD_GZIP'),
    ['warning: an archive in gzip, and the kernel is built without CONFIG_RD_GZIP'],
  ],
  [
    'without the filter of an archive in xz',
    Buffer.concat([fakeErofs(), filtered]),
    config('XZ_DEC_X86'),
    ['warning: an archive with a filter of xz, and the kernel is built without CONFIG_XZ_DEC_X86'],
  ],
  [
    'with EROFS as a module',
    fakeErofs(),
    { config: new Map([...(config().config ?? []), ['CONFIG_EROFS_FS', 'm']]) },
    ['error: CONFIG_EROFS_FS (the image) is a module; it has to be built in'],
  ],
  [
    'older than the series',
    fakeErofs(),
    kernelOfRelease('6.1.0-9'),
    [
      'error: the series is for Linux 6.12 and newer, and this is 6.1.0-9: it finds no archive where the image is, and no init',
    ],
  ],
  [
    'older than the image',
    fakeErofs({ incompat: 0x80 }),
    kernelOfRelease('6.12'),
    [expect.stringContaining('has the feature 48bit (Linux 6.15), which the kernel does not know')],
  ],
])('a kernel %s', async (_, initrd, kernel, heavy) => {
  expect((await verify(initrd, { kernel })).heavy).toEqual(heavy);
});

test('a filter of xz is noted where the configuration is not known', async () => {
  const { findings, heavy } = await verify(Buffer.concat([fakeErofs(), filtered]));
  expect(heavy).toEqual([]);
  expect(findings).toContain('note: an archive whose xz filter needs a kernel with CONFIG_XZ_DEC_X86');
});

test.each([
  ['older than it', kernelOfRelease('6.1'), /: the series is for Linux 6\.12 and newer, and this is 6\.1: /],
  ['without it', config('INITOVERLAYFS'), /: the kernel is built without CONFIG_INITOVERLAYFS: /],
])('an archive with the image is not used in place by a kernel %s', async (_, kernel, reason) => {
  const archive = treeToNewc(tree({ 'kernel/initrd/root.erofs': file(fakeErofs()), init }), {
    withoutRoot: true,
  });
  const { boots, inPlace, findings, heavy } = await verify(archive, { kernel });
  expect([boots, inPlace]).toEqual([false, false]);
  expect(heavy).toEqual([
    expect.stringMatching(/^warning.*: it unpacks the archive, whose \/init mounts the image$/),
  ]);
  expect(heavy[0]).toMatch(reason);
  expect(findings).toContainEqual(expect.stringMatching(/^note: .* 8192 bytes: not mounted where it lies$/));
});

describe('what an extra archive replaces of the archive with the image', () => {
  const image = 'kernel/initrd/root.erofs';
  const first = treeToNewc(tree({ [image]: file(fakeErofs()), 'kernel/initrd/files': file('list'), init }), {
    withoutRoot: true,
  });
  const taken =
    /^\w+: init: a kernel without the series executes it in place of the program that mounts the image; leave/;
  const stopped =
    /^\w+: kernel\/initrd\/root\.erofs: on a kernel without the series it replaces the image, which stops/;

  test.each<[string, Uint8Array, RegExp[]]>([
    ['/init', treeToNewc(tree({ init })), [taken]],
    ['a symlink as /init', treeToNewc(tree({ init: symlink('x') })), [taken]],
    ['/init in gzip', gzipSync(treeToNewc(tree({ init }))), [taken]],
    ['all of it', first, [taken, /: kernel\/initrd\/files: .* replaces a file of the archive/, stopped]],
    ['its folders and other files there', treeToNewc(tree({ 'kernel/initrd/own': file('1') })), []],
    ['another image, which is not used', treeToNewc(tree({ 'kernel/initrd/root.1.erofs': file('1') })), []],
  ])('is named: %s', async (_, second, expected) => {
    const initrd = Buffer.concat([first, second]);
    for (const [kernel, level] of [
      [config(), 'warning'],
      [kernelOfRelease('6.1'), 'error'],
    ] as const) {
      const found = (await verify(initrd, { kernel })).heavy.filter((line) => /leave it out/.test(line));
      expect(found).toEqual(expected.map((each) => expect.stringMatching(each)));
      expect(found.every((line) => line.startsWith(level))).toBe(true);
    }
    expect(await describeReplaced([second], new Set([image, 'kernel/initrd/files', 'init']))).toHaveLength(
      expected.length,
    );
  });

  test('is nothing where the root is images only, which those kernels do not unpack', async () => {
    const initrd = Buffer.concat([fakeErofs(), treeToNewc(tree({ init }))]);
    const { findings } = await verify(initrd, { kernel: kernelOfRelease('6.1') });
    expect(findings).toEqual([
      expect.stringMatching(/^error: the series is for Linux 6\.12/),
      'note: an EROFS image, 8192 bytes: not mounted where it lies',
    ]);
  });
});

test('a script as init needs a kernel that executes scripts', async () => {
  const script = tree({ init: file('#!/bin/sh\n', { mode: 0o755 }) });
  const { heavy } = await verify(fakeErofs(), { root: script, kernel: config('BINFMT_SCRIPT') });
  expect(heavy).toContain('error: /init is a script, and the kernel is built without CONFIG_BINFMT_SCRIPT');
});

test('blocks smaller than a page are noted', async () => {
  const { findings, boots } = await verify(fakeErofs(), { pageSize: 65536 });
  expect(boots).toBe(true);
  expect(findings).toContain('note: blocks of 4096 bytes on pages of 65536: what is mapped is copied');
});

test('programs that refuse an overlay and files that it hides are found in the root', async () => {
  const root = tree({
    init,
    'sbin/run-init': file('\x7fELF rootfs not a ramfs or tmpfs', { mode: 0o755 }),
    'dev/zero0': device('character', 0, 0),
  });
  const { heavy } = await verify(fakeErofs(), { root });
  expect(heavy).toEqual([
    expect.stringContaining('error: init cannot start'),
    expect.stringMatching(/^error: \/sbin\/run-init: klibc refuses an overlay root.*Kernel panic/),
    expect.stringMatching(/^warning: dev\/zero0: a character device 0:0/),
  ]);
});

test('what the overlay hides or acts on is found in each image, like build warns of it', async () => {
  const gone = () => ({ 'dev/zero0': device('character', 0, 0) });
  const roots = [tree({ init, ...gone() }), tree({ 'dev/null': device('character', 1, 3), ...gone() })];
  const source = asSource(await buildInitrd({ roots, form: 'raw' }));
  const { findings } = await verifyInitrd(source, {
    readRoot: async (placement, lost, see) => readImages(source, placement, lost, { see }),
  });
  expect(findings.filter(({ level }) => level === 'warning').map(({ message }) => message)).toEqual(
    surprisesOf(roots[0] as Tree),
  );
  expect(surprisesOf(roots[0] as Tree)).toHaveLength(1);
});

test('attributes that the overlay acts on are found, and those that the kernel does not see', async () => {
  const opaque = directory({ xattrs: new Map([['trusted.overlay.opaque', Buffer.from('y')]]) });
  const capable = file('\x7fELF', { xattrs: new Map([['security.capability', Buffer.from('1')]]) });
  const { heavy } = await verify(fakeErofs(), { root: tree({ init, opaque, capable }), kernel: config() });
  expect(heavy.slice(1)).toEqual([
    'warning: files have trusted.overlay.opaque, which a kernel without CONFIG_EROFS_FS_XATTR does not see',
    'warning: files have security.capability, which a kernel without CONFIG_EROFS_FS_SECURITY does not see',
    'warning: opaque: trusted.overlay.opaque is no mere attribute, since the overlay acts on it',
  ]);
});

test('an image that is not decoded here is no error of the initrd', async () => {
  const { boots, findings } = await verifyInitrd(asSource(fakeErofs()), {
    readRoot: () => Promise.reject(new Failure('missing', 'xz is not installed')),
  });
  expect(boots).toBe(true);
  expect(findings[0]?.message).toMatch(/^init and what it needs are not looked at: xz is not installed/);
});
