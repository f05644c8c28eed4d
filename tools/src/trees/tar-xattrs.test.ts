// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packed } from '../fixtures/tar.ts';
import { readTar } from './from-tar.ts';
import { lookUp } from './tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Values that are no text, with what ends a record and a key. */
const capability = Buffer.from('010000020020000000000000000000000a3d00ff', 'hex');
const listed = `# file: ping\nsecurity.capability=0s${capability.toString('base64')}\nuser.a\\075b%3D=0s${Buffer.from('v').toString('base64')}\n`;

test('extended attributes of GNU tar are kept byte for byte', async () => {
  const script = `cd "$(mktemp -d -p .)"; echo x >ping; printf %s "$1" | setfattr --restore=-
    tar --xattrs --xattrs-include='*' -c ping`;
  const { stdout } = await execa('fakeroot', ['sh', '-ec', script, 'sh', listed], {
    cwd: folder,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  const { tree, lost } = await readTar(stdout);
  expect(lost).toEqual([]);
  expect(lookUp(tree, 'ping')?.xattrs).toEqual(
    new Map<string, Uint8Array>([
      ['security.capability', capability],
      ['user.a=b%3D', Buffer.from('v')],
    ]),
  );
});

test.each<[string, Record<string, string>, string, string]>([
  ['libarchive', { 'LIBARCHIVE.xattr.security.%69ma': 'AwIE' }, 'security.ima', '\x03\x02\x04'],
  ['GNU tar --selinux', { 'RHT.security.selinux': 'u:r:t:s0' }, 'security.selinux', 'u:r:t:s0\0'],
])('extended attributes in the key of %s are kept', async (_, pax, name, value) => {
  const { tree } = await readTar(await packed({ name: 'a', pax } as never));
  expect(lookUp(tree, 'a')?.xattrs).toEqual(new Map([[name, Buffer.from(value, 'latin1')]]));
});

test('an access control list of a tar archive is reported as lost', async () => {
  const pax = { 'SCHILY.acl.access': 'user::rwx' };
  const { lost } = await readTar(await packed({ name: 'a', pax } as never));
  expect(lost).toEqual(['a: its access control list is not kept, because tar has it as text']);
});
