// SPDX-License-Identifier: GPL-2.0-only

import { device, file, type NewcMember, symlink, writeNewcArchive } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { extraVariables, listenVariables } from '../expect/pid1.ts';
import { differences } from '../expect/walk.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { compress } from '../images/compress.ts';
import { cpio, cpioCompressions, early, erofs, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { everyWay, type Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { type Results, rowsOf } from '../machine/verdict.ts';
import type { Boot, VmOptions } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// Cpio archives beside an image reach init.

let root: Paths;
let image: Buffer;

const extra: Paths = {
  'credentials/password': file('secret\n', { mode: 0o600, uid: 7, gid: 8 }),
  'firmware.bin': file(noise(100_000, 1)),
  link: symlink('credentials/password'),
  null: device('character', 1, 3, { mode: 0o666 }),
};

beforeAll(async () => {
  root = { ...(await bootable()), 'etc/name': file('root\n') };
  image = await erofs(root);
});

async function boot<const Script extends readonly Step[]>(
  name: string,
  parts: readonly (Buffer | Gap)[],
  append: string,
  steps: Script,
  look: (boot: Boot<Results<Script>>) => void,
  more: Pick<VmOptions, 'mayFail' | 'memoryMiB'> = {},
): Promise<void> {
  const file = await initrd(`extras ${name}`, parts);
  await trial({ name: `extras ${name}`, kernel: await kernel(), initrd: file, append, steps, ...more }, look);
}

/** Returns the descriptors beside the console's three. */
function passedDescriptors({ verdict }: Boot) {
  return rowsOf(verdict, 'fds').filter(({ fd }) => fd > 2);
}

const facts = [['pid1'], ['fds']] as const;

const outOfMemory = /^initoverlayfs: extra cpio at offset 0x[0-9a-f]+: out of memory; ignoring the rest$/;

test('by default PID 1 gets a mount as descriptor 3', async () => {
  const steps = [
    ...facts,
    ['walk', 'fd:3', everyWay],
    ['walk', '/', 'r'],
    ['attach', 3, '/mnt'],
    ['walk', '/mnt', 'r'],
    ['cat', '/mnt/null'],
    ['write', '/mnt/new', 'x'],
    ['mounts'],
  ] as const;
  const look = (result: Boot<Results<typeof steps>>) => {
    const [, , detached, whole, , attached, device, , mounts] = result.verdict.steps;
    expect(listenVariables(result)).toEqual(extraVariables);
    expect(passedDescriptors(result)).toMatchObject([
      { fd: 3, type: fileSystems.tmpfs, cloexec: false, nosuid: true, nodev: true },
    ]);
    expect(differences(detached.rows, extra, everyWay)).toEqual([]);
    expect(differences(whole.rows, root, 'r')).toEqual([]);
    expect(differences(attached.rows, extra, 'r', '/mnt')).toEqual([]);
    expect(device.error).toBe('EACCES');
    const line = mounts.rows.map((row) => row.line).find((text) => text.includes(' /mnt '));
    expect(line).toMatch(/ \/mnt rw,nosuid,nodev[^ ]* .*- tmpfs /);
    expect(seriesLog(result.log).extras).toBe(true);
  };
  await boot('passed', [image, await cpio(extra)], '', steps, look, { mayFail: ['cat'] });
});

test('without an archive PID 1 gets no descriptor and no variable', async () => {
  await boot('none', [image], '', facts, (result) => {
    expect(listenVariables(result)).toEqual([]);
    expect(passedDescriptors(result)).toEqual([]);
  });
});

describe('early-boot data', () => {
  const acpi = () => cpio({ 'kernel/firmware/acpi/dsdt.aml': file('no table, and nobody looks') });

  test('early-boot data is not passed to PID 1', async () => {
    await boot('early', [await early(), await acpi(), { align: 4096 }, image], '', facts, (result) => {
      expect(listenVariables(result)).toEqual([]);
      expect(passedDescriptors(result)).toEqual([]);
      expect(seriesLog(result.log).extras).toBe(false);
    });
  });

  test('an archive with early-boot data and more is passed whole', async () => {
    const mixed = { 'kernel/x86/microcode/AuthenticAMD.bin': file('x'), 'etc/more': file('more\n') };
    const steps = [...facts, ['walk', 'fd:3', 'r']] as const;
    await boot('early and more', [image, await cpio(mixed)], '', steps, (result) => {
      expect(listenVariables(result)).toHaveLength(3);
      expect(differences(result.verdict.steps[2].rows, mixed, 'r')).toEqual([]);
    });
  });

  test('an extra after early-boot data is passed without it', async () => {
    const steps = [...facts, ['walk', 'fd:3', 'r']] as const;
    await boot(
      'early and extra',
      [await early(), { align: 4096 }, image, await cpio(extra)],
      '',
      steps,
      (result) => {
        expect(differences(result.verdict.steps[2].rows, extra, 'r')).toEqual([]);
      },
    );
  });
});

describe('initoverlayfs.extra=', () => {
  const over: Paths = { 'etc/name': file('extra\n'), 'etc/added': file('added\n') };
  const steps = [...facts, ['statfs', '/'], ['walk', '/', 'r']] as const;

  test('initoverlayfs.extra=overlay puts the files over the root', async () => {
    const parts = [image, await cpio(over, 'gzip')];
    await boot('overlay', parts, 'initoverlayfs.extra=overlay', steps, (result) => {
      const [, , statfs, walk] = result.verdict.steps;
      expect(listenVariables(result)).toEqual([]);
      expect(passedDescriptors(result)).toEqual([]);
      expect(statfs.rows[0]?.type).toBe(fileSystems.overlay);
      expect(differences(walk.rows, { ...root, ...over }, 'r')).toEqual([]);
    });
  });

  test('an archive over the root that ends within a file does not hold the root', async () => {
    const cut = (await cpio({ cut: file(noise(50_000, 3)) })).subarray(0, 30_000);
    const leave = [['newroot', '/newroot'], ['pivot', '/newroot'], ['memory']] as const;
    await boot('cut', [image, cut], 'initoverlayfs.extra=overlay', leave, ({ log }) => {
      const { lines, released } = seriesLog(log);
      expect(lines.join('\n')).toMatch(/^extra cpio at offset 0x[0-9a-f]+: the archive ends within a file;/m);
      expect(released).toEqual([image.length / 4096]);
    });
  });

  test('initoverlayfs.extra=overlay drops the files if the root is not written to', async () => {
    const append = 'initoverlayfs=ro initoverlayfs.extra=overlay';
    await boot('overlay ro', [image, await cpio(over)], append, steps, (result) => {
      expect(listenVariables(result)).toEqual([]);
      expect(passedDescriptors(result)).toEqual([]);
      expect(differences(result.verdict.steps[3].rows, root, 'r')).toEqual([]);
      expect(seriesLog(result.log).lines.join('\n')).toMatch(
        /^extra files from offset 0x[0-9a-f]+ on dropped: initoverlayfs\.extra=overlay needs initoverlayfs=rw$/m,
      );
    });
  });

  test('initoverlayfs.extra=off drops the files', async () => {
    await boot('off', [image, await cpio(over)], 'initoverlayfs.extra=off', steps, (result) => {
      expect(listenVariables(result)).toEqual([]);
      expect(passedDescriptors(result)).toEqual([]);
      expect(differences(result.verdict.steps[3].rows, root, 'r')).toEqual([]);
    });
  });

  test('initoverlayfs.extra=fd works with a read-only root', async () => {
    const append = 'initoverlayfs=ro initoverlayfs.extra=fd';
    await boot('fd ro', [image, await cpio(over)], append, [...facts, ['walk', 'fd:3', 'r']], (result) => {
      expect(passedDescriptors(result)).toHaveLength(1);
      expect(differences(result.verdict.steps[2].rows, over, 'r')).toEqual([]);
    });
  });
});

describe('an archive cannot reach out of its tmpfs', () => {
  const directory = 0o040755;
  const plain = 0o100644;
  const link = 0o120777;
  const none = new Uint8Array();

  function member(name: string, mode: number, data: Uint8Array | string = none): NewcMember {
    return { name, mode, data: Buffer.from(data as Uint8Array) };
  }

  test.each<[string, NewcMember[], string]>([
    ['absolute names', [member('/escaped', plain, 'x')], '/escaped'],
    [
      'names with ..',
      [member('../escaped', plain, 'x'), member('../../etc/escaped', plain, 'x')],
      '/escaped',
    ],
    ['.. below a directory', [member('a', directory), member('a/../../../escaped', plain, 'x')], '/escaped'],
    [
      'an absolute symlink',
      [member('etc', directory), member('way', link, '/etc'), member('way/escaped', plain, 'x')],
      '/etc/escaped',
    ],
    [
      'a symlink with ..',
      [member('way', link, '../../../..'), member('way/escaped', plain, 'x')],
      '/escaped',
    ],
    [
      'a symlink over a directory of the root',
      [member('etc', link, '/'), member('etc/escaped', plain, 'x')],
      '/escaped',
    ],
  ])('an archive cannot reach out of its tmpfs by %s', async (name, members, inside) => {
    const archive = Buffer.from(writeNewcArchive(members));
    const steps = [
      ['walk', '/', 'r'],
      ['walk', 'fd:3'],
    ] as const;
    await boot(`escape ${name}`, [image, archive], '', steps, ({ verdict }) => {
      const [whole, passed] = verdict.steps;
      // The root is that of the image, to the last entry, and the file is at its place within a chroot.
      expect(differences(whole.rows, root, 'r')).toEqual([]);
      expect(passed.rows.map(({ path }) => path)).toContain(inside);
    });
  });
});

test('an archive that needs more memory than there is does not end the boot', async () => {
  // Of each file with more than one link the unpacker remembers the name, in 8 KiB.
  const linked = Array.from({ length: 16_000 }, (_, ino) => ({
    name: `file${ino}`,
    mode: 0o100644,
    data: new Uint8Array(),
    ino,
    nlink: 2,
  }));
  const parts = [image, await compress('zstd', Buffer.from(writeNewcArchive(linked)))];
  const look = (result: Boot) => {
    expect(passedDescriptors(result)).toHaveLength(1);
    expect(linesOf(result.log, outOfMemory)).toHaveLength(1);
  };
  await boot('out of memory', parts, '', facts, look, { memoryMiB: 128 });
});

test('an archive with more files than the tmpfs may have says that files are missing', async () => {
  const empty = Array.from({ length: 20_000 }, (_, n) => ({
    name: `file${n}`,
    mode: 0o100644,
    data: new Uint8Array(),
  }));
  const steps = [['walk', 'fd:3']] as const;
  await boot(
    'inodes',
    [image, Buffer.from(writeNewcArchive(empty))],
    '',
    steps,
    ({ log, verdict }) => {
      expect(verdict.steps[0].rows.length).toBeGreaterThan(1000);
      expect(verdict.steps[0].rows.length).toBeLessThan(empty.length);
      expect(linesOf(log, outOfMemory)).toHaveLength(1);
    },
    { memoryMiB: 128 },
  );
});

test('PID 1 of an image without /dev has no console, and the descriptor is 3 all the same', async () => {
  const { dev: _dev, ...others } = root;
  const steps = [...facts, ['walk', 'fd:3', 'r']] as const;
  await boot('no dev', [await erofs(others), await cpio(extra)], '', steps, (result) => {
    expect(listenVariables(result)).toHaveLength(3);
    expect(passedDescriptors(result)).toMatchObject([{ fd: 3, type: fileSystems.tmpfs }]);
    expect(differences(result.verdict.steps[2].rows, extra, 'r')).toEqual([]);
  });
});

describe('an archive that is damaged does not keep init from running', () => {
  test.each<[string, (archive: Buffer) => Buffer]>([
    ['cut off', (archive) => archive.subarray(0, archive.length >> 1)],
    [
      'garbage in the middle',
      (archive) => Buffer.from(archive).fill(0xff, archive.length >> 1, (archive.length >> 1) + 64),
    ],
    ['garbage alone', () => noise(10_000, 9)],
    ['a lone magic', () => Buffer.from('070701')],
  ])('init runs beside an archive that is damaged: %s', async (name, damage) => {
    for (const compression of cpioCompressions) {
      const archive = damage(await cpio({ ...extra, more: file(noise(50_000, 3)) }, compression));
      await boot(`damaged ${name} ${compression}`, [image, archive], '', [['statfs', '/']], (result) => {
        expect(result.verdict.steps[0].rows[0]?.type).toBe(fileSystems.overlay);
        // Other damage can look like data, or like the end of an archive without a trailer.
        if (name === 'cut off' || name === 'garbage alone')
          expect(seriesLog(result.log).lines.join('\n')).toMatch(/^extra cpio at offset 0x[0-9a-f]+: /m);
      });
    }
  });
});
