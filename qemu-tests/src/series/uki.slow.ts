// SPDX-License-Identifier: GPL-2.0-only
import { buildInitrd, directory, file, tree } from '@initoverlayfs/tools';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { bootUki, type Firmware, firmware, makeUki, noFirmware } from '../debian/uki.ts';
import { extraVariables, listenVariables } from '../expect/pid1.ts';
import { differences } from '../expect/walk.ts';
import { kernelWith, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { initrd } from '../images/initrd.ts';
import { bootable, type Paths, realistic } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// systemd-stub joins the initrd of a UKI with archives of its own.

let found: Firmware | undefined;

beforeAll(async () => {
  found = await firmware();
});

beforeEach(({ skip }) => skip(found === undefined, noFirmware));

test.each(['archive', 'raw'] as const)(
  'systemd-stub passes an image in the form %s, which is the root, and a credential, which reaches init',
  async (form) => {
    const paths: Paths = { ...(await bootable()), ...(await realistic()) };
    const root = await buildInitrd({ roots: [tree(paths)], form, shim: await shim() });
    const name = `uki-${form}`;
    const machine = {
      kernel: await kernelWith('patched', 'CONFIG_EFI=y CONFIG_EFI_STUB=y'),
      initrd: await initrd(name, Buffer.from(root)),
      steps: [['walk', '/', 'r'], ['pid1'], ['walk', 'fd:3', 'r']] as const,
      acpi: true,
    };
    const uki = await makeUki(name, machine, found as Firmware);
    const loader = await bootUki(name, uki, found as Firmware, { 'test.cred': 'secret\n' });
    await trial({ name, ...machine, loader, timeoutSeconds: 300 }, ({ verdict, log }) => {
      const [whole, , detached] = verdict.steps;
      expect(differences(whole.rows, paths, 'r')).toEqual([]);
      expect(listenVariables({ verdict })).toEqual(extraVariables);
      const credential: Paths = {
        '.extra': directory({ mode: 0o555 }),
        '.extra/credentials': directory({ mode: 0o500 }),
        '.extra/credentials/test.cred': file('secret\n', { mode: 0o400 }),
      };
      expect(differences(detached.rows, credential, 'r')).toEqual([]);
      expect(seriesLog(log).mounted).toMatchObject({ images: 1 });
    });
  },
);
