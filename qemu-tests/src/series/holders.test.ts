// SPDX-License-Identifier: GPL-2.0-only
import { crc32 } from 'node:zlib';
import { file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { initrdPages, managedPages } from '../expect/pages.ts';
import { architecture } from '../host/architecture.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { ext4, wholeDisk } from '../images/disk.ts';
import { concatenate, erofs, type Gap, initrd, lastPage } from '../images/initrd.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import type { InitrdPages } from '../machine/rows.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import type { Boot, VmOptions } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR', 'UNIX', 'EXT4_FS', 'VIRTIO_BLK');

// Pages of an image that somebody holds outlive the root, and nothing else of it does.

const page = 4096;
const payload = noise(1 << 20, 1);
/** The pages of the payload that are held. */
const first = 10;
const count = 48;
const crc = crc32(payload.subarray(first * page, (first + count) * page)).toString(16);
const pressure = 16 * 1024;

let root: Paths;
let image: Buffer;

beforeAll(async () => {
  root = await bootable();
  image = await erofs({ ...root, payload: file(payload) });
});

function hold(how: string, path = '/payload', ...more: string[]): Step {
  return ['hold', how, path, first, count, ...more];
}

/** Steps that use all memory for other things, so that a page that was given away would change. */
const squeeze: Step[] = [['press', pressure], ['sleep', 1], ['relax']];

async function boot(
  name: string,
  parts: Buffer | readonly (Buffer | Gap)[],
  steps: Step[],
  look: (boot: Boot) => void,
  options: Partial<VmOptions> = {},
): Promise<void> {
  const path = await initrd(`holders ${name}`, [parts, lastPage].flat());
  // Under the pressure a guest gets slow, the more so on a busy host.
  const limits = { memoryMiB: 256, timeoutSeconds: 240 };
  const machine = { kernel: await kernel(), initrd: path, steps, ...limits, ...options };
  await trial({ name: `holders ${name}`, ...machine }, look);
}

function found(part: Partial<InitrdPages>, pages: number): InitrdPages {
  const { reserved = 0, held = 0, unknown = 0 } = part;
  return { pages, reserved, held, unknown, back: pages - reserved - held - unknown };
}

/** Returns the answers of the holders, in turn, when asked and when they let go. */
function answers({ verdict }: Boot): unknown[] {
  return verdict.steps.flatMap(({ rows }) => rows).filter((row) => 'holder' in row);
}

describe('pages that somebody has', () => {
  test.each(['pipe', 'socket'])('pages in a %s outlive the root, and nothing else does', async (how) => {
    const pages = image.length / page;
    const steps: Step[] = [
      ['newroot', '/newroot'],
      hold(how),
      ['pivot', '/newroot'],
      ['initrd'],
      ['memory'],
      ...squeeze,
      ['initrd'],
      ['drop'],
      ['initrd'],
      ['memory'],
    ];
    await boot(how, image, steps, (result) => {
      const held = { holder: how, pages: count, inside: count, reserved: 0, freed: 0, mapped: 0, crc };
      expect(answers(result)).toEqual([
        { holder: how, pages: count, crc },
        held,
        held,
        { holder: how, pages: count, crc },
      ]);
      expect(initrdPages(result)).toEqual([
        found({ held: count }, pages),
        found({ held: count }, pages),
        found({}, pages),
      ]);
      expect(seriesLog(result.log).released).toEqual([pages]);
      const [before, after] = managedPages(result);
      expect(after).toBe(before);
    });
  });

  test('pages of one of two images in a pipe let all of the other come back', async () => {
    const parts = [
      await erofs({ ...root, payload: file(payload) }),
      Buffer.alloc(0x204),
      await erofs({ other: file(noise(99_000, 2)) }),
    ];
    const pages = Math.ceil(concatenate(parts).length / page);
    const steps: Step[] = [
      ['newroot', '/newroot'],
      hold('pipe'),
      ['pivot', '/newroot'],
      ['initrd'],
      ['drop'],
      ['initrd'],
    ];
    await boot('pipe of stacked', parts, steps, (result) => {
      expect(initrdPages(result)).toEqual([found({ held: count }, pages), found({}, pages)]);
    });
  });

  test('pages in a direct write in flight outlive the root', async () => {
    // A frozen file system below a loop device is a disk that can take any time.
    const disk = await wholeDisk('holders', await ext4({ file: Buffer.alloc(1 << 20) }));
    const pages = image.length / page;
    const steps: Step[] = [
      ['newroot', '/newroot'],
      ['mkdir', '/newroot/disk'],
      ['mount', '/dev/vda', '/newroot/disk', 'ext4'],
      ['loop', '/newroot/disk/file', '/dev/loop0', 'rw'],
      ['freeze', '/newroot/disk'],
      hold('flight', '/payload', '/dev/loop0'),
      ['pivot', '/newroot'],
      ['initrd'],
      ...squeeze,
      ['initrd'],
      ['thaw', '/disk'],
      ['drop'],
      ['initrd'],
    ];
    await boot(
      'flight',
      image,
      steps,
      (result) => {
        const held = {
          holder: 'flight',
          pages: count,
          inside: count,
          reserved: 0,
          freed: 0,
          mapped: 0,
          crc: '0',
        };
        expect(answers(result)).toEqual([
          { holder: 'flight', pages: count, crc: '0' },
          held,
          held,
          // The checksum of the bytes on the disk.
          { holder: 'flight', pages: count, crc },
        ]);
        expect(initrdPages(result)).toEqual([
          found({ held: count }, pages),
          found({ held: count }, pages),
          found({}, pages),
        ]);
      },
      { disks: [disk] },
    );
  });
});

test('pages in ZONE_MOVABLE, which a pin for a long time would want to move, are not mapped', async () => {
  const pages = image.length / page;
  const steps: Step[] = [['newroot', '/newroot'], hold('map'), ['pivot', '/newroot'], ['initrd', pages]];
  const more: Step[] = [['drop'], ['initrd'], ['memory']];
  // The zone takes the end of RAM, where x86 has the initrd. QEMU puts it 128 MiB after the start on arm64.
  const kernelcore = architecture === 'arm64' ? '112M' : '320M';
  await boot(
    'movable',
    image,
    [...steps, ...more],
    (result) => {
      expect(result.console).toMatch(/Movable zone start for each node\r?\n.* Node 0: 0x/);
      expect(answers(result)[1]).toMatchObject({ pages: count, inside: 0, crc });
      expect(initrdPages(result)).toEqual([found({ reserved: pages }, pages), found({}, pages)]);
    },
    { append: `kernelcore=${kernelcore}`, memoryMiB: 512 },
  );
});

test('memory with an image in ZONE_MOVABLE is not taken offline, which is said at once', async ({ skip }) => {
  skip(architecture === 'arm64', 'memory that is there at boot is never taken offline');
  const steps: Step[] = [
    ['cat', '/sys/devices/system/memory/memory6/valid_zones'],
    ['append', '/sys/devices/system/memory/memory6/state', 'offline'],
  ];
  // A block of memory is 128 MiB. The last one has a hole, and the kernel puts things of its own below the initrd.
  const parts = [{ at: 40 << 20 }, image, { at: 288 << 20 }];
  await boot(
    'offline',
    parts,
    steps,
    ({ verdict }) => {
      expect(verdict.steps[0]?.rows).toEqual([{ line: 'Movable' }]);
      expect(verdict.steps[1]?.error).toBe('EBUSY');
    },
    { append: 'kernelcore=512M', memoryMiB: 1024, mayFail: ['append'] },
  );
});

describe('a process', () => {
  test.each(['map', 'lock', 'fd'])(
    'with %s of one file keeps all images, with all of their content',
    async (how) => {
      const parts = [await erofs(root), { align: page }, await erofs({ payload: file(payload) })];
      const pages = concatenate(parts).length / page;
      const mine = how === 'fd' ? 0 : count;
      const steps: Step[] = [
        ['newroot', '/newroot'],
        hold(how),
        ['pivot', '/newroot'],
        ['initrd', pages - mine],
        ...squeeze,
        ['initrd', pages - mine],
        ['drop'],
        ['initrd'],
        ['memory'],
      ];
      await boot(`${how} of stacked`, parts, steps, (result) => {
        const held = {
          holder: how,
          pages: mine,
          inside: mine,
          reserved: 0,
          freed: 0,
          mapped: mine,
          crc,
        };
        const kept = found({ held: mine, unknown: pages - mine }, pages);
        expect(answers(result)).toEqual([
          { holder: how, pages: mine, crc },
          held,
          held,
          { holder: how, pages: mine, crc },
        ]);
        expect(initrdPages(result)).toEqual([kept, kept, found({}, pages)]);
      });
    },
  );
});
