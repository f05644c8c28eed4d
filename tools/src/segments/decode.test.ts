// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TarCompression } from '../codecs/compression.ts';
import { decodeZstd } from '../codecs/erofs-program.ts';
import { checkBlockSize } from '../images/mkfs.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';
import { decodeStream } from './decode.ts';
import { inspectInitrd } from './inspect.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

const input = treeToNewc(tree({ init: file('#!/bin/sh\n', { mode: 0o755 }) }));
const compressors: [TarCompression, program: string, ...args: string[]][] = [
  ['xz', 'xz', '-c', '--check=crc32'],
  ['lzma', 'xz', '-c', '--format=lzma'],
  ['zstd', 'zstd', '-qc'],
  ['bzip2', 'bzip2', '-c'],
  ['lzo', 'lzop', '-c'],
  ['lz4', 'lz4', '-lc'],
  ['lz4 frame', 'lz4', '-c'],
];
const compress = ([, program, ...args]: (typeof compressors)[number]) =>
  execFileSync(program, args, { input });

/** Puts a script in the place of a program. */
async function replace(program: string, script: string): Promise<void> {
  await writeFile(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
}

const faults: [script: string, problem: RegExp][] = [
  ['kill -9 $$', / failed \(SIGKILL\): it was killed, as by a lack of memory$/],
  ['echo Cannot allocate memory >&2; exit 1', / failed \(exit code 1\): Cannot allocate memory$/],
  ['echo warning >&2; echo Memory usage limit reached >&2; exit 1', /: Memory usage limit reached$/],
];

describe.each(compressors)('a program for %s', (...compressor) => {
  const [compression, program] = compressor;

  test.each(faults)('that does "%s" says nothing of its input', async (script, problem) => {
    const stream = compress(compressor);
    await replace(program, script);
    const failure = { kind: 'program', problem: expect.stringMatching(problem) };
    await expect(decodeStream(stream, 0, compression, () => {})).rejects.toMatchObject(failure);
  });

  test('that refuses its input makes that damaged', async () => {
    const stream = compress(compressor);
    await replace(program, 'echo corrupt >&2; exit 1');
    await expect(decodeStream(stream, 0, compression, () => {})).rejects.toMatchObject({ kind: 'input' });
  });
});

test.each(faults)('inspect does not say that the kernel stops where a program does "%s"', async (script) => {
  const stream = execFileSync('xz', ['-c', '--check=crc32'], { input });
  await replace('xz', script);
  await expect(inspectInitrd(stream)).rejects.toMatchObject({ kind: 'program' });
});

test.each(faults)('an EROFS image is not damaged where a program does "%s"', async (script, problem) => {
  const stream = execFileSync('zstd', ['-qc'], { input });
  await replace('zstd', script);
  const failure = { kind: 'program', problem: expect.stringMatching(problem) };
  expect(() => decodeZstd(stream, input.length)).toThrow(expect.objectContaining(failure));
});

test.each(faults)('a mkfs.erofs that does "%s" is not too old', async (script, problem) => {
  await replace('mkfs.erofs', script);
  const failure = { kind: 'program', problem: expect.stringMatching(problem) };
  await expect(checkBlockSize('mkfs.erofs', 4096, 4096)).rejects.toMatchObject(failure);
});

test('a program that the system cannot start says nothing of its input', async () => {
  const stream = execFileSync('zstd', ['-qc'], { input });
  await writeFile(join(folder, 'zstd'), '');
  await chmod(join(folder, 'zstd'), 0o644);
  vi.stubEnv('PATH', folder);
  const failure = { kind: 'program', problem: 'zstd cannot be started (EACCES)' };
  await expect(decodeStream(stream, 0, 'zstd', () => {})).rejects.toMatchObject(failure);
  expect(() => decodeZstd(stream, input.length)).toThrow(expect.objectContaining(failure));
});

test('options of compressors in the environment do not count', async () => {
  const stream = execFileSync('xz', ['-c', '--check=crc32'], { input });
  for (const name of ['XZ_DEFAULTS', 'XZ_OPT']) vi.stubEnv(name, '--memlimit-decompress=100KiB');
  const chunks: Uint8Array[] = [];
  await decodeStream(stream, 0, 'xz', (chunk) => void chunks.push(chunk));
  expect(Buffer.concat(chunks).equals(input)).toBe(true);
});
