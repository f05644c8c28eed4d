// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { writeNewcArchive } from './codecs/newc.ts';
import { makePlace, type Place, removePlace, run } from './fixtures/command.ts';
import { ownMounts } from './fixtures/full.ts';
import { makeShimFolder } from './fixtures/shim.ts';
import { makeUki } from './fixtures/uki.ts';
import { bundle, packageFolder as tools } from './packaging/bundle.ts';

let folder: string;
let input: string;
let full: Place['full'];
beforeAll(async () => {
  ({ folder, input, full } = await makePlace());
});
afterAll(() => removePlace({ folder, input, full }));

describe('commands', () => {
  test('convert writes an initrd whose parts inspect lists', async () => {
    const output = join(folder, 'done', 'out.img');
    await mkdir(join(folder, 'done'));
    await symlink('/etc/hostname', join(folder, 'empty/credential'));
    const converted = await run(
      'convert',
      input,
      '-o',
      output,
      '--extra',
      join(folder, 'empty'),
      '--extra-compress',
      'zstd',
    );
    expect(converted).toMatchObject({ exitCode: 0, stderr: '' });
    expect(converted.stdout).toMatch(
      /^cpio 0\.1 MB \(uncompressed, 27 entries, 0\.1 MB unpacked\) -> EROFS .*lz4hc, 4096-byte pclusters\)$/m,
    );

    const inspected = await run('inspect', '--json', output);
    expect(inspected).toMatchObject({ exitCode: 0, stderr: '' });
    const report = JSON.parse(inspected.stdout);
    expect(report).toMatchObject({ file: output, warnings: [] });
    expect(report.segments).toMatchObject([
      {
        kind: 'erofs cpio',
        offset: 0,
        images: [{ name: 'kernel/initrd/root.erofs', alignment: 4096, erofs: { blockSize: 4096 } }],
      },
      { kind: 'cpio', compression: 'zstd', entries: 2 },
    ]);

    const raw = (await run('inspect', '--raw', output)).stdout.trimEnd().split('\n');
    const [{ size, images }] = report.segments;
    const erofs = images[0];
    expect(raw).toHaveLength(report.segments.length + 1);
    expect(raw.slice(0, 2)).toEqual([
      [0, size, size, 'none', size, 'erofs cpio'].join('\t'),
      [erofs.offset, erofs.offset + erofs.size, erofs.size, 'none', erofs.size, erofs.name].join('\t'),
    ]);
    expect(raw.at(-1)).toMatch(/^\d+\t\d+\t\d+\tzstd\t\d+\tcpio$/);

    const shown = await run('inspect', relative(tools, output));
    expect(shown.stdout).toMatch(/^1 +0x0 +\d+ +erofs cpio +none +4096 +\d+$/m);
    expect(shown.stdout).toMatch(
      /^archive form at 0x0: a kernel with the series mounts the images in place/m,
    );
    expect(shown.stdout).toMatch(
      /^segment 2, kernel\/initrd\/root\.erofs at 0x\w+, aligned to 4096, \d+ bytes: /m,
    );
    expect(shown.stdout).toContain(`UUID ${erofs.erofs.uuid}`);
    await rm(join(folder, 'done'), { recursive: true });
    await rm(join(folder, 'empty/credential'));
  });

  test('split writes two images and refuses to overwrite its input', async () => {
    const boot = join(folder, 'done');
    await mkdir(boot);
    const shim = await makeShimFolder();
    const place = ['--boot', boot, '--kernel', '6.12.0', '--shim', shim];
    const result = await run('split', input, ...place, '--bootfs', 'LABEL=boot');
    expect(result).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^\S+ warning: .* built in/) });
    expect(result.stdout).toContain(
      'settings in it: bootfs=LABEL=boot, bootfstype=ext4, fs=/initoverlayfs-6.12.0.img, fstype=erofs\n',
    );
    expect((await readdir(boot)).sort()).toEqual(['initoverlayfs-6.12.0.img', 'initramfs-6.12.0.img']);

    const initramfs = join(boot, 'initramfs-6.12.0.img');
    const before = await readFile(initramfs);
    await rename(input, initramfs);
    const refused = await run('split', initramfs, ...place, '--in-initramfs');
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is the input as well') });
    await rename(initramfs, input);
    expect((await run('split', input, ...place, '--in-initramfs')).stdout).toMatch(
      /^\S+initramfs-6\.12\.0\.img: 0\.\d MB, 0\.\d MB of it the EROFS image; no modules$/m,
    );
    expect((await readFile(initramfs)).length).toBeGreaterThan(before.length);
    await Promise.all([boot, shim].map((path) => rm(path, { recursive: true })));
  });

  test.each([
    ['6.13.0-uki', [], [0, 'initramfs-6.13.0-uki.img']],
    ['6.13.0-uki', ['--kernel', '6.12.0'], [0, 'initramfs-6.12.0.img']],
    ['6.13.0-uki', ['--modules', '7.0.0'], [0, 'initramfs-7.0.0.img']],
    ['../6.13.0', [], [2]],
  ])(
    'split of a unified kernel image of %j with %j takes its release where no other is named',
    async (release, options, [exitCode, ...names]) => {
      const place = await mkdtemp(join(folder, 'uki-'));
      await mkdir(join(place, '7.0.0'));
      await writeFile(join(place, '7.0.0/modules.builtin'), 'erofs.ko\noverlay.ko\nloop.ko\n');
      const sections: Parameters<typeof makeUki>[0] = [
        ['.initrd', await readFile(input)],
        ['.uname', release],
      ];
      await writeFile(join(place, 'uki'), makeUki(sections));
      const shim = await makeShimFolder();
      const args = ['split', 'uki', '--boot', '.', '--in-initramfs', '--shim', shim, ...options];
      const result = await execa('node', [bundle, ...args], { cwd: place, reject: false });
      expect(result.exitCode).toBe(exitCode);
      expect((await readdir(place)).filter((name) => name.endsWith('.img'))).toEqual(names);
      await Promise.all([place, shim].map((path) => rm(path, { recursive: true })));
    },
  );

  test('split replaces neither of its files when it cannot write one', async () => {
    const boot = join(folder, 'half');
    await mkdir(boot);
    const shim = await makeShimFolder();
    const image = join(boot, 'initoverlayfs-6.12.0.img');
    await writeFile(image, 'old');
    await symlink('nowhere/initramfs', join(boot, 'initramfs-6.12.0.img'));
    const place = ['--boot', boot, '--kernel', '6.12.0', '--shim', shim, '--bootfs', 'LABEL=boot'];
    expect(await run('split', input, ...place)).toMatchObject({ exitCode: 4 });
    expect(await readFile(image, 'utf8')).toBe('old');
    expect(await readdir(boot)).toHaveLength(2);
    await Promise.all([boot, shim].map((path) => rm(path, { recursive: true })));
  });

  test('diff finds nothing between an initrd and what it is converted to, in any form', async () => {
    const output = join(folder, 'diff.img');
    for (const form of ['archive', 'raw']) {
      await run('convert', input, '-o', output, '--keep-switch-root', '--form', form);
      expect(await run('diff', input, output)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    }

    const archive = join(folder, 'diff-archive.img');
    const member = { name: 'kernel/initrd/root.erofs', mode: 0o100644, data: await readFile(output) };
    await writeFile(archive, writeNewcArchive([{ ...member, name: 'init' }, member]));
    expect(await run('diff', output, archive)).toMatchObject({ exitCode: 0, stdout: '' });

    const files = join(folder, 'diff-files');
    await mkdir(join(files, 'etc'), { recursive: true });
    await writeFile(join(files, 'init'), '#!/bin/sh\n\n', { mode: 0o755 });
    await run('add', output, files);
    const changed = await run('diff', input, output);
    expect(changed).toMatchObject({ exitCode: 6, stderr: '' });
    expect(changed.stdout).toBe('~ /init: content 10 bytes -> 11 bytes\n');
    const { differences } = JSON.parse((await run('diff', '--json', input, output)).stdout);
    expect(differences).toMatchObject([{ path: '/init', change: 'changed', aspects: [{ name: 'content' }] }]);
    await Promise.all([output, archive, files].map((path) => rm(path, { recursive: true })));
  });

  test.each(['gzip-of-truncated-cpio', 'gzip-trailing-garbage'])('diff refuses %s.img', async (name) => {
    const image = join(tools, 'must-fail', `${name}.img`);
    expect(await run('diff', image, image)).toMatchObject({ exitCode: 3, stdout: '' });
  });

  test('verify tells scripts by its exit code whether an initrd boots in place', async () => {
    const initrd = join(folder, 'verified.img');
    const program = await readFile('/bin/true');
    const entry = { name: 'init', mode: 0o100755, data: program };
    await writeFile(initrd, writeNewcArchive([entry]));
    const unpacked = await run('verify', initrd);
    expect(unpacked).toMatchObject({ exitCode: 6, stderr: '' });
    expect(unpacked.stdout).toMatch(
      /verified\.img: does not boot in place \(2 errors\)\nerror {4}offset 0x0: there is no/,
    );

    await writeFile(initrd, writeNewcArchive([{ ...entry, data: Buffer.from('#!/init\n') }]));
    const output = join(folder, 'verified.out');
    await run('convert', initrd, '-o', output, '--form', 'raw');
    const json = JSON.parse((await run('verify', '--json', output)).stdout);
    expect(json).toMatchObject({ inPlace: true, boots: false, images: [{ start: 0, moved: 0 }] });
    await writeFile(output, Buffer.concat([Buffer.alloc(4), await readFile(output)]));
    expect((await run('verify', output, '--kernel', '6.12')).stdout).toContain('bytes down by 4 first');
    expect(await run('verify', output, '--kernel', 'x')).toMatchObject({ exitCode: 3 });
    expect(await run('verify', output, '--config', input)).toMatchObject({ exitCode: 3 });
    await Promise.all([initrd, output].map((path) => rm(path)));
  });

  test('- is standard input and standard output, and messages go to standard error', async () => {
    const stdin = await readFile(input);
    const options = { cwd: tools, input: stdin, encoding: 'buffer', stripFinalNewline: false } as const;
    const piped = await execa('node', [bundle, 'convert', '-', '-o', '-'], options);
    expect(Buffer.from(piped.stderr).toString()).toMatch(/^-: \d/m);
    const output = join(folder, 'piped.img');
    await run('convert', input, '-o', output);
    expect(Buffer.compare(piped.stdout, await readFile(output))).toBe(0);
    expect(await readdir(tools)).not.toContain('-');
    await rm(output);
  });

  test('a flood of warnings of one kind is ten and a count', async () => {
    const members = Array.from({ length: 500 }, (_, index) => ({
      name: `no/${index}`,
      mode: 0o100644,
      data: new Uint8Array(),
    }));
    const lossy = join(folder, 'lossy.img');
    await writeFile(lossy, writeNewcArchive(members));
    const { exitCode, stderr } = await run('convert', lossy, '-o', join(folder, 'lossy.out'));
    const lines = stderr.split('\n').filter((line) => line.includes('its parent is no directory'));
    expect({ exitCode, count: lines.length }).toEqual({ exitCode: 0, count: 11 });
    expect(lines.at(-1)).toMatch(/lossy\.img: 490 more like the last: its parent is no directory$/);
    await Promise.all(['lossy.img', 'lossy.out'].map((name) => rm(join(folder, name))));
  });

  test('--limit refuses an archive that unpacks to more', async () => {
    const bomb = join(folder, 'bomb.img');
    const zeros = writeNewcArchive([{ name: 'zeros', mode: 0o100644, data: new Uint8Array(2_000_000) }]);
    await writeFile(bomb, gzipSync(zeros));
    const output = join(folder, 'bomb.out');
    const { exitCode, stderr } = await run('convert', bomb, '-o', output, '--limit', '1M');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 3,
      stderr: `initoverlayfs: ${bomb}: offset 0x0: unpacks to more than --limit allows\n`,
    });
    await rm(bomb);
  });

  test('a program that stops reading is no SIGPIPE of our own', async () => {
    const noise = writeNewcArchive([{ name: 'noise', mode: 0o100644, data: randomBytes(20_000_000) }]);
    const bomb = join(folder, 'noise.zst');
    await writeFile(bomb, (await execa('zstd', ['-1qc'], { input: noise, encoding: 'buffer' })).stdout);
    for (let round = 0; round < 10; round++) {
      const { exitCode, stderr } = await run('inspect', bomb, '--limit', '1M');
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('--limit') });
    }
    await rm(bomb);
  });

  test('--strict refuses an initrd that cannot be left, and names the panic', async () => {
    const klibc = Buffer.from('\x7fELF rootfs not a ramfs or tmpfs');
    const initrd = join(folder, 'klibc.img');
    const members = { init: Buffer.from('#!/bin/sh\n'), 'run-init': klibc };
    const entries = Object.entries(members).map(([name, data]) => ({ name, data, mode: 0o100755 }));
    await writeFile(initrd, writeNewcArchive(entries));
    const args = ['convert', initrd, '-o', join(folder, 'strict.img'), '--keep-switch-root'];
    expect(await run(...args)).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('warning: ') });
    await rm(join(folder, 'strict.img'));
    const strict = await run(...args, '--strict');
    expect(strict).toMatchObject({ exitCode: 3, stdout: '' });
    expect(strict.stderr).toMatch(
      /klibc\.img: will not boot: \/run-init: klibc refuses an overlay root: .*Kernel panic/,
    );
    expect(await readdir(folder)).not.toContain('strict.img');
    await rm(initrd);
  });

  // The unpacked tree takes 300 kB, and its image as much.
  test.each([
    ['100k', '0.1 MB'],
    ['400k', '0.4 MB'],
  ])('a TMPDIR that is full at %s is named, not the input', async (size, free) => {
    const large = join(folder, 'large.img');
    const noise = randomBytes(300_000);
    await writeFile(large, gzipSync(writeNewcArchive([{ name: 'noise', mode: 0o100644, data: noise }])));
    const place = join(folder, 'tmp');
    await mkdir(place);
    const script =
      'mount -t tmpfs -o size="$4" none "$1" && TMPDIR="$1" exec node "$2" convert "$3" -o "$3.out"';
    const command = [ownMounts, 'sh', '-c', script, 'sh', place, bundle, large, size];
    const { exitCode, stderr } = await execa('unshare', command, { reject: false });
    expect(exitCode).toBe(4);
    expect(stderr).toBe(
      `initoverlayfs: ${place}: no space left for temporary files, which need as much as the unpacked initrd and its image (0.3 MB and up to as much again; ${free} were free); set TMPDIR to a folder elsewhere`,
    );
    await Promise.all([large, place].map((path) => rm(path, { recursive: true })));
  });

  test('--version prints the version of the package', async () => {
    expect(await run('--version')).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  test('inspect prints the readable segments before it fails', async () => {
    const { exitCode, stdout, stderr } = await run('inspect', 'must-fail/cpio-trailing-garbage.img');
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^1 +0x0 +260 +cpio +none +4096 +1$/m);
    expect(stdout).toMatch(/^- +0x108 +7 +unknown /m);
    expect(stderr).toMatch(/^initoverlayfs: must-fail\/cpio-trailing-garbage\.img: offset 0x108: [^\n]*\n$/);
  });

  test('--help lists the commands and exit codes', async () => {
    const { exitCode, stdout } = await run('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/convert.*split.*build.*inspect.*Exit codes:.* 3 {2}an input cannot be read/s);
  });
});
