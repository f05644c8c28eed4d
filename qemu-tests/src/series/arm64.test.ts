// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { initrdPages } from '../expect/pages.ts';
import { differences } from '../expect/walk.ts';
import { readBase } from '../fuzz/base.ts';
import { architecture } from '../host/architecture.ts';
import { leftOutOnArm64 } from '../host/exclusions.ts';
import { kernel, kernelWith } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { concatenate, cpio, early, erofs, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, prose } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { everyWay, type Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import type { Boot, VmOptions } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR', 'RD_GZIP');

// What is different on arm64: pages of 4K or 64K, bytes of others beside the initrd, memory that the kernel was told
// not to use, tags of memory. The other files of this folder hold on each architecture, but those in exclusions.ts.

test.for(Object.entries(leftOutOnArm64))('%s does not run on arm64', ([, why], { skip }) => skip(why));

const machineStart = 0x4000_0000;
const copies = /^blocks are smaller than a page of 65536 bytes/;

let paths: Paths;
let plain: Buffer;
let packed: Buffer;

beforeEach(({ skip }) => skip(architecture !== 'arm64', 'it is about arm64: KERNEL_ARCH=arm64'));

beforeAll(async () => {
  paths = { ...(await bootable()), payload: file(noise(1_000_000, 1)), text: file(prose(300_000, 2)) };
  plain = await erofs(paths);
  packed = await erofs(paths, { compress: 'lz4hc' });
});

const walk: Step = ['walk', '/', everyWay];
const leave: Step[] = [['newroot', '/newroot'], ['pivot', '/newroot'], ['initrd']];

/** Expects the content of an image that is mounted in place, in the order of the steps `walk`. */
function expectContent({ verdict, log }: Boot): void {
  expect(differences(rowsOf(verdict, 'walk'), paths, everyWay)).toEqual([]);
  expect(seriesLog(log).mounted).toMatchObject({ mode: 'rw' });
}

describe.each([
  ['4K', 4096, () => kernel()],
  ['64K', 65_536, () => kernelWith('patched', 'CONFIG_ARM64_64K_PAGES=y')],
] as const)('pages of %s', (name, page, image) => {
  async function boot(
    what: string,
    parts: readonly (Buffer | Gap)[],
    steps: readonly Step[],
    look: (boot: Boot) => void,
    more: Partial<VmOptions> = {},
  ): Promise<void> {
    const title = `arm64 ${name} ${what}`;
    const path = await initrd(title, parts);
    await trial({ name: title, kernel: await image(), initrd: path, steps, ...more }, look);
  }

  test.each([
    ['not compressed', () => plain],
    ['lz4hc', () => packed],
  ])('an image after an early cpio is used in place and given back: %s', async (form, get) => {
    const parts = [await early(), { align: 4096 }, get()];
    await boot(form, parts, [walk, ...leave], (result) => {
      expectContent(result);
      expect(seriesLog(result.log).moved).toEqual([]);
      expect(seriesLog(result.log).lines.filter((line) => copies.test(line))).toHaveLength(
        page === 4096 ? 0 : 1,
      );
      expect(seriesLog(result.log).released).toHaveLength(1);
      // The initrd does not fill its last page.
      const { pages, reserved, back } = initrdPages(result)[0] ?? {};
      expect({ reserved, back }).toEqual({
        reserved: page === 4096 ? 0 : 1,
        back: (pages ?? 0) - (reserved ?? 0),
      });
    });
  });

  test('two images in one page are given back one after the other', async () => {
    const top = await erofs({ text: file(prose(5000, 3)) });
    await boot('two images', [plain, top], [['cat', '/text'], ...leave], (result) => {
      expect(rowsOf(result.verdict, 'cat')[0]).toEqual({ line: prose(5000, 3).toString().split('\n')[0] });
      expect(seriesLog(result.log).mounted).toMatchObject({ images: 2 });
      expect(seriesLog(result.log).released).toHaveLength(2);
      const { pages, unknown, held } = initrdPages(result)[0] ?? {};
      expect(pages).toBe(Math.ceil((plain.length + top.length) / page));
      expect({ unknown, held }).toEqual({ unknown: 0, held: 0 });
    });
  });

  test('files of archives after the image reach init', async () => {
    const extra = await cpio({ credential: file('secret\n') }, 'gzip');
    await boot('extra', [packed, extra], [['walk', 'fd:3', 'r']], ({ verdict }) => {
      expect(differences(rowsOf(verdict, 'walk'), { credential: file('secret\n') }, 'r')).toEqual([]);
    });
  });

  test("others' bytes in the first and the last page of the initrd stay", async () => {
    // Blocks of 512 bytes leave room in a page of 4K. The kernel clears the pages that it frees.
    const small = (await readBase('plain-512')).bytes;
    const parts = concatenate([plain, { align: 4096 }, small]);
    // QEMU puts the initrd in the middle of a machine with less than 256 MiB: here within a page of 64K.
    const memoryMiB = 200 + 8 / 1024;
    const start = machineStart + (memoryMiB / 2) * (1 << 20);
    const end = start + parts.length;
    expect(end % page).not.toBe(0);
    const marker = Buffer.from('this is for the firmware');
    const markerFile = await initrd(`arm64 ${name} marker`, marker);
    const addresses = [...(start % page === 0 ? [] : [start - 64]), end + 8];
    // So small a machine takes no page from one of the lists of its processor, nor does it empty that list, unless all
    // other memory is used: the last page of the image to be given back waits there.
    const empty: Step[] = [['press', 6000], ['sleep', 1], ['relax']];
    const steps: Step[] = [
      ['walk', '/payload', 'rms'],
      ...leave.slice(0, -1),
      ...empty,
      ['initrd'],
      ...addresses.map((address): Step => ['physical', address, marker.length]),
    ];
    await boot(
      'neighbours',
      [parts],
      steps,
      (result) => {
        expect(seriesLog(result.log).released).toHaveLength(2);
        expect(initrdPages(result)).toMatchObject([{ reserved: addresses.length, unknown: 0 }]);
        const found = rowsOf(result.verdict, 'physical');
        expect(found).toEqual(addresses.map(() => ({ hex: marker.toString('hex') })));
      },
      {
        memoryMiB,
        append: 'init_on_free=1',
        loads: addresses.map((address) => ({ file: markerFile, address })),
      },
    );
  });

  test('bytes of others before an initrd that starts within a page stay', async () => {
    // A boot loader that names the place on the command line need not begin a page with it.
    const start = machineStart + (96 << 20) + 512;
    const parts = concatenate([await early(), { at: 4 * 4096 - 512 }, plain]);
    const marker = Buffer.from('this is for the firmware');
    const title = `arm64 ${name} first page`;
    const loads = [
      { file: await initrd(title, [parts]), address: start },
      { file: await initrd(`${title} marker`, marker), address: start - 64 },
    ];
    const steps: Step[] = [walk, ...leave.slice(0, -1), ['physical', start - 64, marker.length]];
    const append = `initrd=0x${start.toString(16)},${parts.length} init_on_free=1`;
    await trial({ name: title, kernel: await image(), loads, append, steps }, (result) => {
      expectContent(result);
      expect(seriesLog(result.log).moved).toEqual([]);
      expect(seriesLog(result.log).released).toHaveLength(1);
      expect(rowsOf(result.verdict, 'physical')).toEqual([{ hex: marker.toString('hex') }]);
    });
  });

  test('memblock lists no page of an image that was given back as reserved', async () => {
    const steps: Step[] = [
      ...leave,
      ['mkdir', '/debug'],
      ['mount', 'debugfs', '/debug', 'debugfs'],
      ['cat', '/debug/memblock/reserved'],
    ];
    await boot('memblock', [plain], steps, ({ verdict }) => {
      const start = machineStart + (128 << 20);
      const ranges = rowsOf(verdict, 'cat').flatMap(({ line }) => {
        const [, from, last] = /0x([0-9a-f]+)\.\.0x([0-9a-f]+)/.exec(line) ?? [];
        return from === undefined ? [] : [{ from: Number(`0x${from}`), end: Number(`0x${last}`) + 1 }];
      });
      expect(ranges.length).toBeGreaterThan(0);
      const full = start + Math.floor(plain.length / page) * page;
      expect(ranges.filter(({ from, end }) => from < full && end > start)).toEqual([]);
    });
  });

  test.each([
    ['mem= ends before the initrd', { append: 'mem=96M' }],
    ['crashkernel=', { append: 'crashkernel=64M' }],
    ['four processors', { cpus: 4 }],
    ['memory with tags', { memoryTags: true, timeoutSeconds: 180 }],
  ] as const)('an image is used in place: %s', async (what, machine) => {
    await boot(what, [packed, await early()], [walk, ...leave], expectContent, machine);
  });
});
