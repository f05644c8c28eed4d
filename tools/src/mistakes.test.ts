// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, type Place, removePlace, run } from './fixtures/command.ts';
import { treeToNewc } from './trees/to-newc.ts';
import { file, tree } from './trees/tree.ts';

let folder: string;
let input: string;
let full: Place['full'];
/** A folder for other inputs. */
let elsewhere: string;
beforeAll(async () => {
  ({ folder, input, full } = await makePlace());
  const early = tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('code') });
  elsewhere = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await writeFile(join(elsewhere, 'early.gz'), gzipSync(treeToNewc(early)));
});
afterAll(() => Promise.all([removePlace({ folder, input, full }), rm(elsewhere, { recursive: true })]));

describe('a mistake gives one line, its exit code and no output', () => {
  const out = () => join(folder, 'out.img');
  const empty = () => join(folder, 'empty');

  test.each<[string, number, () => string[], string | RegExp]>([
    [
      'an unknown option',
      2,
      () => ['--no-such-option'],
      "unknown option '--no-such-option'; see initoverlayfs --help",
    ],
    ['an unknown command', 2, () => ['frobnicate'], "unknown command 'frobnicate'; see initoverlayfs --help"],
    [
      'no input given',
      2,
      () => ['convert', '-o', out()],
      "missing required argument 'initrd'; see initoverlayfs --help",
    ],
    ['no output given', 2, () => ['convert', input], /^required option '-o, --output <file>' not specified/],
    ['no root given', 2, () => ['build', '-o', out()], /^required option '--root <dir\|tar>' not specified/],
    [
      'a pcluster that is no multiple of a block',
      2,
      () => ['convert', input, '-o', out(), '--pcluster', '5000'],
      /A multiple of 4096/,
    ],
    [
      'an alignment that is no multiple of 4',
      2,
      () => ['convert', input, '-o', out(), '--align', '2'],
      /A multiple of 4/,
    ],
    ...[
      ['inspect', ''],
      ['convert', '', '-o', 'x'],
      ['add', 'must-fail/only-nuls.img', '', '-o', 'x'],
    ].map((args): [string, number, () => string[], string] => [
      `an empty name for ${args[0]}`,
      2,
      () => args,
      'the name of a file is empty; name one',
    ]),
    [
      'an empty name as output',
      2,
      () => ['convert', input, '-o', ''],
      'the name of a file is empty; name one',
    ],
    ['a directory as a profile', 3, () => ['profile', 'merge', folder], /: is a directory; name a file$/],
    [
      'a name that is too long for --to',
      2,
      () => ['add', input, 'package.json', '--to', 'n'.repeat(256), '-o', out()],
      '--to has a name of 256 bytes, and Linux takes 255; name a shorter one',
    ],
    ['a malformed UUID', 2, () => ['convert', input, '-o', out(), '--uuid', '1'], /32 hexadecimal digits/],
    [
      'the input as output',
      2,
      () => ['convert', input, '-o', input],
      /in\.img: is the input as well; name another file$/,
    ],
    ...[
      ['convert', '--cold', 'zstd', '--profile'],
      ['convert', '--keep-signatures', '', '--modules'],
      ['convert', '--extra-compress', 'xz', '--extra'],
      ['build', '--cold', 'lzma', '--profile'],
      ['split', '--hint', '/dev/x', '--bootfs'],
      ['split', '--fs', '/x', '--bootfs'],
      ['split', '--bootfstype', 'vfat', '--bootfs'],
      ['profile closure', '--kernel', '6', '--module'],
    ].map(([command = '', option = '', value = '', partner]): [string, number, () => string[], string] => [
      `${option} of ${command} without ${partner}`,
      2,
      () => {
        const rest = {
          convert: [input, '-o', out()],
          build: ['--root', folder, '-o', out()],
          split: [input, '--boot', folder, '--in-initramfs'],
        }[command] ?? [input];
        return [...command.split(' '), ...rest, option, ...(value === '' ? [] : [value])];
      },
      `${option} does nothing without ${partner}; add that or leave it out`,
    ]),
    [
      '--pcluster where nothing is compressed',
      2,
      () => ['convert', input, '-o', out(), '--compress', 'none', '--pcluster', '65536'],
      '--pcluster does nothing with --compress none; leave out one of them',
    ],
    ...[
      ['convert', '--extra', 'must-fail/garbage.img'],
      ['add', 'must-fail/cpio-truncated-data.img'],
    ].map(([command = '', ...more]): [string, number, () => string[], RegExp] => [
      `an output of ${command} in no folder, with a wrong archive besides`,
      4,
      () => [command, input, ...more, '-o', join(folder, 'missing/out.img')],
      /missing\/out\.img: its folder does not exist; make it first$/,
    ]),
    [
      'one --uuid for two images',
      2,
      () => [
        ...['build', '--root', folder, '--root', folder, '-o', out()],
        ...['--uuid', '00000000-0000-0000-0000-000000000001'],
      ],
      '--uuid is for one --root, since no two images may have the same; leave it out',
    ],
    [
      'standard output as the folder of extract',
      2,
      () => ['extract', input, '-o', '-'],
      'name a folder with --output, or pass --to-stdout',
    ],
    [
      'a part of a segment',
      2,
      () => ['list', input, '--segment', '1', '--part', 'main'],
      /'--part <part>' cannot be used with option '--segment <number>'/,
    ],
    [
      'a profile of unified kernel images to compare others',
      2,
      () => ['diff', folder, input, '--uki-profile', '1'],
      'neither is a unified kernel image; leave out --uki-profile',
    ],
    [
      'a missing input',
      3,
      () => ['convert', join(folder, 'no'), '-o', out()],
      /no: no such file; check the name$/,
    ],
    ['a directory as input', 3, () => ['convert', folder, '-o', out()], /: is a directory; name a file$/],
    [
      'a cpio archive as --root',
      3,
      () => ['build', '--root', input, '-o', out()],
      /in\.img: offset 0x0: a cpio archive, and no tar archive; convert takes it/,
    ],
    [
      'a compressed cpio archive as --root',
      3,
      () => ['build', '--root', 'cases/gzip-extra-field.img', '-o', out()],
      'cases/gzip-extra-field.img: offset 0x0: a cpio archive, and no tar archive; convert takes it, or extract makes a directory of it',
    ],
    ...['--early', '--extra'].map((option): [string, number, () => string[], string] => [
      `NULs as ${option}`,
      3,
      () => ['build', '--root', empty(), option, 'must-fail/only-nuls.img', '-o', out()],
      'must-fail/only-nuls.img: offset 0x0: nothing but NULs; name a cpio archive',
    ]),
    [
      'an archive with other files as --early',
      3,
      () => ['build', '--root', empty(), '--early', input, '-o', out()],
      /more than early-boot data/,
    ],
    [
      'a compressed archive as --early',
      3,
      () => ['build', '--root', empty(), '--early', join(elsewhere, 'early.gz'), '-o', out()],
      /early\.gz: offset 0x0: is compressed \(gzip\), and the kernel .* uncompressed archives only; decompress it$/m,
    ],
    [
      'a folder with other files as --early',
      3,
      () => ['build', '--root', empty(), '--early', folder, '-o', '/dev/null'],
      /: empty is no early-boot data; pass it with --extra$/,
    ],
    [
      'a missing archive as --extra',
      3,
      () => ['convert', input, '--extra', join(folder, 'no'), '-o', out()],
      /no: no such file/,
    ],
    [
      'a damaged archive as --extra',
      3,
      () => ['convert', input, '--extra', 'must-fail/gzip-truncated.img', '-o', out()],
      /truncated\.img: offset 0x0: gzip/,
    ],
    [
      'a --shim folder without the program',
      3,
      () => ['convert', input, '--init-shim', '--shim', folder, '-o', out()],
      /: has no initrd-extra; run make shim, and name the folder that it prints with --shim$/,
    ],
    [
      'a directory as output',
      4,
      () => ['convert', input, '-o', join(folder, 'empty')],
      /empty: is a directory; name a file$/,
    ],
    ...[
      ['build', () => ['build', '--root', folder, '-o', join(folder, 'new.img')]] as const,
      [
        'build with a folder below',
        () => ['build', '--root', folder, '-o', join(folder, 'empty/x')],
      ] as const,
      ['add', () => ['add', input, folder]] as const,
    ].map(([name, args]): [string, number, () => string[], RegExp] => [
      `an output of ${name} in a folder that is read`,
      2,
      () => [...args()],
      /: is in \S+, all of which is read; name a file elsewhere$/,
    ]),
    [
      'the name of a directory as output',
      4,
      () => ['convert', input, '-o', join(folder, 'new/')],
      /new\/: is the name of a directory; name a file$/,
    ],
    [
      'an output in a missing folder',
      4,
      () => ['convert', input, '-o', join(folder, 'no/out')],
      /its folder does not exist; make it first$/,
    ],
    [
      'an output whose name is too long',
      4,
      () => ['convert', input, '-o', join(folder, 'n'.repeat(256))],
      /n: its name is longer than Linux takes; name a shorter one$/,
    ],
    [
      'an output on a full device',
      4,
      () => ['convert', input, '-o', full.path],
      /full: no space left; free some/,
    ],
    [
      'split with no place for the image',
      2,
      () => ['split', input, '--boot', folder],
      'say where the image will be: either --bootfs or --in-initramfs',
    ],
    [
      'split with two places for the image',
      2,
      () => ['split', input, '--boot', folder, '--bootfs', 'UUID=1', '--in-initramfs'],
      'say where the image will be: either --bootfs or --in-initramfs',
    ],
    [
      'a malformed --bootfs',
      2,
      () => ['split', input, '--boot', folder, '--bootfs', 'vda1'],
      /PARTLABEL=, or a device below \/dev/,
    ],
    [
      'a relative path as --fs',
      2,
      () => ['split', input, '--boot', folder, '--bootfs', 'UUID=1', '--fs', 'image'],
      /begins with a slash/,
    ],
    [
      'a path as the release of split',
      2,
      () => ['split', input, '--boot', folder, '--in-initramfs', '--kernel', '../../x'],
      /A release such as/,
    ],
    [
      'two lines as --bootfstype',
      2,
      () => ['split', input, '--boot', folder, '--bootfs', 'UUID=1', '--bootfstype', 'ext4\nshell=0'],
      /The name of a file system/,
    ],
    [
      'split of an initrd that does not tell the kernel',
      2,
      () => ['split', input, '--boot', folder, '--in-initramfs'],
      'the initrd has no kernel modules that tell the release; say --kernel RELEASE',
    ],
    [
      'a --module without a folder of modules',
      3,
      () => ['split', input, '--boot', folder, '--bootfs', 'UUID=1', '--kernel', '6', '--module', 'nvme'],
      /in\.img: has no kernel modules to take nvme from; name a folder of them with --modules$/,
    ],
    [
      'a missing folder as --boot',
      4,
      () => ['split', input, '--boot', join(folder, 'no'), '--in-initramfs', '--kernel', '6'],
      /no: is no folder; make it first$/,
    ],
    [
      'an unknown algorithm as --compress',
      2,
      () => ['convert', input, '--compress', 'lz4:frob,3', '-o', out()],
      /^--compress lz4:frob,3: frob is unknown; mkfs\.erofs \S+ has .*lz4hc.*; name one of these or none/,
    ],
    [
      'a level for --compress none',
      2,
      () => ['convert', input, '--compress', 'none,3', '-o', out()],
      '--compress none,3: none takes no level and no other algorithm; say none alone',
    ],
    ...[
      ['lz4hc,99', '99 of lz4hc'],
      ['lz4,lz4hc', 'lz4hc of lz4'],
    ].map(([compress, level]): [string, number, () => string[], RegExp] => [
      `a level that mkfs.erofs refuses: --compress ${compress}`,
      2,
      () => ['convert', input, '--compress', String(compress), '-o', out()],
      new RegExp(
        `^--compress ${compress}: mkfs\\.erofs \\S+ has no level ${level}; name another or leave it out`,
      ),
    ]),
    [
      'a missing program as --mkfs',
      5,
      () => ['convert', input, '--mkfs', '/no/mkfs', '-o', out()],
      /^\/no\/mkfs is not installed; install it/,
    ],
  ])('%s', async (_, exitCode, args, problem) => {
    const before = await readFile(input);
    const result = await run(...args());
    expect(result.stderr).toMatch(/^initoverlayfs: [^\n]+\n$/);
    const line = result.stderr.slice('initoverlayfs: '.length, -1);
    if (typeof problem === 'string') expect(line).toBe(problem);
    else expect(line).toMatch(problem);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect((await readdir(folder)).sort()).toEqual(['empty', 'in.img']);
    expect((await readFile(input)).equals(before)).toBe(true);
  });
});
