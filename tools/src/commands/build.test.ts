// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNewMkfs } from '../fixtures/new-mkfs.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { withWork } from '../host/work.ts';
import { bundle } from '../packaging/bundle.ts';
import { lookUp } from '../trees/tree.ts';
import { readAdditions } from './additions.ts';

let folder: string;
let shim: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  shim = await makeShimFolder();
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await mkdir(at('root'));
  await writeFile(at('root/init'), '#!/bin/sh\n', { mode: 0o755 });
  await execa('touch', ['-d', '@1234567890', at('root/init')]);
  await execa('setfattr', ['-n', 'user.note', '-v', 'text', at('root/init')]);
  const script = `cd "$1" && setfattr -n security.capability -v 0x01000002 root/init &&
    setfattr -n trusted.overlay.opaque -v y root && setfattr -n user.note -v text root/init &&
    tar --xattrs --xattrs-include='*' -C root -zcf root.tar.gz .`;
  await execa('fakeroot', ['sh', '-ec', script, 'sh', folder]);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(shim, { recursive: true });
});

type Files = Record<string, { mtime: number; xattrs: string[] }>;

/** Builds an initrd. @returns the messages, and extended attributes and time of each file. */
async function build(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | undefined; warnings: string; files: Files }> {
  const options = { cwd: folder, reject: false, env } as const;
  const output = at('out.img');
  const built = await execa('node', [bundle, 'build', ...args, '-o', output, '--shim', shim], options);
  if (built.exitCode !== 0) return { code: built.exitCode, warnings: built.stderr, files: {} };
  const { stdout } = await execa('node', [bundle, 'list', '--json', output]);
  const { entries } = JSON.parse(stdout) as {
    entries: { path: string; mtime: number; xattrs?: Record<string, string> }[];
  };
  const files = Object.fromEntries(
    entries.map(({ path, mtime, xattrs = {} }) => [path, { mtime, xattrs: Object.keys(xattrs).sort() }]),
  );
  return { code: built.exitCode, warnings: built.stderr, files };
}

test('roots that hide directories and symlinks of others are warned of', async () => {
  const script = `mkdir -p low/usr/lib low/etc low/run up/lib; ln -s usr/lib low/lib
    touch low/usr/lib/a.so low/etc/x low/file up/lib/b.so up/file; ln -s /x up/etc
    for n in 1 2 3 4 5 6 7 8 9 10 11 12; do mkdir -p low/d$n/x; touch up/d$n; done`;
  await execa('sh', ['-ec', script], { cwd: folder });
  const { code, warnings } = await build(['--root', 'low', '--root', 'up']);
  expect(code).toBe(0);
  const lines = warnings.trimEnd().split('\n').sort();
  const line = (rest: string) => `initoverlayfs: warning: ${rest}`;
  expect(lines).toContain(
    line('up: lib: a directory takes the place of a symlink, and what it led to is not found there'),
  );
  // Ten of a kind, and a count of the others.
  const lost = (count: string) => `takes the place of a directory, whose entries (${count}) are lost`;
  expect(lines.filter((each) => each.endsWith(lost('1')))).toHaveLength(10);
  expect(lines).toContain(line(`up: 3 more like the last: ${lost('N')}`));
  expect(lines).toHaveLength(12);
  const { stdout } = await execa('node', [bundle, 'verify', 'out.img', '--json'], {
    cwd: folder,
    reject: false,
  });
  const found = (JSON.parse(stdout) as { findings: { message: string }[] }).findings;
  expect(found.filter(({ message }) => message.includes('takes the place of'))).toHaveLength(12);
  expect(found).toContainEqual({
    level: 'warning',
    message: `3 more like the last: ${lost('N')}`,
  });
  const { stderr } = await execa('node', [bundle, 'list', 'out.img'], { cwd: folder });
  expect(stderr.match(/takes the place of/g)).toHaveLength(12);
});

test('a file that is too large is named with its root', async () => {
  await execa('sh', ['-ec', 'mkdir -p ok huge; truncate -s 2T huge/x'], { cwd: folder });
  const { code, warnings } = await build(['--root', 'ok', '--root', 'huge', '--form', 'raw']);
  expect([code, warnings]).toEqual([
    3,
    expect.stringMatching(/^initoverlayfs: huge: x has a size of 2199023255552 /),
  ]);
});

