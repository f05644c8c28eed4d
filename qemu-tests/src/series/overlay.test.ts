// SPDX-License-Identifier: GPL-2.0-only

import { file, symlink } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { differences } from '../expect/walk.ts';
import { expectWritable, writablePaths, writableSteps } from '../expect/writable.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import type { Step, StepName } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import type { Results } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// The file system of /, as initoverlayfs= chooses it.

let paths: Paths;

beforeAll(async () => {
  paths = { ...(await bootable()), ...writablePaths };
});

async function boot<const Script extends readonly Step[]>(
  name: string,
  append: string,
  steps: Script,
  look: (boot: Boot<Results<Script>>) => void,
  mayFail: readonly StepName[] = [],
): Promise<void> {
  await trial(
    {
      name: `overlay ${name}`,
      kernel: await kernel(),
      initrd: await initrd('overlay', await erofs(paths, { compress: 'lz4hc' })),
      append,
      steps,
      mayFail,
    },
    look,
  );
}

test.each(['', 'initoverlayfs=rw'])(
  'with "%s" on the command line the root can be written to',
  async (append) => {
    await boot(`writable ${append}`, append, writableSteps, ({ verdict, log }) => {
      expectWritable(verdict);
      expect(seriesLog(log).mounted).toMatchObject({ images: 1, mode: 'rw' });
    });
  },
);

test('initoverlayfs=ro mounts the image itself', async () => {
  const steps = [
    ['statfs', '/'],
    ['write', '/new', 'text'],
    ['append', '/etc/lower', 'x'],
    ['mounts'],
    ['cat', '/proc/partitions'],
  ] as const;
  const look = ({ verdict, log }: Boot<Results<typeof steps>>) => {
    const [statfs, write, append, mounts, partitions] = verdict.steps;
    expect(statfs.rows[0]).toMatchObject({ type: fileSystems.erofs, readonly: true });
    expect([write.error, append.error]).toEqual(['EROFS', 'EROFS']);
    expect(seriesLog(log).mounted).toMatchObject({ images: 1, mode: 'ro' });
    expect(mounts.rows.filter(({ line }) => line.includes(' - overlay '))).toEqual([]);
    // There is no block device, neither for the image nor for anything else.
    const source = mounts.rows.map(({ line }) => / - erofs (\S+) /.exec(line)?.[1]).find(Boolean);
    expect(source).not.toMatch(/^\/dev/);
    // The heading and an empty line, or nothing at all where the kernel made no loop device either.
    expect([0, 2]).toContain(partitions.rows.length);
    expect(partitions.rows.filter(({ line }) => /\d/.test(line))).toEqual([]);
  };
  await boot('read-only', 'initoverlayfs=ro', steps, look, ['write', 'append']);
});

test('the names of a file stay those of one file when it is written to', async () => {
  const shared = file('shared');
  await trial(
    {
      name: 'overlay hard links',
      kernel: await kernel(),
      initrd: await initrd(
        'overlay hard links',
        await erofs({ ...paths, one: shared, two: shared, three: shared }),
      ),
      steps: [
        ['append', '/one', '-once'],
        ['cat', '/two'],
        ['unlink', '/one'],
        ['append', '/three', '-twice'],
        ['cat', '/two'],
      ],
    },
    ({ verdict }) => {
      const [, once, , , twice] = verdict.steps;
      expect(once.rows).toEqual([{ line: 'shared-once' }]);
      expect(twice.rows).toEqual([{ line: 'shared-once-twice' }]);
    },
  );
});

describe('initoverlayfs=off', () => {
  test('unpacks a cpio before the image as ever', async () => {
    await trial(
      {
        name: 'overlay off',
        kernel: await kernel(),
        initrd: await initrd('overlay off', [
          await cpio({ ...(await bootable()), from: file('cpio\n') }),
          { align: 4096 },
          await erofs({ ...(await bootable()), from: file('erofs\n') }),
        ]),
        append: 'initoverlayfs=off',
        steps: [
          ['statfs', '/'],
          ['cat', '/from'],
        ],
      },
      ({ verdict, log }) => {
        const [statfs, from] = verdict.steps;
        expect(statfs.rows[0]?.type).toBe(fileSystems.tmpfs);
        expect(from.rows).toEqual([{ line: 'cpio' }]);
        expect(seriesLog(log).mounted).toBeUndefined();
      },
    );
  });
});

