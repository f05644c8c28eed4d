// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { directory, file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { newMkfs } from '../debian/erofs-utils.ts';
import { differences } from '../expect/walk.ts';
import { readBase } from '../fuzz/base.ts';
import { mutantOf, readCorpus } from '../fuzz/corpus.ts';
import { applyEdits } from '../fuzz/edit.ts';
import { kernelAt, seriesPatches } from '../host/kernels.ts';
import { kernelSeries } from '../host/variant.ts';
import { compress } from '../images/compress.ts';
import { wholeDisk } from '../images/disk.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { metaboxImage, sharedXattrImage, sharedXattrs } from '../images/metabox.ts';
import { staticBusybox } from '../images/programs.ts';
import { tailContent, tailImage } from '../images/tail.ts';
import { bootable, noise } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import type { Machine } from '../machine/qemu.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import { type Boot, Vm } from '../machine/vm.ts';

// Each fix of the stock kernel that stands apart from the feature: the unpatched sanitizer kernel shows the fault, the
// one with nothing but the fixes does not.

/** inode_share came after 6.12. */
const hasInodeShare = kernelSeries() !== '6.12';

let stock: string;
let fixed: string;

beforeAll(async () => {
  const config = hasInodeShare ? 'CONFIG_EROFS_FS_PAGE_CACHE_SHARE=y' : '';
  stock = await kernelAt(0, 'debug', config);
  fixed = await kernelAt('fixes', 'debug', config);
});

/** Fixes of the series, by their file names. A test of one that the series lacks is left out. */
const fixes = seriesPatches().filter((path) => path.includes('/fixes/'));
/** Parts of these names that the tests have asked for. */
const asked: string[] = [];

function lacks(fix: string): [boolean, string] {
  asked.push(fix);
  return [!fixes.some((path) => path.includes(fix)), `the series has no fix ${fix}`];
}

/** Boots the unpatched kernel, which is to come to grief. */
async function grief(name: string, machine: Omit<Machine, 'kernel'>): Promise<Boot> {
  const append = `oops=panic ${machine.append ?? ''}`;
  const options = { name: `fixes stock ${name}`, ...machine, append, kernel: stock, timeoutSeconds: 60 };
  return Vm.start(options).wait();
}

