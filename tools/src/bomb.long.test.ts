// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNewcArchive } from './codecs/newc.ts';
import { bundle } from './packaging/bundle.ts';

/** Memory in MiB that a command may take whatever the size, as README.md says. Node.js alone takes 45. */
const most = 200;
/**
 * Has the command say at its end how much memory it took at most. ru_maxrss of getrusage(2) would begin with that of the
 * process which started it.
 */
const meter = [
  'import { readFileSync } from "node:fs"',
  'process.on("exit",()=>console.error("peak",/VmHWM:\\s*(\\d+)/.exec(readFileSync("/proc/self/status","latin1"))[1]))',
].join(';');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes a frame of zstd by hand (RFC 8878): an archive with a file of NULs, of which each block is 4 bytes. */
function bomb(size: number): Buffer {
  const member = (name: string) => ({ name, mode: 0o100644, data: new Uint8Array() });
  const archive = Buffer.from(writeNewcArchive([member('init')]));
  archive.write(size.toString(16).padStart(8, '0'), 54);
  const start = archive.subarray(0, 120 - 4);
  const trailer = archive.subarray(archive.indexOf('070701', 6));
  const blockSize = 128 * 1024;
  const block = (type: number, length: number, data: Uint8Array, last = 0) => {
    const header = Buffer.alloc(3);
    header.writeUIntLE(last | (type << 1) | (length << 3), 0, 3);
    return Buffer.concat([header, data]);
  };
  const nul = block(1, blockSize, Buffer.alloc(1));
  return Buffer.concat([
    // Magic, no checksum, a window of 1 MiB.
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x50]),
    block(0, start.length, start),
    ...Array(size / blockSize).fill(nul),
    block(0, trailer.length, trailer, 1),
  ]);
}

/** Runs a command of the bundle as a shell does. @returns its output and its peak of memory in MiB. */
async function measure(args: string[]): Promise<{ stdout: string; peak: number }> {
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(meter)}` };
  const { stdout, stderr } = await execa(bundle, args, { cwd: folder, env });
  return { stdout, peak: Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024 };
}

test.each([
  ['inspect', 512, ['inspect', 'bomb.img', '--raw']],
  ['extract', 256, ['extract', 'bomb.img', '-o', 'tree']],
])('%s of a zip bomb of %d MiB takes time, not memory', async (_, megabytes, args) => {
  const size = megabytes * 2 ** 20;
  const bytes = bomb(size);
  expect(bytes.length).toBeLessThan(size / 20_000);
  await writeFile(join(folder, 'bomb.img'), bytes);
  const { stdout, peak } = await measure(args);
  if (args.includes('tree')) expect((await stat(join(folder, 'tree/init'))).size).toBe(size);
  else expect(Number(stdout.split('\t')[4])).toBeGreaterThan(size);
  expect(peak).toBeLessThan(most);
});

/** Writes an archive of directories with 50 files each. */
async function writeManyFiles(name: string, count: number): Promise<void> {
  const data = Buffer.from('x');
  const members = Array.from({ length: count / 50 }, (_, group) => {
    const path = `directory-${String(group).padStart(50, '0')}`;
    const inside = (index: number) => ({
      name: `${path}/library-number-${index}.so.1`,
      mode: 0o100644,
      data,
    });
    const files = Array.from({ length: 50 }, (_, index) => inside(index));
    return [{ name: path, mode: 0o40755, data: data.subarray(1) }, ...files];
  });
  await writeFile(join(folder, name), writeNewcArchive(members.flat()));
}

// With a space for new objects that grows, diff took 133 MiB.
describe('less than 120 MiB are taken for 100,000 files', () => {
  beforeAll(() => writeManyFiles('many.img', 100_000));

  test('by list --json', async () => {
    const { stdout, peak } = await measure(['list', 'many.img', '--json']);
    expect(JSON.parse(stdout).entries.length).toBeGreaterThan(100_000);
    expect(peak).toBeLessThan(120);
  });

  test('by diff', async () => {
    const { stdout, peak } = await measure(['diff', 'many.img', 'many.img']);
    expect(stdout).toBe('');
    expect(peak).toBeLessThan(120);
  });

  // With names that kept the whole paths in memory, and a temporary file for each content, it took 174 MiB.
  test('by diff of tar archives', async () => {
    await execa('bsdtar', ['-cf', 'many.tar', '@many.img'], { cwd: folder });
    const { stdout, peak } = await measure(['diff', 'many.tar', 'many.tar']);
    expect(stdout).toBe('');
    expect(peak).toBeLessThan(120);
  });
});

// With a set of all inodes of each tree it took 210 MiB.
test('diff takes less than 200 MiB for 300,000 files', async () => {
  await writeManyFiles('most.img', 300_000);
  const { stdout, peak } = await measure(['diff', 'most.img', 'most.img']);
  expect(stdout).toBe('');
  expect(peak).toBeLessThan(most);
}, 240_000);

// A content of its own for each file took 103 and 122 MiB here, and 399 and 562 for 200,000 files.
test.each([
  ['extract', 90, ['-o', 'many']],
  ['convert', 100, ['-o', 'many.erofs', '--form', 'raw']],
])(
  '%s of a compressed archive of 10,000 files takes less than %d MiB',
  async (command, limit, options) => {
    await writeManyFiles('fewer.img', 10_000);
    await execa('zstd', ['-qf', 'fewer.img'], { cwd: folder });
    expect((await measure([command, 'fewer.img.zst', ...options])).peak).toBeLessThan(limit);
  },
  240_000,
);
