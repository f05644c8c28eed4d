// SPDX-License-Identifier: GPL-2.0-only
import { directory, file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { hashedImage, selinuxPolicy } from '../images/labels.ts';
import { dash, staticBusybox } from '../images/programs.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { groupsOf, linesOf } from '../log/record.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { Vm } from '../machine/vm.ts';

// Security modules that judge a file by its file system: their verdicts on an image, and on the files after it.

let busybox: Paths[string];
let path: string;

beforeAll(async () => {
  busybox = await staticBusybox();
  const notKernel = file('x'.repeat(5000));
  const paths: Paths = {
    ...(await bootable()),
    bin: directory(),
    ...(await dash()),
    'bin/busybox': busybox,
    'script.sh': file('echo dynamic\n'),
    'not-a-kernel': notKernel,
    policy: file(await selinuxPolicy()),
  };
  const extra = await cpio({ busybox, 'not-a-kernel': notKernel });
  path = await initrd('lsm', [await erofs(paths), { align: 4096 }, extra]);
});

async function boot<const Script extends readonly Step[]>(
  name: string,
  append: string,
  steps: Script,
  initrd = path,
) {
  const options = { name: `lsm ${name}`, kernel: await kernel('lsm'), initrd, append, steps };
  return await trial({ ...options, mayFail: ['kexec'] });
}

const program = ['run', '/bin/busybox', 'true'] as const;
const dynamic = ['run', '/bin/dash', '/script.sh'] as const;
const attach = ['attach', '3', '/mnt'] as const;
const ofExtra = ['run', '/mnt/busybox', 'true'] as const;

/** Rows of `run` for a program that ran, and for one that the kernel did not execute. */
const ran = [{ status: 0, out: '' }];
const ranDynamic = [{ status: 0, out: 'dynamic\n' }];
const denied = (path: string) => [{ status: 127, out: `${path}: EACCES\n` }];

describe('IPE, with a policy by which programs of a verified boot run', () => {
  test.each(['rw', 'ro'])('programs of the image run, one of the extra files does not: %s', async (mode) => {
    const { verdict } = await boot(`ipe ${mode}`, `lsm=ipe initoverlayfs=${mode}`, [
      program,
      dynamic,
      ['protect', '/bin/busybox'],
      attach,
      ofExtra,
      ['protect', '/mnt/busybox'],
    ]);
    const [first, second, protect, , extra, protectExtra] = verdict.steps;
    expect(first.rows).toEqual(ran);
    expect(second.rows).toEqual(ranDynamic);
    expect(protect.rows).toEqual([{ call: 'mprotect', result: 'ok' }]);
    expect(extra.rows).toEqual(denied('/mnt/busybox'));
    expect(protectExtra.rows).toEqual([{ call: 'mprotect', result: 'EACCES' }]);
  });
});

describe('SELinux, with a policy by which files of overlayfs and EROFS run and those of a tmpfs do not', () => {
  test.each(['rw', 'ro'])('programs of the image run, one of the extra files does not: %s', async (mode) => {
    const { verdict, log } = await boot(`selinux ${mode}`, `lsm=selinux enforcing=1 initoverlayfs=${mode}`, [
      ['mount', 'selinuxfs', '/sys/fs/selinux', 'selinuxfs'],
      ['run', '/bin/busybox', 'dd', 'if=/policy', 'of=/sys/fs/selinux/load', 'bs=1M'],
      program,
      dynamic,
      ['protect', '/bin/busybox'],
      attach,
      ofExtra,
    ]);
    expect(linesOf(log, 'SELinux: ').join('\n')).not.toMatch(/fail|invalid/i);
    const [, load, first, second, protect, , extra] = verdict.steps;
    expect(load.rows[0]?.status).toBe(0);
    expect(first.rows).toEqual(ran);
    expect(second.rows).toEqual(ranDynamic);
    expect(protect.rows).toEqual([{ call: 'mprotect', result: 'ok' }]);
    expect(extra.rows).toEqual(denied('/mnt/busybox'));
  });
});

// No kernel is in these files. LoadPin has its say before that is found out.
describe('LoadPin, by which kernels and modules come from the file system of the first one only', () => {
  const load = ['kexec', '/not-a-kernel', '/not-a-kernel'] as const;
  const leave = [
    ['newroot', '/newroot'],
    ['write', '/newroot/not-a-kernel', 'x'],
    ['pivot', '/newroot'],
  ] as const;

  test('the extra files are on another file system than the root', async () => {
    const ofExtra = ['kexec', '/mnt/not-a-kernel', '/mnt/not-a-kernel'] as const;
    const { verdict } = await boot('loadpin', 'lsm=loadpin', [load, attach, ofExtra]);
    expect(verdict.steps.map(({ error }) => error)).toEqual(['ENOEXEC', undefined, 'EPERM']);
  });

  test('the real root loads nothing after the image did, as after an initramfs', async () => {
    const plain = await initrd('lsm plain', await cpio({ ...(await bootable()), 'not-a-kernel': file('x') }));
    for (const [name, initrd] of Object.entries({ image: path, plain })) {
      const { verdict } = await boot(`loadpin leave ${name}`, 'lsm=loadpin', [load, ...leave, load], initrd);
      const errors = verdict.steps.map(({ error }) => error);
      expect([name, errors.at(0), errors.at(-1)]).toEqual([name, 'ENOEXEC', 'EPERM']);
    }
  });

  test('the real root loads what it likes if the image loaded nothing', async () => {
    const { verdict } = await boot('loadpin first', 'lsm=loadpin', [...leave, load]);
    expect(verdict.steps.at(-1)?.error).toBe('ENOEXEC');
  });
});

// The rules leave out tmpfs and ramfs, and with them a cpio initramfs, but neither overlayfs nor EROFS.
describe('ima_policy=appraise_tcb', () => {
  const append = 'ima_policy=appraise_tcb';

  test.each(['rw', 'ro'])('init of an image without security.ima may not run: %s', async (mode) => {
    const { log, outcome } = await Vm.start({
      name: `lsm ima without ${mode}`,
      kernel: await kernel('lsm'),
      initrd: path,
      append: `${append} initoverlayfs=${mode}`,
      steps: [program],
    }).wait();
    expect(outcome.kind).toBe('panicked');
    expect(groupsOf(log, /^(Failed to execute \/init) \(error -13\)/)).toHaveLength(1);
  });

  test.each(['rw', 'ro'])(
    'files of an image with security.ima run, others do not; extra files are not appraised: %s',
    async (mode) => {
      const image = await hashedImage(
        { ...(await bootable()), bin: directory(), 'bin/busybox': busybox, 'bin/unhashed': busybox },
        ['init', 'bin/busybox'],
      );
      const { verdict } = await boot(
        `ima with ${mode}`,
        `${append} initoverlayfs=${mode}`,
        [program, attach, ofExtra, ['run', '/bin/unhashed', 'true']],
        await initrd(`lsm ima ${mode}`, [image, { align: 4096 }, await cpio({ busybox })]),
      );
      const [hashed, , extra, unhashed] = verdict.steps;
      expect(hashed.rows).toEqual(ran);
      expect(extra.rows).toEqual(ran);
      expect(unhashed.rows).toEqual(denied('/bin/unhashed'));
    },
  );
});
