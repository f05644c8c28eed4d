// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildInitrd, device, directory, file, symlink, tree } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { debianKernel, debianKernelPackage, noDebianKernel } from '../debian/kernel.ts';
import { everythingSteps, expectEverything } from '../expect/content.ts';
import { fileSystems } from '../expect/file-systems.ts';
import { extraVariables, listenVariables } from '../expect/pid1.ts';
import { differences } from '../expect/walk.ts';
import { artefactsRoot } from '../host/artefacts.ts';
import { kernel, shim } from '../host/kernels.ts';
import { needs, optionsMissing } from '../host/options.ts';
import { concatenate, early, earlyPaths, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, realistic } from '../images/tree.ts';
import type { LogRecord } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { storageLog } from '../log/storage-log.ts';
import { everyWay } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { resultsOf, rowsOf, type Verdict } from '../machine/verdict.ts';
import { Vm, type VmOptions } from '../machine/vm.ts';

needs('EROFS_FS_ZIP', 'OVERLAY_FS', 'BLK_DEV_LOOP');

// One file boots on every kernel, and init sees the same root and the same extra files.

const debian = await debianKernelPackage();

const shared = file(noise(9000, 3), { uid: 12, gid: 34 });
const extra: Paths = {
  'credentials/password': file('secret\n', { mode: 0o600, uid: 7, gid: 8 }),
  'firmware.bin': file(noise(100_000, 1)),
  'links/one': shared,
  'links/two': shared,
  'links/setuid': file('x', { mode: 0o4755, uid: 1 }),
  link: symlink('credentials/password'),
  null: device('character', 1, 3, { mode: 0o666 }),
  // In folders that the archive, the kernel and storage-init have, too.
  'kernel/initrd/note': file('not of the archive\n'),
  'kernel/x86/notes': file('no early-boot data\n'),
  'proc/here': file('below a mount\n'),
  'root/.profile': file('export A=1\n'),
  'run/here': file('below /run\n'),
};

/** Files with extended attributes, which an archive cannot hold and an image can. */
const labelled: Paths = {
  labelled: directory({
    xattrs: new Map([['security.selinux', Buffer.from('system_u:object_r:etc_t:s0\0')]]),
  }),
  'labelled/ping': file('ping', {
    mode: 0o755,
    xattrs: new Map([
      ['security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex')],
      ['trusted.project', Buffer.from('x')],
    ]),
  }),
};

const script: Pick<VmOptions, 'steps' | 'mayFail'> = {
  steps: [
    ...everythingSteps,
    ['pid1'],
    ['fds'],
    ['attach', 3, '/mnt'],
    ['walk', '/mnt', everyWay],
    ['cat', '/mnt/null'],
    ['write', '/mnt/new', 'x'],
  ],
  mayFail: ['cat'],
};

let paths: Paths;
let whole: Buffer;
let one: string;

async function build(form: 'archive' | 'raw', modules: string[] = []): Promise<Buffer> {
  const image = await buildInitrd({
    roots: [tree(paths)],
    early: tree(earlyPaths()),
    extras: [tree(extra)],
    compress: 'lz4hc',
    form,
    modules,
    shim: await shim(),
  });
  return Buffer.from(image);
}

beforeAll(async () => {
  paths = { ...(await bootable()), ...(await realistic()), ...labelled };
  whole = await build('archive');
  one = await initrd('storage archive', whole);
});

/** Copies a folder of modules as links, and has the loop module load those of the port that the agent reports to. */
async function withAgentsPort(modules: string, release: string): Promise<string> {
  const into = join(artefactsRoot, 'images/modules');
  const folder = join(into, release);
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  await execa('cp', ['-rs', modules, folder]);
  await rm(join(folder, 'modules.softdep'));
  await writeFile(join(folder, 'modules.softdep'), 'softdep loop pre: virtio_pci virtio_console\n');
  return folder;
}

/** Returns everything that init was given beside the root. */
function passed(verdict: Verdict) {
  const [, walk] = resultsOf(verdict, 'walk');
  return {
    variables: listenVariables({ verdict }),
    descriptors: rowsOf(verdict, 'fds')
      .filter(({ fd }) => fd === 3)
      .map(({ blocks: _, ...row }) => row),
    walk: walk?.rows ?? [],
    device: verdict.steps.find(({ name }) => name === 'cat')?.error,
  };
}

function expectSame(verdict: Verdict): void {
  const whole = { ...verdict, steps: verdict.steps.slice(0, everythingSteps.length) };
  expectEverything(whole, paths, fileSystems.overlay);
  const { variables, descriptors, walk, device: opened } = passed(verdict);
  expect(variables).toEqual(extraVariables);
  expect(descriptors).toMatchObject([
    { fd: 3, type: fileSystems.tmpfs, cloexec: false, nosuid: true, nodev: true },
  ]);
  expect(differences(walk, extra, everyWay, '/mnt')).toEqual([]);
  expect(opened).toBe('EACCES');
}

/** Expects that storage-init found the image as a file and mounted it. */
function expectStorageInit(log: readonly LogRecord[]): void {
  expect(storageLog(log)).toEqual([
    expect.stringMatching(/^\/root\.erofs \(erofs\) is (read from its file|attached to \/dev\/loop\d+)$/),
    'extra files passed to init as descriptor 3',
  ]);
}

