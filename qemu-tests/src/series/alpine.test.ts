// SPDX-License-Identifier: GPL-2.0-only

import { readFileSync } from 'node:fs';
import { convertInitrd, directory, file, symlink } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { agent, kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { cpio, initrd } from '../images/initrd.ts';
import { staticBusybox } from '../images/programs.ts';
import { noise, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// The layout of an initramfs of Alpine's mkinitfs, rebuilt from Debian's busybox: there is no other program, and only
// /init makes the names of its applets.

const payload = noise(16 << 20, 3);

/** The lines of mkinitfs' initramfs-init that decide here, and a tmpfs for the disk. */
const initWith = (leave: string) => `#!/bin/sh
VERSION=3.12.0
BUSYBOX=/bin/busybox
$BUSYBOX mkdir -p "$ROOT"/usr/bin "$ROOT"/usr/sbin "$ROOT"/proc "$ROOT"/sys "$ROOT"/dev "$ROOT"/sysroot \
	"$ROOT"/media/cdrom "$ROOT"/tmp "$ROOT"/etc/apk
# Spread out busybox symlinks and make them available without full path
$BUSYBOX --install -s
export PATH="$PATH:/usr/bin:/bin:/usr/sbin:/sbin"
sysroot="$ROOT"/sysroot
: \${KOPT_init:=/sbin/init}

mount -t tmpfs -o mode=0755 tmpfs $sysroot
mkdir -p $sysroot/sbin $sysroot/proc $sysroot/sys $sysroot/dev
cp /agent $sysroot/sbin/init
cat "$ROOT"/payload >/dev/null

${leave}
`;

async function alpine(leave: string): Promise<Paths> {
  return {
    init: file(initWith(leave), { mode: 0o755 }),
    agent: file(readFileSync(await agent()), { mode: 0o755 }),
    'bin/busybox': await staticBusybox(),
    'bin/sh': symlink('/bin/busybox'),
    'etc/mtab': symlink('/proc/mounts'),
    payload: file(payload),
    ...Object.fromEntries(['dev', 'proc', 'sys', 'sbin', 'tmp', 'run'].map((path) => [path, directory()])),
  };
}

test.each([
  ['by its name', 'exec switch_root $switch_root_opts $sysroot $chart_init "$KOPT_init" "$@"'],
  ['by a variable', 'exec $BUSYBOX switch_root $sysroot "$KOPT_init" "$@"'],
  [
    'after a test, by env',
    '[ -x $sysroot/sbin/init ] && exec env -i $BUSYBOX switch_root $sysroot "$KOPT_init" "$@"',
  ],
  [
    'by a link to busybox',
    'ln -sf $BUSYBOX /sbin/switch_root\nexec /sbin/switch_root $sysroot "$KOPT_init" "$@"',
  ],
])(
  'an initramfs in the layout of Alpine boots in place and gives its memory back: switch_root %s',
  async (how, leave) => {
    const original = await cpio(await alpine(leave));
    const { image, replaced, changed } = await convertInitrd(original, { shim: await shim() });
    expect(replaced).toMatchObject([{ origin: 'busybox' }]);
    expect(changed).toEqual(['init']);
    const name = `alpine ${how}`;
    const steps = [['pid1'], ['mounts'], ['memory']] as const;
    await trial(
      { name, kernel: await kernel(), initrd: await initrd(name, Buffer.from(image)), append: '', steps },
      (result) => {
        const mounts = rowsOf(result.verdict, 'mounts').map(({ line }) => line);
        expect(mounts.filter((line) => / - (overlay|erofs) /.test(line))).toEqual([]);
        const { released } = seriesLog(result.log);
        expect(released).toHaveLength(1);
        expect(released[0]).toBeGreaterThan(payload.length / 4096);
      },
    );
  },
);