test('rdinit= names another program of the image', async () => {
  const init = paths.init;
  if (init === undefined) throw new Error('the fixture has an init');
  await trial(
    {
      name: 'overlay rdinit',
      kernel: await kernel(),
      initrd: await initrd(
        'overlay rdinit',
        await erofs({ ...paths, init: file('no program'), 'sbin/other': init }),
      ),
      append: 'rdinit=/sbin/other',
      steps: [['pid1']],
    },
    ({ verdict }) => expect(verdict.steps[0].rows).toContainEqual({ arg: '/sbin/other' }),
  );
});

test('a file system of the same type can be mounted later', async () => {
  const inner = await erofs({ inside: file('inside\n') });
  await trial(
    {
      name: 'overlay later mount',
      kernel: await kernel(),
      initrd: await initrd('overlay later mount', await erofs({ ...paths, 'inner.erofs': file(inner) })),
      steps: [
        ['mount', 'none', '/mnt', 'erofs'],
        ['loop', '/inner.erofs', '/dev/loop0'],
        ['mount', '/dev/loop0', '/mnt', 'erofs', 'ro'],
        ['cat', '/mnt/inside'],
        ['umount', '/mnt'],
        ['cat', '/etc/lower'],
      ],
      mayFail: ['mount'],
    },
    ({ verdict }) => {
      const [none, , , inside, , lower] = verdict.steps;
      // A mount of nothing must not get at the initrd, nor at code that has been freed.
      expect(none.error).toMatch(/^E/);
      expect(inside.rows).toEqual([{ line: 'inside' }]);
      expect(lower.rows).toEqual([{ line: 'lower' }]);
    },
  );
});

test("the kernel's own helpers find the programs of the image", async () => {
  const init = paths.init;
  if (init === undefined) throw new Error('the fixture has an init');
  await trial(
    {
      name: 'overlay helper',
      kernel: await kernel(),
      initrd: await initrd('overlay helper', await erofs({ ...paths, 'sbin/modprobe': init })),
      steps: [
        ['mount', 'none', '/mnt', 'unheard-of'],
        ['cat', '/modprobe.ran'],
      ],
      mayFail: ['mount'],
    },
    ({ verdict }) => {
      const [mount, cat] = verdict.steps;
      expect(mount.error).toBe('ENODEV');
      expect(cat.rows[0]?.line).toMatch(/fs-unheard-of$/);
    },
  );
});

test.each([
  ['relative', 'usr/lib/real'],
  ['absolute', '/usr/lib/real'],
  ['through a linked directory', 'lib/real'],
])('an /init that is a symlink is executed: %s', async (name, target) => {
  const { init, ...others } = paths;
  if (init === undefined) throw new Error('the fixture has an init');
  const linked = { ...others, 'usr/lib/real': init, lib: symlink('/usr/lib'), init: symlink(target) };
  await trial(
    {
      name: `overlay init ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`overlay init ${name}`, await erofs(linked)),
      steps: [['statfs', '/']],
    },
    ({ verdict }) => expect(verdict.steps[0].rows[0]?.type).toBe(fileSystems.overlay),
  );
});

test.each(['initramfs_async=0', 'initramfs_async=1', 'debug'])(
  'an image is mounted with %s on the command line',
  async (append) => {
    await boot(`with ${append}`, append, [['statfs', '/']], ({ verdict }) => {
      expect(verdict.steps[0].rows[0]?.type).toBe(fileSystems.overlay);
    });
  },
);

test('every file reads with two processors', async () => {
  await trial(
    {
      name: 'overlay two processors',
      kernel: await kernel(),
      initrd: await initrd('overlay', await erofs(paths, { compress: 'lz4hc' })),
      cpus: 2,
      steps: [['walk', '/', 'rm'], ['newroot', '/newroot'], ['pivot', '/newroot'], ['memory']],
    },
    ({ verdict }) => expect(differences(verdict.steps[0].rows, paths, 'rm')).toEqual([]),
  );
});