describe('init sees the same', () => {
  test('as raw image in place', async () => {
    const name = 'storage archive raw';
    const options = {
      name,
      kernel: await kernel(),
      initrd: await initrd(name, await build('raw')),
      ...script,
    };
    await trial(options, ({ verdict }) => expectSame(verdict));
  });

  test('on the kernel of the run, in place if it has the series', async () => {
    const options = { name: 'storage archive here', kernel: await kernel(), initrd: one, ...script };
    await trial(options, async ({ verdict, log }) => {
      expectSame(verdict);
      const inPlace = (await optionsMissing('INITOVERLAYFS')) === undefined;
      expect([seriesLog(log).mounted !== undefined, storageLog(log).length > 0]).toEqual([inPlace, !inPlace]);
    });
  });

  test('on the kernel without the series', async () => {
    // Words that storage-init knows, and other programs, too.
    const append = 'timeout=5s attach=iso';
    const options = {
      name: 'storage archive stock',
      kernel: await kernel('stock'),
      initrd: one,
      append,
      ...script,
    };
    await trial(options, ({ verdict, log }) => {
      expectSame(verdict);
      expectStorageInit(log);
    });
  });

  test('on the kernel with the series, which is told not to use it', async ({ skip }) => {
    const missing = await optionsMissing('INITOVERLAYFS');
    skip(missing !== undefined, missing);
    const name = 'storage archive turned off';
    const options = { name, kernel: await kernel(), initrd: one, append: 'initoverlayfs=off', ...script };
    await trial(options, ({ verdict, log }) => {
      expectSame(verdict);
      expectStorageInit(log);
      expect(seriesLog(log).lines).toEqual([]);
    });
  });

  test('on the kernel with the series, which has moved the image and cannot use it', async ({ skip }) => {
    const missing = await optionsMissing('INITOVERLAYFS');
    skip(missing !== undefined, missing);
    const name = 'storage archive moved';
    // The archive is joined on 4 bytes, as GRUB and systemd-stub do it.
    const file = await initrd(name, concatenate([await early(), { at: 0x1804 }, whole]));
    const options = { kernel: await kernel(), initrd: file, ...script };
    await trial({ ...options, name: `${name} and used` }, ({ verdict, log }) => {
      expectSame(verdict);
      expect(seriesLog(log).moved).toEqual([0x804]);
    });
    // The archive has this folder, and the image has not, so that the kernel knows only when it has mounted the image.
    const append = 'rdinit=/kernel/../init';
    await trial({ ...options, name: `${name} back`, append }, ({ verdict, log }) => {
      expectSame(verdict);
      expectStorageInit(log);
      expect(seriesLog(log).lines).toEqual([
        'no usable /kernel/../init in the image, error -2; falling back to unpacking the initrd',
      ]);
    });
  });

  test("on Debian's kernel, with its modules", async ({ skip }) => {
    skip(debian === undefined, noDebianKernel);
    const { image, modules, release } = await debianKernel(debian as NonNullable<typeof debian>);
    const name = 'storage archive debian';
    const folder = await withAgentsPort(modules, release);
    const file = await initrd(name, await build('archive', [folder]));
    await trial({ name, kernel: image, initrd: file, ...script, timeoutSeconds: 240 }, ({ verdict }) =>
      expectSame(verdict),
    );
  });
});

test.each([
  ['/sbin/init', 'root=/dev/ram0', '/sbin/init'],
  ['what init= names', 'init=/opt/agent', '/opt/agent'],
])('in a root without /init %s is executed, with the series and without', async (_, append, path) => {
  const { init, ...others } = await bootable();
  const both = { 'sbin/init': init, 'opt/agent': init } as Paths;
  const image = await buildInitrd({ roots: [tree({ ...others, ...both })], shim: await shim() });
  for (const variant of ['stock', undefined] as const) {
    const name = `storage archive no init ${path} ${variant}`;
    await trial(
      {
        name,
        kernel: await kernel(variant),
        initrd: await initrd(name, Buffer.from(image)),
        append,
        steps: [['pid1']],
      },
      ({ verdict }) => expect(verdict.steps[0].rows[0]).toEqual({ arg: path }),
    );
  }
});

test('a root without /init is refused where root= names another one', async () => {
  const name = 'storage archive other root';
  const { init, ...others } = await bootable();
  const image = await buildInitrd({
    roots: [tree({ ...others, 'sbin/init': init as Paths[string] })],
    shim: await shim(),
  });
  const vm = Vm.start({
    name,
    kernel: await kernel('stock'),
    initrd: await initrd(name, Buffer.from(image)),
    append: 'root=/dev/vda',
    steps: [['pid1']],
  });
  const { log, outcome } = await vm.wait();
  expect(outcome.kind).toBe('panicked');
  expect(storageLog(log)).toContain('no /init in the image: No such file or directory');
});

test('images are stacked, extra files may go over them, and a file of the archive that changed is reported', async () => {
  const name = 'storage archive stacked';
  const lower = { ...(await bootable()), 'etc/name': file('lower\n'), 'etc/lower': file('lower\n') };
  const upper = { 'etc/name': file('upper\n'), 'etc/upper': file('upper\n') };
  const over = { 'etc/upper': file('extra\n'), 'kernel/initrd/pad': file('another one\n') };
  const image = await buildInitrd({
    roots: [tree(lower), tree(upper)],
    extras: [tree(over)],
    compress: 'none',
    shim: await shim(),
  });
  await trial(
    {
      name,
      kernel: await kernel('stock'),
      initrd: await initrd(name, Buffer.from(image)),
      append: 'initoverlayfs.extra=overlay',
      steps: [['pid1'], ['fds'], ['walk', '/', 'r']],
    },
    ({ verdict, log }) => {
      const [, fds, walk] = verdict.steps;
      expect(listenVariables({ verdict })).toEqual([]);
      expect(fds.rows).toHaveLength(3);
      expect(differences(walk.rows, { ...lower, ...upper, 'etc/upper': file('extra\n') }, 'r')).toEqual([]);
      expect(storageLog(log)).toContainEqual(
        expect.stringMatching(/^\/kernel\/initrd\/pad has mode 100644 and 12 bytes, not 100644 and \d+: /),
      );
    },
  );
});
