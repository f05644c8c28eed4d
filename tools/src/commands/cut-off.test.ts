// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runIn } from '../fixtures/readable.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { packageFolder } from '../packaging/bundle.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';

/** Bytes of a trailer with its padding. */
const trailerSize = 124;

let folder: string;
let shim: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  shim = await makeShimFolder();
  const whole = treeToNewc(tree({ init: file('#!/bin/sh\n', { mode: 0o755 }), lost: file('lost') }));
  const cut = whole.subarray(0, whole.length - trailerSize);
  await writeFile(join(folder, 'whole'), whole);
  await writeFile(join(folder, 'cut'), cut);
  await writeFile(join(folder, 'gz'), gzipSync(cut));
  await writeFile(join(folder, 'short.gz'), gzipSync(cut).subarray(0, 60));
});
afterAll(() => Promise.all([folder, shim].map((path) => rm(path, { recursive: true }))));

test.each(
  ['cut', 'gz'].flatMap((name) =>
    [
      'inspect NAME',
      'list NAME',
      'diff NAME whole',
      'extract NAME --to-stdout',
      'convert NAME -o new --shim SHIM',
      'split NAME --boot . --in-initramfs --kernel 1.0 --shim SHIM',
      'profile record NAME -o new --shim SHIM',
      'add NAME whole -o new',
      'add whole NAME -o new',
      'convert whole --extra NAME -o new --shim SHIM',
      'verify NAME',
    ].map((line) => line.replace('NAME', name)),
  ),
)('%s warns of an archive that ends between two entries', async (line) => {
  const { stdout, stderr } = await runIn(folder, line.replace('SHIM', shim).split(' '));
  const text = line.startsWith('inspect') || line.startsWith('verify') ? stdout : stderr;
  expect(text).toMatch(/warning.*0x0: .*ends without a trailer, as if it was cut off between two entries;/);
});

describe('an archive that the kernel rejects, though it can be read here,', () => {
  const rejected = join(packageFolder, 'cases/gzip-extra-field.img');

  test.each(['list', 'extract --to-stdout', 'profile closure', 'diff whole'])(
    'is warned of by %s',
    async (line) => {
      const { stderr } = await runIn(folder, [...line.split(' '), rejected]);
      expect(stderr).toMatch(
        /warning: .*: the archive at 0x0: the kernel rejects it: .* write it with gzip -n$/m,
      );
    },
  );

  test('gets nothing added, which the kernel would not see', async () => {
    expect(await runIn(folder, ['add', rejected, 'whole', '-o', 'new'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(
        /: offset 0x0: the kernel stops here, so .* added: this archive: .* gzip -n\n$/,
      ),
    });
  });
});

test.each(['inspect whole', 'list whole', 'diff whole whole'])('%s warns of nothing', async (line) => {
  const { exitCode, stdout, stderr } = await runIn(folder, line.split(' '));
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).not.toMatch(/warning/);
});

test.each(['list', 'extract --to-stdout', 'cat'].flatMap((line) => [line, `${line} --segment 1`]))(
  '%s says that an initrd is truncated, and not that a file is not in it',
  async (line) => {
    expect(await runIn(folder, [...line.split(' '), 'short.gz', 'init'])).toEqual({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringMatching(/^initoverlayfs: short\.gz: offset 0x0: gzip: .*truncated\n$/),
    });
  },
);

test.each(['list', 'extract --to-stdout', 'cat'])(
  '%s says why the kernel loses a file before it says that it is not there',
  async (line) => {
    const lossy = join(packageFolder, 'cases/directory-with-size.img');
    const { exitCode, stderr } = await runIn(folder, [...line.split(' '), lossy, 'etc/passwd']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(
      /warning: .*: etc\/passwd: its parent is no directory\n.*(?:matches|has no) etc\/passwd; initoverlayfs list/,
    );
  },
);