describe('a file with names in two roots', () => {
  const script = `mkdir -p one two; echo data >one/first; ln one/first one/second; ln one/first two/third
    echo old >one/hidden; ln one/hidden two/hidden`;
  const args = ['--root', 'one', '--root', 'two', '--form', 'raw'];
  beforeAll(() => execa('sh', ['-ec', script], { cwd: folder }));

  test('is two in two images, which is warned of', async () => {
    const { code, warnings } = await build(args);
    const what =
      'third is a hard link to first of an earlier root: it becomes a file of its own, since no two images share one';
    expect([code, warnings]).toEqual([0, `initoverlayfs: warning: two: ${what}`]);
  });

  test('is one where a profile merges the roots', async () => {
    await writeFile(at('profile'), '/third\n');
    await writeNewMkfs(at('new-mkfs'));
    const profiled = [...args, '--profile', 'profile', '--mkfs', at('new-mkfs')];
    expect(await build(profiled)).toMatchObject({ code: 0, warnings: '' });
    const { stdout } = await execa(
      'sh',
      ['-ec', `node "$0" extract out.img -o merged; cd merged; stat -c %h *`, bundle],
      {
        cwd: folder,
      },
    );
    expect(stdout.split('\n')).toEqual(['3', '1', '3', '3']);
  });
});

describe('a hard link of a tar archive to a file of an earlier root', () => {
  const script = `mkdir linked; echo data >linked/first; ln linked/first linked/third; tar -C linked -cf first.tar first
    tar -C linked -cf third.tar first third; tar --delete -f third.tar first`;
  beforeAll(() => execa('sh', ['-ec', script], { cwd: folder }));

  test('becomes a file of its own, which is warned of', async () => {
    const { code, warnings } = await build(['--root', 'first.tar', '--root', 'third.tar', '--form', 'raw']);
    const what =
      'third is a hard link to first of an earlier root: it becomes a file of its own, since no two images share one';
    expect([code, warnings]).toEqual([0, `initoverlayfs: warning: third.tar: ${what}`]);
    const { stdout } = await execa('node', [bundle, 'cat', 'out.img', 'first', 'third'], { cwd: folder });
    expect(stdout).toBe('data\ndata');
  });

  test('leads to nothing without that root', async () => {
    const { code, warnings } = await build(['--root', 'root', '--root', 'third.tar']);
    const what = 'which is not before it in the archive, nor in what it comes over; pack that, too';
    expect([code, warnings]).toEqual([
      3,
      `initoverlayfs: third.tar: offset 0x0: tar: third is a hard link to first, ${what}`,
    ]);
  });

  test('is one in an archive that is added', async () => {
    await withWork(async (work) => {
      const [root] = await readAdditions([at('first.tar'), at('third.tar')], 'to', work);
      const find = (path: string) => root && 'type' in root && lookUp(root, path);
      expect(find('to/third')).toBe(find('to/first'));
      expect(find('to/third')).toMatchObject({ type: 'file' });
    });
  });
});