describe('a damaged EROFS image on a loop device', () => {
  /** Mounts an image and reads all of it, or does something else with it. */
  async function mounting(
    name: string,
    image: Buffer,
    uses: readonly Step[] = [['walk', '/mnt', 'rpmscx']],
  ): Promise<Omit<Machine, 'kernel'>> {
    return {
      initrd: await initrd(`fixes ${name}`, await cpio({ ...(await bootable()), image: file(image) })),
      steps: [['loop', '/image', '/dev/loop0'], ['mount', '/dev/loop0', '/mnt', 'erofs', 'ro'], ...uses],
    };
  }

  async function corpus(name: string): Promise<Buffer> {
    const entry = readCorpus().find((some) => some.name === name);
    if (entry === undefined) throw new Error(`corpus/${name}.json: no such entry`);
    const base = await readBase(entry.base);
    const { length, edits } = mutantOf(entry, 0, [base]);
    return applyEdits(base.bytes, length, edits);
  }

  test('a packed inode that is a FIFO is refused, where stock calls a NULL pointer', async ({ skip }) => {
    skip(...lacks('packed-inode-that-is'));
    const machine = await mounting('packed FIFO', await corpus('packed-fifo'));
    const { outcome } = await grief('packed FIFO', machine);
    expect(outcome).toMatchObject({ kind: 'panicked', reason: expect.stringMatching(/NULL pointer/) });
    await trial(
      { name: 'fixes packed FIFO', ...machine, kernel: fixed, mayFail: ['mount'] },
      ({ verdict, log }) => {
        expect(verdict.steps[1]?.error).toBe('EUCLEAN');
        expect(linesOf(log, /^erofs:? \(device loop0\): .*packed inode/)).toHaveLength(1);
      },
    );
  });

  test('a metabox inode that is a FIFO is refused, where stock calls a NULL pointer', async ({ skip }) => {
    skip(...lacks('metabox-inode-that-is'));
    const machine = await mounting('metabox FIFO', metaboxImage(0o010600));
    const { outcome } = await grief('metabox FIFO', machine);
    expect(outcome).toMatchObject({ kind: 'panicked', reason: expect.stringMatching(/NULL pointer/) });
    await trial(
      { name: 'fixes metabox FIFO', ...machine, kernel: fixed, mayFail: ['mount'] },
      ({ verdict, log }) => {
        expect(verdict.steps[1]?.error).toBe('EUCLEAN');
        expect(linesOf(log, /^erofs:? \(device loop0\): .*metabox inode/)).toHaveLength(1);
      },
    );
  });

  test('a packed inode that is its own fragment is an error, where stock hangs', async ({ skip }) => {
    skip(...lacks('fragments-of-the-packed-inode'));
    const machine = await mounting('packed in itself', await corpus('packed-in-itself'));
    const { outcome, verdict } = await grief('packed in itself', machine);
    expect(outcome.kind).toBe('timed out');
    expect(verdict.steps.map(({ ended, error }) => [ended, error])).toMatchObject([
      [true, undefined],
      [true, undefined],
      [false, undefined],
    ]);
    await trial({ name: 'fixes packed in itself', ...machine, kernel: fixed, mayFail: ['walk'] });
  });

  test('what is around a page of a fragment of 4 GiB is not read, where stock fills the memory', async ({
    skip,
  }) => {
    skip(...lacks('read-more-around-a-page'));
    const machine = await mounting('fragment', await corpus('fragment-of-4-gib'), [
      ['walk', '/mnt/again', 'r', 4096],
      ['resident', '/mnt'],
    ]);
    const cached = ({ verdict }: Boot) => rowsOf(verdict, 'resident')[0]?.bytes ?? 0;
    const boot = await grief('fragment', machine);
    // Most of the time there is no room left for anything else, and the machine hangs or panics.
    expect(['passed', 'panicked', 'timed out']).toContain(boot.outcome.kind);
    expect(boot.verdict.steps[1]).toMatchObject({ name: 'mount', ended: true, error: undefined });
    if (boot.outcome.kind === 'passed') expect(cached(boot)).toBeGreaterThan(100 << 20);
    await trial({ name: 'fixes fragment', ...machine, kernel: fixed }, (fine) => {
      expect(rowsOf(fine.verdict, 'walk')).toMatchObject([{ size: 0xffff_ffff }]);
      expect(cached(fine)).toBeLessThan(4 << 20);
    });
  });

  test('an extent that ends before the offset asked for is an error, where stock warns', async ({ skip }) => {
    skip(...lacks('extents-that-do-not-hold'));
    const files = ['again', 'hole', 'mixed', 'noise', 'program', 'prose'];
    const probes = files.map((name): Step => ['probe', `/mnt/${name}`]);
    // 6.12 refuses the first one for the size of its physical cluster.
    const damaged = kernelSeries() === '6.12' ? 'extent-before-offset-full' : 'extent-before-offset';
    const machine = await mounting('extent', await corpus(damaged), probes);
    const { outcome } = await grief('extent', machine);
    expect(outcome).toMatchObject({ kind: 'panicked', reason: expect.stringMatching(/WARNING: .*iomap/) });
    await trial({ name: 'fixes extent', ...machine, kernel: fixed, mayFail: ['probe'] }, ({ log }) => {
      expect(linesOf(log, /^erofs:? \(device loop0\): .*extent @ la .* ends before la/)).not.toEqual([]);
    });
  });

  test('an inode behind the end of the metabox is an error, where stock warns', async ({ skip }) => {
    skip(...lacks('metadata-behind-the-end'));
    skip(kernelSeries() === '6.12', 'it has no metabox');
    const machine = await mounting('behind', await corpus('metabox-behind-its-end'));
    const { outcome } = await grief('behind', machine);
    expect(outcome).toMatchObject({ kind: 'panicked', reason: expect.stringMatching(/WARNING: .*iomap/) });
    await trial({ name: 'fixes behind', ...machine, kernel: fixed, mayFail: ['walk'] });
  });

  test('files that cannot be decompressed write ten lines to the log, where stock writes one for each page', async ({
    skip,
  }) => {
    skip(...lacks('rate-of-error-messages'));
    const machine = await mounting('undecodable', await corpus('fragments-undecodable'), [
      ['walk', '/mnt', 'r'],
    ]);
    const errors = ({ log }: Boot) => linesOf(log, /^erofs:? \(device loop0\): .*(error|failed)/).length;
    expect(errors(await grief('undecodable', machine))).toBeGreaterThan(50);
    await trial({ name: 'fixes undecodable', ...machine, kernel: fixed }, (boot) => {
      // Ten in five seconds, in a boot that may take longer.
      expect([10, 20]).toContain(errors(boot));
    });
  });
});

