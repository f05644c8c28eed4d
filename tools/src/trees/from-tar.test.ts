// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readTar, unpackTar } from './from-tar.ts';
import { lookUp } from './tree.ts';

let folder: string;
const long = `${'d'.repeat(120)}/${'e'.repeat(120)}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const script = `mkdir -p root/usr/bin "root/${long}"; cd root
    printf data > usr/bin/tool; ln usr/bin/tool usr/bin/link;
    ln -s usr/bin bin; ln -s /etc/passwd absolute; mkfifo pipe; printf x > "$(printf 'gr\\303\\266n')"; printf x > "$(printf 'gr\\366n')"
    mknod null c 1 3; mknod disk b 259 70000; chown -h 11:22 absolute usr/bin/tool; chmod 4750 usr/bin/tool
    for format in ustar gnu pax; do
      tar --format=$format -cf ../$format.tar --exclude="$(test $format = ustar && echo 'ddd*')" .
    done`;
  await execa('fakeroot', ['sh', '-ec', script], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

async function read(format: string) {
  const { stdout } = await execa('cat', [join(folder, `${format}.tar`)], {
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  return readTar(stdout);
}

describe.each(['ustar', 'gnu', 'pax'])('a %s archive of GNU tar', (format) => {
  test('keeps owners, modes, links and targets', async () => {
    const { tree, lost } = await read(format);
    expect(lost.filter((line) => !line.endsWith('no UTF-8 is not kept'))).toEqual([]);
    expect(lookUp(tree, 'bin/tool')).toMatchObject({ type: 'file', mode: 0o4750, uid: 11, gid: 22 });
    expect(lookUp(tree, 'usr/bin/link')).toBe(lookUp(tree, 'usr/bin/tool'));
    expect(lookUp(tree, 'absolute', { follow: false })).toMatchObject({ target: '/etc/passwd', uid: 11 });
    expect(lookUp(tree, 'gr\xc3\xb6n')).toMatchObject({ type: 'file' });
    const odd = lookUp(tree, 'gr\xf6n') ?? lost.find((line) => line.endsWith('no UTF-8 is not kept'));
    expect(odd).toBeDefined();
  });

  test('keeps devices and pipes', async () => {
    const { tree } = await read(format);
    expect(lookUp(tree, 'null')).toMatchObject({ type: 'character', major: 1, minor: 3 });
    expect(lookUp(tree, 'disk')).toMatchObject({ type: 'block', major: 259, minor: 70000 });
    expect(lookUp(tree, 'pipe')).toMatchObject({ type: 'fifo' });
  });
});

test.each(['gnu', 'pax'])('a tar archive keeps long names in %s format', async (format) => {
  expect(lookUp((await read(format)).tree, long)).toMatchObject({ type: 'directory' });
});

/** A tar of these headers, every file holding `x`. */
async function packed(...headers: Parameters<ReturnType<typeof pack>['entry']>[0][]): Promise<Uint8Array> {
  const archive = pack();
  for (const header of headers) {
    if ((header.type ?? 'file') === 'file') archive.entry(header, 'x');
    else archive.entry(header);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

test('a large file in a tar archive leaves no listeners behind', async () => {
  const warn = vi.spyOn(process, 'emitWarning');
  const { stdout } = await execa('sh', ['-c', 'head -c 20M /dev/zero >large && tar -c large'], {
    cwd: folder,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  await unpackTar(async (take) => {
    for (let at = 0; at < stdout.length; at += 65536) await take(stdout.subarray(at, at + 65536));
  });
  expect(warn).not.toHaveBeenCalled();
});

test('names in a tar archive cannot leave the tree', async () => {
  const { tree } = await readTar(
    await packed(
      { name: '/absolute' },
      { name: '../../above' },
      { name: 'host', type: 'symlink', linkname: '/etc' },
      { name: 'host/passwd' },
    ),
  );
  expect([...tree.children.keys()].sort()).toEqual(['above', 'absolute', 'etc', 'host']);
  expect(lookUp(tree, 'etc/passwd')).toMatchObject({ type: 'file' });
});

test('extended attributes of a tar archive are reported as lost', async () => {
  const { lost } = await readTar(
    await packed({ name: 'ping', pax: { 'SCHILY.xattr.security.capability': 'x' } } as never),
  );
  expect(lost).toEqual(['ping: extended attributes are not kept (security.capability)']);
});

test('a later tar entry replaces an earlier one, but a directory keeps its contents', async () => {
  const { tree } = await readTar(
    await packed(
      { name: 'd', type: 'directory' },
      { name: 'd/a' },
      { name: 'd', type: 'directory', mode: 0o700 },
    ),
  );
  expect(lookUp(tree, 'd')).toMatchObject({ mode: 0o700 });
  expect(lookUp(tree, 'd/a')).toBeDefined();
});

test.each([
  ['truncated', async () => (await packed({ name: 'a' })).subarray(0, 600), /truncated/],
  ['garbage', async () => Buffer.alloc(1024, 'garbage'), /damaged/],
  ['a link to nothing', () => packed({ name: 'a', type: 'link', linkname: 'b' }), /a is a link to b/],
  ['a file in place of the root', () => packed({ name: './.' }), /no place/],
])('a tar archive is refused: %s', async (_, bytes, problem) => {
  await expect(bytes().then(readTar)).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(problem),
  });
});
