// SPDX-License-Identifier: GPL-2.0-only

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { convertInitrd, type File, file, type Inode, symlink, tree } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { extraVariables, listenVariables } from '../expect/pid1.ts';
import { differences } from '../expect/walk.ts';
import { architecture } from '../host/architecture.ts';
import { agent, kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { kernelSeries } from '../host/variant.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { libraries } from '../images/packages.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { type Results, rowsOf } from '../machine/verdict.ts';
import { type Boot, Vm } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// The shim's programs in a guest, alone and at the places that convert gives them.

const page = 4096;
const tolerance = 256;
const payload = noise(16 << 20, 1);
const extra: Paths = {
  'etc/extra': file('extra\n'),
  '.extra/credentials/password': file('secret\n', { mode: 0o600 }),
};

let root: Paths;
let initrdExtra: File;
let switchRoot: Inode;

beforeAll(async () => {
  const program = async (name: string) => file(readFileSync(join(await shim(), name)), { mode: 0o755 });
  root = await bootable();
  initrdExtra = await program('initrd-extra');
  switchRoot = await program('switch_root');
});

async function boot<const Script extends readonly Step[]>(
  name: string,
  image: Uint8Array,
  append: string,
  steps: Script,
  look: (boot: Boot<Results<Script>>) => void,
) {
  return trial(
    {
      name: `shim ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`shim ${name}`, Buffer.from(image)),
      append,
      steps,
    },
    look,
  );
}

function freePages({ verdict }: Boot): number {
  return rowsOf(verdict, 'memory')[0]?.freePages ?? Number.NaN;
}

describe('initrd-extra', () => {
  test.each(['initoverlayfs=rw', 'initoverlayfs=ro'])(
    'initrd-extra runs before an init that convert found (%s)',
    async (append) => {
      const paths = { ...root, '.extra': (await bootable()).mnt as Inode };
      const { image } = await convertInitrd(await cpio(paths), {
        initShim: true,
        extras: [tree(extra)],
        shim: await shim(),
      });
      const steps = [
        ['pid1'],
        ['fds'],
        ['walk', '/run/initrd-extra', 'r'],
        ['cat', '/.extra/credentials/password'],
        ['mounts'],
      ] as const;
      await boot(`init ${append}`, image, append, steps, (result) => {
        const [, fds, walk, cat, mounts] = result.verdict.steps;
        expect(listenVariables(result)).toEqual([]);
        expect(fds.rows).toHaveLength(3);
        expect(differences(walk.rows, extra, 'r', '/run/initrd-extra')).toEqual([]);
        expect(cat.rows).toEqual([{ line: 'secret' }]);
        const line = mounts.rows.map((row) => row.line).find((text) => text.includes(' /run/initrd-extra '));
        expect(line).toMatch(/ \/run\/initrd-extra rw,nosuid,nodev/);
      });
    },
  );

  test('initrd-extra runs the init when nothing was passed', async () => {
    const { image } = await convertInitrd(await cpio(root), {
      initShim: true,
      shim: await shim(),
    });
    const steps = [['fds'], ['walk', '/init', 'r']] as const;
    await boot('init alone', image, '', steps, ({ verdict }) => {
      expect(verdict.steps[0].rows).toHaveLength(3);
      expect(verdict.steps[1].rows).toMatchObject([{ read: crc32(initrdExtra.data).toString(16) }]);
    });
  });

  test('initrd-extra mounts the extra as a command of an init', async () => {
    const image = Buffer.concat([
      await erofs({ ...root, 'bin/initrd-extra': initrdExtra }),
      await cpio(extra),
    ]);
    const steps = [
      ['run', '/bin/initrd-extra', '--at', '/mnt'],
      ['walk', '/mnt', 'r'],
    ] as const;
    await boot('command', image, '', steps, ({ verdict }) => {
      expect(verdict.steps[0].rows).toEqual([{ status: 0, out: '' }]);
      expect(differences(verdict.steps[1].rows, extra, 'r', '/mnt')).toEqual([]);
    });
  });
});

describe('switch_root', () => {
  const leave = (program: string, ...options: string[]): Step[] => [
    ['newroot', '/newroot'],
    ['become', program, ...options, '/newroot', '/agent'],
    ['memory'],
    ['mounts'],
  ];

  function hasLeft(result: Boot, baseline: number) {
    const mounts = rowsOf(result.verdict, 'mounts').map(({ line }) => line);
    expect(mounts.filter((line) => / - (overlay|erofs) /.test(line))).toEqual([]);
    expect(mounts.filter((line) => / \/ \/ .* - tmpfs newroot /.test(line))).toHaveLength(1);
    expect(Math.abs(freePages(result) - baseline)).toBeLessThan(tolerance);
  }

  let baseline: number;

  beforeAll(async () => {
    const steps = [['newroot', '/newroot'], ['pivot', '/newroot'], ['memory']] as const;
    baseline = freePages(await boot('baseline', await erofs(root), '', steps, () => {}));
  });

  test.each([
    ['bin/switch_root', []],
    ['sbin/run-init', ['-c', '/dev/console']],
  ] as const)('switch_root as %s lets go of an image', async (path, options) => {
    const image = await erofs({ ...root, [path]: switchRoot, payload: file(payload) });
    await boot(path, image, '', leave(`/${path}`, ...options), (result) => {
      hasLeft(result, baseline);
      expect(seriesLog(result.log).released).toEqual([image.length / page]);
    });
  });

  test('switch_root lets go of the extra files, and names a process that still uses the image', async () => {
    const busybox = await staticBusybox();
    const script = '#!/bin/busybox sh\n/bin/busybox sleep 1000 <&- >&- 2>&- &\n';
    const paths = {
      ...root,
      'bin/switch_root': switchRoot,
      'bin/busybox': busybox,
      sleeper: file(script, { mode: 0o755 }),
    };
    const image = Buffer.concat([await erofs(paths), await cpio(extra)]);
    const steps = [['run', '/sleeper'], ...leave('/bin/switch_root'), ['pid1'], ['fds']] as const;
    await boot('extra', image, '', steps, (result) => {
      expect(listenVariables(result)).toEqual([]);
      expect(rowsOf(result.verdict, 'fds')).toHaveLength(3);
      expect(result.console).toMatch(
        /switch_root: process \d+ \(busybox\) still uses the old root \(exe\), so its image stays in memory, up to \d+ MB/,
      );
    });
  });

  test('switch_root keeps the extra files where INITRD_EXTRA=keep says so', async () => {
    const image = Buffer.concat([await erofs({ ...root, 'bin/switch_root': switchRoot }), await cpio(extra)]);
    const steps = [...leave('/bin/switch_root'), ['pid1'], ['fds']] as const;
    await boot('extra kept', image, 'INITRD_EXTRA=keep', steps, (result) => {
      expect(listenVariables(result)).toHaveLength(3);
      expect(rowsOf(result.verdict, 'fds')).toHaveLength(4);
    });
  });

  test('switch_root deletes the files of a plain initramfs', async () => {
    const image = await cpio({ ...root, 'bin/switch_root': switchRoot, payload: file(payload) });
    await boot('plain', image, '', leave('/bin/switch_root'), (result) => hasLeft(result, baseline));
  });

  test('switch_root keeps what is in a folder of the initramfs that is bound to itself', async ({ skip }) => {
    skip(kernelSeries() === '6.12', 'pivot_root does not leave its rootfs, so such a folder is refused');
    const kept = await bootable();
    const below = Object.entries(kept).map(([path, inode]) => [`keep/${path}`, inode] as const);
    const image = await cpio({
      ...root,
      ...Object.fromEntries(below),
      'keep/file': file('kept\n'),
      'bin/switch_root': switchRoot,
    });
    const steps = [
      ['bind', '/keep', '/keep'],
      ['become', '/bin/switch_root', '/keep', '/init'],
      ['cat', '/file'],
    ] as const;
    await boot('bound', image, '', steps, ({ verdict }) => {
      expect(rowsOf(verdict, 'cat')).toEqual([{ line: 'kept' }]);
    });
  });

  test('switch_root refuses a directory that is no mount point and changes nothing', async () => {
    const image = await erofs({ ...root, 'bin/switch_root': switchRoot });
    const steps = [
      ['run', '/bin/switch_root', '/newroot', '/agent'],
      ['statfs', '/'],
    ] as const;
    await boot('refused', image, '', steps, ({ verdict }) => {
      expect(verdict.steps[0].rows).toEqual([
        { status: 1, out: 'switch_root: /newroot is not a mount point\n' },
      ]);
      expect(verdict.steps[1].rows[0]?.type).toBe(fileSystems.overlay);
    });
  });
});

describe('an image with a switch_root of its own', () => {
  const script = `#!/bin/sh
mount -t tmpfs newroot /newroot
mkdir /newroot/proc /newroot/sys /newroot/dev
cp /agent /newroot/agent
exec switch_root /newroot /agent "$@"
`;
  const steps = [['pid1'], ['fds'], ['memory']] as const;
  let paths: Paths;

  beforeAll(async () => {
    const applets = ['sh', 'mount', 'mkdir', 'cp'];
    paths = {
      ...root,
      init: file(script, { mode: 0o755 }),
      agent: file(readFileSync(await agent()), { mode: 0o755 }),
      'bin/busybox': await staticBusybox(),
      ...Object.fromEntries(applets.map((applet) => [`bin/${applet}`, symlink('busybox')])),
    };
  });

  /** Makes an initrd of an image, whose /init uses this switch_root, and of extra files. */
  async function withOwn(switchRoot: Paths, keepSwitchRoot = false) {
    const original = await cpio({ ...paths, ...switchRoot });
    return convertInitrd(original, { keepSwitchRoot, extras: [tree(extra)], shim: await shim() });
  }

  const busybox: Paths = { 'bin/switch_root': symlink('busybox') };

  test('boots when that is of busybox and convert puts the shim in its place', async () => {
    const { image, replaced } = await withOwn(busybox);
    expect(replaced).toEqual([{ path: 'bin/switch_root', origin: 'busybox' }]);
    await boot('busybox', image, '', steps, (result) => {
      expect(seriesLog(result.log).released).toHaveLength(1);
      expect(listenVariables(result)).toEqual([]);
      expect(result.verdict.steps[1].rows).toHaveLength(3);
    });
  });

  test('panics when that is of busybox, which wants a ramfs, and is kept', async () => {
    const { image } = await withOwn(busybox, true);
    const vm = Vm.start({
      name: 'shim busybox kept',
      kernel: await kernel(),
      initrd: await initrd('shim busybox kept', Buffer.from(image)),
      steps,
    });
    const { outcome, console } = await vm.wait();
    expect(outcome.kind).toBe('panicked');
    expect(console).toContain('not ramfs/tmpfs');
  });

  test('boots with that of util-linux, which hands the extra files on and keeps the image', async ({
    skip,
  }) => {
    skip(architecture === 'arm64', "it is the host's program");
    const program = '/sbin/switch_root';
    const copy = (path: string) => file(readFileSync(path), { mode: 0o755 });
    const needed = (await libraries(program)).map((path) => [path.slice(1), copy(path)] as const);
    const own = { ...Object.fromEntries(needed), 'bin/switch_root': copy(program) };
    const { image, replaced } = await withOwn(own);
    expect(replaced).toEqual([]);
    await boot('util-linux', image, '', steps, (result) => {
      expect(result.console).toContain('old root filesystem is not an initramfs');
      expect(seriesLog(result.log).released).toEqual([]);
      expect(listenVariables(result)).toEqual(extraVariables);
      expect(result.verdict.steps[1].rows.slice(3)).toMatchObject([{ fd: 3, target: '/' }]);
    });
  });
});