describe('a sound EROFS image on a loop device', () => {
  /** Mounts an image with busybox, which takes options, and does something with it. */
  async function mounting(
    name: string,
    image: Buffer,
    options: string[],
    uses: readonly Step[],
  ): Promise<Omit<Machine, 'kernel'>> {
    const paths = { ...(await bootable()), bin: directory(), 'bin/busybox': await staticBusybox() };
    const mount = ['mount', '-t', 'erofs', '-r', ...options, '/dev/loop0', '/mnt'];
    return {
      initrd: await initrd(`fixes ${name}`, await cpio({ ...paths, image: file(image) })),
      steps: [['loop', '/image', '/dev/loop0'], ['run', '/bin/busybox', ...mount], ...uses],
    };
  }

  /** Returns the row of the one file, with the result of read(2). */
  const readOf = ({ verdict }: Boot) => rowsOf(verdict, 'walk').filter(({ path }) => path === '/mnt/file');

  test.for([
    ['tail', 'compressed-data-in-all-blocks', 6144, 0],
    ['tail at an offset', 'inline-data-of-an-image-at-an-', 4096, 2048],
  ] as const)('%s: a file is read, where stock fails', async ([name, fix, at, offset], { skip }) => {
    skip(...lacks(fix));
    const image = Buffer.concat([Buffer.alloc(offset), tailImage(at)]);
    const options = offset === 0 ? [] : ['-o', `fsoffset=${offset}`];
    const machine = await mounting(name, image, options, [['walk', '/mnt', 'r']]);
    const plain = await grief(name, machine);
    expect(plain.verdict.steps[1]?.rows).toMatchObject([{ status: 0 }]);
    expect(readOf(plain)).toMatchObject([{ read: 'EUCLEAN' }]);
    await trial({ name: `fixes ${name}`, ...machine, kernel: fixed }, ({ verdict }) => {
      expect(differences(rowsOf(verdict, 'walk'), { file: file(tailContent) }, 'r', '/mnt')).toEqual([]);
    });
  });

  test('an attribute outside of the metabox is found, where stock looks for it in the metabox', async ({
    skip,
  }) => {
    skip(...lacks('page-of-another-inode'));
    const machine = await mounting('metabox xattr', sharedXattrImage(), [], [['walk', '/mnt', 'x']]);
    const attributesOf = ({ verdict }: Boot) =>
      Object.keys(sharedXattrs).map((name) => rowsOf(verdict, 'walk')[0]?.[`xattr.${name}`]);
    const plain = await grief('metabox xattr', machine);
    expect(attributesOf(plain)).toEqual([sharedXattrs['user.inline'], undefined]);
    await trial({ name: 'fixes metabox xattr', ...machine, kernel: fixed }, (boot) => {
      expect(attributesOf(boot)).toEqual(Object.values(sharedXattrs));
    });
  });

  test('dax=always on remount is ignored without DAX, where stock cannot read any more', async ({ skip }) => {
    skip(...lacks('what-a-mount-would-refuse'));
    const content = noise(8192, 1);
    const again = ['mount', '-t', 'erofs', '-r', '-o', 'remount', '-o', 'dax=always', '/dev/loop0', '/mnt'];
    const machine = await mounting(
      'remount',
      await erofs({ file: file(content) }),
      [],
      [
        ['run', '/bin/busybox', ...again],
        ['walk', '/mnt', 'r'],
      ],
    );
    const plain = await grief('remount', machine);
    expect(plain.verdict.steps[2]?.rows).toMatchObject([{ status: 0 }]);
    expect(readOf(plain)).toMatchObject([{ read: 'EOPNOTSUPP' }]);
    await trial({ name: 'fixes remount', ...machine, kernel: fixed }, ({ verdict, log }) => {
      expect(differences(rowsOf(verdict, 'walk'), { file: file(content) }, 'r', '/mnt')).toEqual([]);
      expect(linesOf(log, /^erofs:? \(device loop0\): .*ignoring dax=always/)).toHaveLength(1);
    });
  });

  test('inode_share on remount is ignored, where stock reads past a name that has no end', async ({
    skip,
  }) => {
    skip(...lacks('what-a-mount-would-refuse'));
    skip(!hasInodeShare, 'the kernel has no inode_share');
    const print = new Map([['user.print', Buffer.from('of the content')]]);
    const content = { file: file('content\n', { xattrs: print }) };
    const image = await erofs(content, { mkfs: await newMkfs(), mkfsArgs: ['--xattr-prefix=user.print'] });
    const again = ['mount', '-t', 'erofs', '-r', '-o', 'remount', '-o', 'inode_share', '/dev/loop0', '/mnt'];
    const machine = await mounting(
      'remount share',
      image,
      [],
      [
        ['run', '/bin/busybox', ...again],
        ['walk', '/mnt', 'r'],
      ],
    );
    const { outcome } = await grief('remount share', machine);
    expect(outcome).toMatchObject({ kind: 'panicked', reason: expect.stringMatching(/KASAN: .* strlen/) });
    await trial({ name: 'fixes remount share', ...machine, kernel: fixed }, ({ verdict }) => {
      expect(differences(rowsOf(verdict, 'walk'), content, 'r', '/mnt')).toEqual([]);
    });
  });
});

