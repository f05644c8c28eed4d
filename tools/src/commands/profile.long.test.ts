// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNewMkfs } from '../fixtures/new-mkfs.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { makeErofs } from '../images/erofs.ts';
import { concatenateInitrd } from '../images/initrd.ts';
import { bundle } from '../packaging/bundle.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';

let folder: string;
let shim: string;
const at = (name: string) => join(folder, name);
const executable = (content: string) => file(content, { mode: 0o755 });

const sample = tree({
  init: executable('#!/bin/sh\nexec tool\n'),
  'bin/sh': executable('shell'),
  'bin/tool': executable('tool'),
  'bin/other': executable('o'.repeat(5000)),
  'lib/modules/1.0/modules.dep': file('kernel/fs/ext4.ko: kernel/lib/crc16.ko\nkernel/lib/crc16.ko:\n'),
  'lib/modules/1.0/modules.builtin': file('kernel/fs/erofs.ko\n'),
  'lib/modules/1.0/kernel/fs/ext4.ko': file('m'),
  'lib/modules/1.0/kernel/lib/crc16.ko': file('m'),
});

beforeAll(async () => {
  shim = await makeShimFolder();
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await writeFile(at('plain.img'), gzipSync(treeToNewc(sample)));
  const image = await makeErofs(sample);
  const extra = treeToNewc(tree({ 'bin/tool': executable('#!/bin/other\n') }));
  await writeFile(at('image.img'), concatenateInitrd([{ bytes: image }, { bytes: extra }]));
  await writeFile(at('empty.img'), treeToNewc(tree({ etc: file() })));
  await writeFile(at('a.list'), '/bin/sh\n/init\n');
  await writeFile(at('c.list'), '/bin/sh\n/init\n/no\n');
  await writeFile(at('bad.list'), '/ok\n/a\\b\n');
  await writeNewMkfs(at('mkfs'));
  await mkdir(at('root/bin'), { recursive: true });
  await writeFile(at('root/init'), '#!/bin/sh\n', { mode: 0o755 });
  for (const name of ['bin/sh', 'bin/other']) await writeFile(at(`root/${name}`), name);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(shim, { recursive: true });
});

async function initoverlayfs(args: string[], input?: string) {
  const options = { cwd: folder, reject: false, stripFinalNewline: false, input: input ?? '' } as const;
  const { exitCode, stdout, stderr } = await execa('node', [bundle, ...args], options);
  return { exitCode, stdout, stderr };
}
const run = (args: string[], input?: string) => initoverlayfs(['profile', ...args], input);
const succeeds = (stdout: string) => ({ exitCode: 0, stdout, stderr: '' });
const fails = (exitCode: number, message: string) => ({
  exitCode,
  stdout: '',
  stderr: `initoverlayfs: ${message}\n`,
});

describe('record', () => {
  test('adds the recorder to an initrd, and says what starts it', async () => {
    const initrd = tree({ init: executable('#!/bin/sh\n'), 'scripts/init-bottom/ORDER': file('') });
    await writeFile(at('tools.img'), treeToNewc(initrd));
    expect((await run(['record', 'tools.img', '-o', 'recording.img', '--shim', shim])).stdout).toBe(
      'the recorder is started by initramfs-tools when the root is left\n' +
        'recording.img: 0.0 MB; a boot of it, or of what is converted from it, writes /run/initoverlayfs/profile\n',
    );
    const { stdout } = await execa('node', [bundle, 'list', at('recording.img'), 'scripts/**', 'usr/**']);
    expect(stdout.split('\n')).toEqual([
      'scripts/init-bottom',
      'scripts/init-bottom/ORDER',
      'scripts/init-bottom/initoverlayfs-profile-record',
      'usr/lib',
      'usr/lib/initoverlayfs-profile-record',
    ]);
  });

  test('warns when nothing starts it', async () => {
    const { exitCode, stderr } = await run(['record', 'plain.img', '-o', 'recording.img', '--shim', shim]);
    expect(exitCode).toBe(0);
    expect(stderr).toBe(
      'initoverlayfs: warning: plain.img: nothing in it starts the recorder; run /usr/lib/initoverlayfs-profile-record when it has booted\n',
    );
  });
});

