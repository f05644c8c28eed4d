// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { file, type NewcEntry, type Segment, walkSegments } from '@initoverlayfs/tools';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { concatenate, cpio, early, initrd } from '../../images/initrd.ts';
import { prose } from '../../images/tree.ts';
import { factsOf, type Way } from '../model/way.ts';
import { type Original, ownOriginal, systemForm } from './system-forms.ts';

let original: Original;
let cache: string;

beforeAll(async () => {
  // What is made of this original is of use to nobody else.
  cache = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
  const main = await cpio(
    {
      init: file('#!/bin/sh\n', { mode: 0o755 }),
      'lib/modules/6.1.0/modules.dep': file('kernel/loop.ko.xz:\n'),
      text: file(prose(100_000, 1)),
    },
    'zstd',
  );
  original = await ownOriginal(
    await initrd('system original', concatenate([await early(), { align: 4 }, main])),
  );
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

/** Returns the segments that the kernel finds in the form, padding left out. */
async function segmentsOf({ initrd }: { initrd: string }) {
  return (await walkSegments(readFileSync(initrd))).filter(({ kind }) => kind !== 'padding');
}

function entriesOf(segment: Segment | undefined): NewcEntry[] {
  return segment !== undefined && 'archives' in segment ? segment.archives.flat() : [];
}

/** Without the offset, which counts within what is compressed. */
const contentOf = (segment: Segment | undefined) =>
  entriesOf(segment).map(({ offset: _offset, data, ...entry }) => ({ ...entry, data: Buffer.from(data) }));

const namesOf = (segment: Segment | undefined) => entriesOf(segment).map(({ name }) => name);

const credential = ['.extra', '.extra/credentials', '.extra/credentials/demo.cred'];

test.each<[Way, string]>([
  ['cpio-none', 'none'],
  ['cpio-lz4', 'lz4'],
  ['cpio-zstd-3', 'zstd'],
  ['cpio-zstd-19', 'zstd'],
  ['cpio-gzip', 'gzip'],
  ['cpio-xz', 'xz'],
])('%s: early-boot data, everything else in one archive, the credential', async (way, compression) => {
  const form = await systemForm(original, way);
  const segments = await segmentsOf(form);
  expect(segments.map((segment) => [segment.kind, 'compression' in segment && segment.compression])).toEqual([
    ['early cpio', 'none'],
    ['cpio', compression],
    ['cpio', 'none'],
  ]);
  expect(namesOf(segments[1])).toEqual(expect.arrayContaining(['init', 'text', 'demo-measure']));
  expect(namesOf(segments[2])).toEqual(credential);
  // Whatever compresses it, the kernel unpacks the same.
  const plain = (await segmentsOf(await systemForm(original, 'cpio-none')))[1];
  expect(contentOf(segments[1])).toEqual(contentOf(plain));
  expect(form.files).toEqual({ initrdBytes: statSync(form.initrd).size, diskBytes: 0 });
});

test('cpio-built: the initramfs as it was built, the measuring script, the credential', async () => {
  const form = await systemForm(original, 'cpio-built');
  const built = readFileSync(original.initrd);
  expect(readFileSync(form.initrd).subarray(0, built.length)).toEqual(built);
  const segments = await segmentsOf(form);
  expect(segments.map(({ kind }) => kind)).toEqual(['early cpio', 'cpio', 'cpio', 'cpio']);
  expect(namesOf(segments[2])).toContain('demo-measure');
  expect(namesOf(segments[3])).toEqual(credential);
  expect(form.image).toBe('system-original.img');
});

test('an initramfs of the user that is not there is named', async () => {
  await expect(ownOriginal('/no/such.img')).rejects.toThrow('INITRD=/no/such.img: no such file');
});

test.each<Way>(['kernel-none', 'kernel-lz4hc-64k'])(
  '%s: early-boot data, the image, the credential',
  async (way) => {
    const form = await systemForm(original, way);
    const segments = await segmentsOf(form);
    expect(segments.map(({ kind }) => kind)).toEqual(['early cpio', 'erofs cpio', 'cpio']);
    expect(namesOf(segments[2])).toEqual(credential);
    expect(form.files).toEqual({ initrdBytes: statSync(form.initrd).size, diskBytes: 0 });
  },
);

test.each<Way>(['user-cpio-loop', 'user-disk-file'])(
  '%s: storage-init, no modules, the credential',
  async (way) => {
    const form = await systemForm(original, way);
    const segments = await segmentsOf(form);
    expect(segments.map(({ kind }) => kind)).toEqual(['early cpio', 'cpio', 'cpio']);
    const { disk } = factsOf(way);
    const image = disk ? [] : ['boot', 'boot/initoverlayfs-bench.img'];
    const others = ['dev', 'dev/console', 'etc', 'etc/initoverlayfs.conf', 'init'];
    expect(namesOf(segments[1])).toEqual(['.', ...image, ...others]);
    expect(namesOf(segments[2])).toEqual(credential);
    const { initrdBytes, diskBytes } = form.files;
    expect(initrdBytes).toBe(statSync(form.initrd).size);
    expect(diskBytes > 0).toBe(disk === true);
    expect(form.bootDisk !== undefined).toBe(disk === true);
  },
);