test('statx() on a file-backed mount tells no alignment, where stock looks for a block device', async ({
  skip,
}) => {
  skip(...lacks('block-device-that-is-not-the'));
  const image = await erofs({ file: file('content\n') });
  const machine = {
    initrd: await initrd('fixes statx', await cpio({ ...(await bootable()), image: file(image) })),
    // EROFS mounts files of file systems that it can read a folio of.
    append: 'rootfstype=ramfs',
    steps: [
      ['mount', '/image', '/mnt', 'erofs', 'ro'],
      ['probe', '/mnt/file'],
    ] satisfies Step[],
  };
  const { outcome } = await grief('statx', machine);
  // The check of KASAN comes first, at the shadow of an address in the first page.
  expect(outcome).toMatchObject({
    kind: 'panicked',
    reason: expect.stringMatching(/NULL pointer|address 0xdffffc000/),
  });
  await trial({ name: 'fixes statx', ...machine, kernel: fixed }, ({ verdict: { steps } }) => {
    expect(steps[1]?.rows).toContainEqual({ call: 'statx', result: 'ok' });
  });
});

describe('an initramfs that is cut off at the end of memory', () => {
  /**
   * Returns an archive with the agent, then this one. QEMU puts an initrd of whole pages that comes with bzImage at the
   * end of memory. The kernel wants what follows an archive on 4 bytes.
   */
  async function ending(name: string, archive: Buffer): Promise<Omit<Machine, 'kernel'>> {
    const first = await cpio(await bootable());
    expect(archive.length % 4).toBe(0);
    const length = Math.ceil((first.length + archive.length) / 4096) * 4096;
    const parts = [first, { at: length - archive.length }, archive];
    return {
      initrd: await initrd(`fixes ${name}`, parts),
      steps: [['pid1']],
      bzImage: true,
    };
  }

  const cuts = {
    gzip: { fix: 'inflate', keep: (size: number) => (size - 1) & ~3, says: /cut off/ },
    bzip2: { fix: 'bunzip2', keep: (size: number) => (size >> 1) & ~3, says: /decompressor failed|EOF/ },
    lz4: { fix: 'unlz4', keep: (size: number) => (size >> 1) & ~3, says: /data corrupted/ },
  };

  test.for(Object.keys(cuts) as (keyof typeof cuts)[])(
    '%s: the log says so, where stock reads on past the end',
    async (name, { skip }) => {
      const { fix, keep, says } = cuts[name];
      skip(...lacks(fix));
      const whole = await compress(name, await cpio({ more: file(noise(300_000, 1)) }));
      const machine = await ending(name, whole.subarray(0, keep(whole.length)));
      const { outcome, log } = await grief(name, machine);
      const ends = [/^RAMDISK: .*-0x0*(\w+)\]/, /BIOS-e820: .*-0x0*(\w+)\] +(?:System RAM|usable)/].map(
        (pattern) => log.flatMap(({ text }) => pattern.exec(text)?.[1] ?? []).at(-1),
      );
      expect(ends[0]).toBe(ends[1]);
      expect(outcome).toMatchObject({ kind: 'panicked', reason: expect.stringMatching(/page fault/) });
      await trial({ name: `fixes ${name}`, ...machine, kernel: fixed }, (boot) => {
        expect(linesOf(boot.log, 'Initramfs unpacking failed: ')).toEqual([expect.stringMatching(says)]);
      });
    },
  );
});

test('EROFS says nothing of a root that has another file system, where stock reports an error', async ({
  skip,
}) => {
  skip(...lacks('missing-superblock'));
  const said = /^erofs:? \(device vda\): .*cannot find valid erofs superblock/;
  const machine = {
    disks: [await wholeDisk('fixes silent', Buffer.alloc(1 << 20))],
    // With "rw" the kernel tries twice.
    append: 'root=/dev/vda ro',
  };
  for (const [name, kernel, lines] of [
    ['stock', stock, 1],
    ['fixed', fixed, 0],
  ] as const) {
    const { outcome, log } = await Vm.start({ name: `fixes silent ${name}`, ...machine, kernel }).wait();
    expect(outcome).toMatchObject({
      kind: 'panicked',
      reason: expect.stringMatching(/Unable to mount root fs/),
    });
    expect([name, linesOf(log, said).length]).toEqual([name, lines]);
  }
});

/** Fixes of what stock does without harm, and the tests of the harm that it would do with the feature. */
const shownBy = {
  // An archive of the root is no stacked filesystem.
  'ask-where-a-mapped-file': 'lsm.slow.ts',
  // What is outside of a device fails later than what is outside of memory.
  'read-more-of-an-extent-after': 'error-log.test.ts',
} as const;

test('no fix of the series is without a test', () => {
  for (const name of Object.values(shownBy))
    expect(existsSync(join(import.meta.dirname, name)), name).toBe(true);
  asked.push(...Object.keys(shownBy));
  expect(fixes.filter((path) => !asked.some((fix) => path.includes(fix)))).toEqual([]);
});