describe('closure', () => {
  test.each(['plain.img', 'image.img'])('lists what init in %s names, of the root alone', async (image) => {
    expect(await run(['closure', image])).toEqual(succeeds('/bin/sh\n/bin/tool\n/init\n'));
  });

  test('takes modules with those that they need, but those that are built in', async () => {
    const modules = '/lib/modules/1.0/kernel';
    expect(await run(['closure', 'plain.img', '--module', 'ext4', '--module', 'erofs'])).toEqual(
      succeeds(`/bin/sh\n/bin/tool\n/init\n${modules}/fs/ext4.ko\n${modules}/lib/crc16.ko\n`),
    );
  });

  test('writes a file, from standard input', async () => {
    const input = await readFile(at('plain.img'));
    await execa('node', [bundle, 'profile', 'closure', '-', '-o', at('out.list')], { input });
    expect(await readFile(at('out.list'), 'utf8')).toBe('/bin/sh\n/bin/tool\n/init\n');
  });
});

test('help alone is no mistake but for the exit code', async () => {
  const { exitCode, stderr } = await run([]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('closure [options] <initrd>');
  expect(stderr).not.toContain('see initoverlayfs --help');
});

test('merge sorts the paths of all lists, each once, and may write to one of them', async () => {
  expect(await run(['merge', 'a.list', '-'], '# more\netc/x\n/init\n')).toEqual(
    succeeds('/bin/sh\n/etc/x\n/init\n'),
  );
  await writeFile(at('b.list'), '/z\n');
  await run(['merge', 'a.list', 'b.list', '-o', 'b.list']);
  expect(await readFile(at('b.list'), 'utf8')).toBe('/bin/sh\n/init\n/z\n');
});

describe('explain', () => {
  test('prints sizes, what a miss costs, and paths that name no file', async () => {
    const { exitCode, stdout } = await run(
      ['explain', 'plain.img', '-', '--mkfs', at('mkfs')],
      '/bin\n/bin/sh\n/no\n',
    );
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^hot {3}1 file, 0\.0 MB -> image 0\.0 MB \(lz4hc\)$/),
      expect.stringMatching(/^cold {2}7 files, 0\.0 MB -> image 0\.0 MB \(lzma\)$/),
      expect.stringMatching(/^a small file that the profile lacks: 0\.0 MB to decompress, 0\.00 s$/),
      expect.stringMatching(/^the largest, \/bin\/other: 0\.0 MB to decompress, 0\.00 s$/),
      'paths that name no file, 2 of 3:',
      '  /bin',
      '  /no',
      '',
    ]);
  });

  test('prints them as JSON', async () => {
    const args = ['explain', 'plain.img', 'a.list', '--mkfs', at('mkfs'), '--json', '--cold', 'zstd'];
    expect(JSON.parse((await run(args)).stdout)).toEqual({
      file: 'plain.img',
      profile: 'a.list',
      hot: { files: 2, bytes: 25, imageBytes: expect.any(Number) },
      cold: { files: 6, bytes: 5085, imageBytes: expect.any(Number) },
      miss: {
        smallBytes: expect.any(Number),
        smallSeconds: expect.any(Number),
        largest: {
          path: '/bin/other',
          bytes: 5000,
          decompressedBytes: expect.any(Number),
          seconds: expect.any(Number),
        },
      },
      missing: [],
    });
  });
});

