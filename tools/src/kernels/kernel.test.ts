// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../host/program.ts';
import { parseVersion } from './config.ts';
import { readConfig, readKernel } from './kernel.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const configuration =
  '# Linux/x86 6.12.1 Kernel Configuration\nCONFIG_EROFS_FS=y\n# CONFIG_X is not set\nCONFIG_A="b"\n';
const noise = Buffer.from(Array.from({ length: 600_000 }, (_, index) => (index * 7919) % 251));

/** Makes the headers of a bzImage around a payload, whose size as unpacked is after it. */
function bzImage(payload: Uint8Array): Buffer {
  const file = Buffer.alloc(0x1000 + payload.length + 4);
  file.writeUInt8(1, 0x1f1);
  file.write('HdrS', 0x202);
  file.writeUInt16LE(0x300, 0x20e);
  file.write('6.12.1-test (builder) #1\0', 0x500);
  file.writeUInt32LE(0xc00, 0x248);
  file.writeUInt32LE(payload.length + 4, 0x24c);
  file.set(payload, 0x1000);
  file.writeUInt32LE(123, 0x1000 + payload.length);
  return file;
}

const embedded = Buffer.concat([
  noise,
  Buffer.from('IKCFG_ST'),
  gzipSync(configuration),
  Buffer.from('IKCFG_ED'),
  noise,
]);

test.each([
  ['gzip', ['-c']],
  ['zstd', ['-qc']],
  ['xz', ['--check=crc32', '-c']],
  ['lz4', ['-lc']],
])('the configuration is read out of a kernel compressed by %s', async (program, args) => {
  const file = join(folder, program);
  await writeFile(file, bzImage(await runProgram(program, args, { input: embedded })));
  const { release, version, config } = await readKernel(file);
  expect({ release, version }).toEqual({ release: '6.12.1-test', version: { major: 6, minor: 12 } });
  expect([...(config ?? [])]).toEqual([
    ['CONFIG_EROFS_FS', 'y'],
    ['CONFIG_A', '"b"'],
  ]);
});

test('a kernel without its configuration has that of the file beside it', async () => {
  const file = join(folder, 'vmlinuz');
  await writeFile(file, bzImage(gzipSync(noise)));
  expect((await readKernel(file)).config).toBeUndefined();
  await writeFile(join(folder, 'config-6.12.1-test'), configuration);
  expect((await readKernel(file)).config?.get('CONFIG_EROFS_FS')).toBe('y');
});

test('what is no kernel is refused', async () => {
  const file = join(folder, 'text');
  await writeFile(file, 'text'.repeat(1000));
  await expect(readKernel(file)).rejects.toThrow(
    'is no x86 kernel; name a bzImage or a release such as 6.12',
  );
  await expect(readConfig(file)).rejects.toThrow("no line CONFIG_...=; name a kernel's configuration");
});

test.each<[string, () => Promise<Uint8Array>]>([
  ['that unpacks to more than any has', () => packedZeros(2 ** 30 + 1)],
  [
    'with a configuration without an end',
    async () => gzipSync(Buffer.concat([Buffer.from('IKCFG_ST'), Buffer.alloc(6e6)])),
  ],
])('a kernel %s is refused', async (_, payload) => {
  const file = join(folder, 'vmlinuz');
  await writeFile(file, bzImage(await payload()));
  await expect(readKernel(file)).rejects.toMatchObject({
    kind: 'input',
    file,
    problem: expect.stringMatching(/unpacks to more than any has/),
  });
});

async function packedZeros(size: number): Promise<Uint8Array> {
  const script = `head -c ${size} /dev/zero | zstd -c`;
  const { stdout } = await execa('sh', ['-c', script], { encoding: 'buffer', stripFinalNewline: false });
  return stdout;
}

test('a configuration without an end is refused', async () => {
  await expect(readConfig('/dev/zero')).rejects.toMatchObject({ kind: 'input' });
  const bomb = join(folder, 'bomb.gz');
  await writeFile(bomb, gzipSync(Buffer.alloc(65 * 2 ** 20)));
  await expect(readConfig(bomb)).rejects.toMatchObject({ kind: 'input' });
});

test.each([
  ['cut off', gzipSync(configuration).subarray(0, 50), /gzip: the configuration is damaged or cut off/],
  ['empty', Buffer.alloc(0), /is empty; name a kernel's configuration/],
])('a configuration that is %s is refused', async (_, bytes, message) => {
  const file = join(folder, 'bad');
  await writeFile(file, bytes);
  await expect(readConfig(file)).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(message),
  });
});

test('a configuration beside a kernel that cannot be read is refused', async () => {
  const file = join(folder, 'vmlinuz');
  await writeFile(file, bzImage(gzipSync(noise)));
  await rm(join(folder, 'config-6.12.1-test'), { force: true });
  await mkdir(join(folder, 'config-6.12.1-test'));
  await expect(readKernel(file)).rejects.toMatchObject({ kind: 'input' });
  await rm(join(folder, 'config-6.12.1-test'), { recursive: true });
});

test('a configuration may be compressed by gzip, and has the release', async () => {
  const file = join(folder, 'config.gz');
  await writeFile(file, gzipSync(configuration));
  expect(await readConfig(file)).toMatchObject({ release: '6.12.1', version: { major: 6, minor: 12 } });
});

test.each([
  ['6.12', { major: 6, minor: 12 }],
  ['v7.3-rc1', { major: 7, minor: 3 }],
  ['6', undefined],
  ['6.12x', { major: 6, minor: 12 }],
])('%s is read as a version', (text, version) => {
  expect(parseVersion(text)).toEqual(version);
});