describe('extended attributes', () => {
  test('of the system are kept by default, and what is not kept or acted on is warned of', async () => {
    const { warnings, files } = await build(['--root', 'root.tar.gz']);
    expect(files).toEqual({
      '': { mtime: 0, xattrs: ['trusted.overlay.opaque'] },
      init: { mtime: 0, xattrs: ['security.capability'] },
    });
    expect(warnings.split('\n')).toEqual([
      'initoverlayfs: warning: root.tar.gz: init: user.note is not kept without --xattrs all',
      'initoverlayfs: warning: root.tar.gz: .: trusted.overlay.opaque is no mere attribute, since the overlay acts on it',
    ]);
  });

  test.each(['root', 'root.tar.gz'])('of users are kept from %s on demand', async (root) => {
    const { files } = await build(['--root', root, '--xattrs', 'all']);
    expect(files.init?.xattrs).toContain('user.note');
  });

  test('are left out on demand', async () => {
    const { warnings, files } = await build(['--root', 'root.tar.gz', '--xattrs', 'none']);
    expect(Object.values(files).flatMap(({ xattrs }) => xattrs)).toEqual([]);
    expect(warnings).toBe('');
  });

  test('of a folder are not read when none are kept', async () => {
    await mkdir(at('bin'), { recursive: true });
    await writeFile(at('bin/getfattr'), '#!/bin/sh\necho broken >&2\nexit 1\n', { mode: 0o755 });
    const env = { PATH: `${at('bin')}:${process.env.PATH}` };
    expect((await build(['--root', 'root'], env)).warnings).toContain('extended attributes are not kept');
    expect((await build(['--root', 'root', '--xattrs', 'none'], env)).warnings).toBe('');
  });

  test('of an extra archive are warned of, since cpio has none', async () => {
    const { warnings } = await build([
      '--root',
      'root',
      '--xattrs',
      'none',
      '--extra',
      'root.tar.gz',
      '--form',
      'raw',
    ]);
    expect(warnings).toBe(
      'initoverlayfs: warning: root.tar.gz: cpio has no place for extended attributes, which are lost (security.capability, trusted.overlay.opaque, user.note); files that had some: 2',
    );
  });
});

describe('times', () => {
  test.each([
    [[], {}, 0],
    [['--keep-times'], {}, 1234567890],
    [['--keep-times'], { SOURCE_DATE_EPOCH: '1000000000' }, 1000000000],
    [[], { SOURCE_DATE_EPOCH: '1500000000' }, 1234567890],
  ])('with %j and %j are %d', async (args, env, mtime) => {
    const { files } = await build(['--root', 'root', ...args], env as Record<string, string>);
    expect(files.init?.mtime).toBe(mtime);
  });

  test('a SOURCE_DATE_EPOCH that is no number is a mistake of usage', async () => {
    expect(await build(['--root', 'root'], { SOURCE_DATE_EPOCH: 'now' })).toMatchObject({
      code: 2,
      warnings:
        'initoverlayfs: SOURCE_DATE_EPOCH: is no number of seconds since 1970; unset it or set it to one',
    });
  });
});

describe('a sparse file of a tar archive', () => {
  const pack = (size: string) =>
    execa(
      'sh',
      ['-ec', `rm -rf large; mkdir large; truncate -s ${size} large/log; tar -C large -Scf large.tar .`],
      {
        cwd: folder,
      },
    );

  test('of terabytes is refused, because mkfs.erofs reads its holes', async () => {
    await pack('4T');
    expect(await build(['--root', 'large.tar'])).toMatchObject({
      code: 3,
      warnings: expect.stringMatching(
        /^initoverlayfs: large\.tar: offset 0x\w+: tar: \.\/log has a size of 4398046511104 bytes .*; change or leave it out$/,
      ),
    });
  });

  test('of many gigabytes is read with an ear for signals', async () => {
    await pack('900G');
    const temporary = at('temporary');
    await mkdir(temporary);
    const child = execa('node', [bundle, 'build', '--root', 'large.tar', '-o', 'out', '--shim', shim], {
      cwd: folder,
      reject: false,
      env: { TMPDIR: temporary },
    });
    while ((await readdir(temporary, { recursive: true })).length < 3) await setTimeout(20);
    await setTimeout(500);
    child.kill('SIGTERM');
    expect((await child).signal).toBe('SIGTERM');
    expect(await readdir(temporary)).toEqual([]);
  });
});

test('mkfs.erofs has the same umask for everyone, since it decides the mode of an inode', async () => {
  const mkfs = at('mkfs-umask');
  await writeFile(mkfs, '#!/bin/sh\numask >>"$0.log"\nexec mkfs.erofs "$@"\n', { mode: 0o755 });
  const args = [bundle, 'build', '--root', 'root', '-o', 'umask.img', '--shim', shim, '--mkfs', mkfs];
  for (const xattrs of ['none', 'all']) {
    const script = `umask 077 && exec node "$@" --xattrs ${xattrs}`;
    await execa('sh', ['-c', script, 'sh', ...args], { cwd: folder });
  }
  expect(await readFile(`${mkfs}.log`, 'utf8')).toBe('0022\n0022\n');
});