describe.each([
  ['convert', ['plain.img'], 'plain.img', ['bin/tool', 'lib/modules/1.0/kernel/fs/ext4.ko']],
  ['build', ['--root', 'root'], 'out.img', []],
])('%s --profile', (command, input, warned, more) => {
  const make = (...options: string[]) =>
    initoverlayfs([command, ...input, '--shim', shim, '-o', 'out.img', ...options]);

  /** Lists the files in a segment of what was made. */
  async function filesIn(segment: number): Promise<string[]> {
    const { stdout } = await initoverlayfs(['list', '--json', '--segment', `${segment}`, 'out.img']);
    const { entries } = JSON.parse(stdout) as { entries: { path: string; type: string }[] };
    return entries.flatMap(({ path, type }) => (type === 'file' ? [path] : []));
  }

  test.each([
    [[], [2, 3], '-zlzma,level=9'],
    [['--form', 'raw', '--cold', 'zstd'], [1, 2], '-zzstd,level=19'],
  ])(
    'puts the files of the profile into an image over that of all others: %j',
    async (options, [cold = 0, hot = 0], solid) => {
      await writeFile(at('mkfs.log'), '');
      const { exitCode, stderr } = await make('--profile', 'c.list', '--mkfs', at('mkfs'), ...options);
      expect([exitCode, stderr]).toEqual([
        0,
        `initoverlayfs: warning: ${warned}: paths of the profile that name no file: 1 of 3, such as /no\n`,
      ]);
      expect(await filesIn(hot)).toEqual(['bin/sh', 'init']);
      expect(await filesIn(cold)).toEqual(expect.arrayContaining(['bin/other', ...more]));
      expect(await filesIn(cold)).not.toContain('init');
      expect((await readFile(at('mkfs.log'), 'utf8')).split('\n')).toEqual([
        expect.stringContaining(`${solid} `),
        expect.stringContaining('-zlz4hc,12 '),
        '',
      ]);
    },
  );

  test('makes the same file each time, and another one by another profile', async () => {
    const made = async (list: string) => {
      await make('--profile', list, '--mkfs', at('mkfs'));
      return (await readFile(at('out.img'))).toString('base64');
    };
    const first = await made('c.list');
    expect(await made('c.list')).toBe(first);
    expect(await made('a.list')).not.toBe(first);
  });

  test('makes nothing with a mkfs.erofs that cannot, with another compression, or over the profile', async () => {
    await rm(at('out.img'), { force: true });
    const old = at('old-mkfs');
    await writeFile(old, "#!/bin/sh\necho 'mkfs.erofs 1.5'\n", { mode: 0o755 });
    const refused = [
      [
        ['--profile', 'c.list', '--mkfs', old],
        `--profile needs erofs-utils 1.8 or later with lzma and lz4hc, and ${old} is 1.5`,
      ],
      [
        ['--profile', 'c.list', '--compress', 'lz4'],
        "'--profile <list>' cannot be used with option '--compress <algorithm>'",
      ],
      [['--profile', 'c.list', '--mkfs', at('mkfs'), '-o', 'c.list'], 'c.list: is the input as well'],
    ] as const;
    for (const [options, message] of refused) {
      const { exitCode, stderr } = await make(...options);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    await expect(readFile(at('out.img'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(at('c.list'), 'utf8')).toBe('/bin/sh\n/init\n/no\n');
  });
});

test.each<[string, string[], ReturnType<typeof fails>]>([
  [
    'without an init',
    ['closure', 'empty.img'],
    fails(3, 'empty.img: has no /init to execute; --rdinit names another program'),
  ],
  [
    'with an unknown module',
    ['closure', 'plain.img', '--module', 'xfs'],
    fails(2, 'plain.img: has no module xfs in lib/modules/1.0; initoverlayfs list shows those that it has'),
  ],
  [
    'with an image to record',
    ['record', 'image.img', '-o', 'out.img'],
    fails(
      2,
      'image.img: has an image as root, to which nothing is added; name what it was made of, and convert the result',
    ),
  ],
  [
    'over its input',
    ['closure', 'plain.img', '-o', 'plain.img'],
    fails(2, 'plain.img: is the input as well; name another file'),
  ],
  [
    'with a text that is no profile',
    ['merge', 'a.list', 'bad.list'],
    fails(
      3,
      'bad.list: offset 0x6: no profile: a path has a character that is written as \\x and two digits there',
    ),
  ],
  ['without a list', ['merge', 'none.list'], fails(3, 'none.list: no such file; check the name')],
  ['with an unknown command', ['frob'], fails(2, "unknown command 'frob'; see initoverlayfs --help")],
])('%s it fails', async (_, args, expected) => {
  expect(await run(args)).toEqual(expected);
});
