// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sourceLine, transport } from '../debian/apt.ts';
import { guestFolder } from '../debian/disk.ts';
import { reporting } from '../debian/system.ts';
import { systemBoot } from '../debian/system-report.ts';
import { projectRoot } from '../host/artefacts.ts';
import { kernel } from '../host/kernels.ts';
import { seriesLog } from '../log/series-log.ts';
import { bootsInPlace } from './boot.ts';
import { DebianRoot } from './debian-root.ts';

// Systems and initrds of mkosi, with the project's script beside its configuration.

const folder = '/opt/mkosi';

let root: DebianRoot;

beforeAll(async () => {
  root = await DebianRoot.make('mkosi');
  await root.installProject();
  const here = join(root.folder, folder);
  await mkdir(join(here, 'mkosi.sandbox/etc/apt/apt.conf.d'), { recursive: true });
  await writeFile(
    join(here, 'mkosi.sandbox/etc/apt/apt.conf.d/90transport'),
    `${(await transport()).join('\n')}\n`,
  );
  const [, , address] = (await sourceLine('trixie')).split(' ');
  await writeFile(
    join(here, 'mkosi.conf'),
    `[Distribution]
Distribution=debian
Release=trixie
LocalMirror=${address}

[Output]
Output=system
CompressOutput=zstd

[Content]
Bootable=no
WithDocs=no
Packages=systemd-sysv,dbus,udev,util-linux,mount,gawk,findutils
`,
  );
  const extra = join(here, 'report');
  await mkdir(join(extra, 'etc/systemd/system'), { recursive: true });
  await execa('sh', ['-euc', reporting(guestFolder), 'sh', extra]);
  await root.copyIn(join(projectRoot, 'tools/integration/mkosi/mkosi.postoutput'), folder);
});

afterAll(() => root?.remove());

const make = (options: string) => root.run(`mkosi --directory ${folder} --force ${options} build`);
const madeAs = (name: string) => root.copyOut(`${folder}/system.initrd`, `integration-${name}.img`);

test('a system of Format=directory gets an initrd beside it, which boots in place and is never left', async () => {
  await make('--format directory --extra-tree report');
  await systemBoot(
    {
      name: 'integration-mkosi-directory',
      kernel: await kernel(),
      initrd: await madeAs('mkosi-directory'),
      append: 'initoverlayfs=require systemd.log_level=warning',
      memoryMiB: 1024,
      timeoutSeconds: 300,
    },
    ({ values, log }) => {
      expect(seriesLog(log).mounted?.images).toBe(1);
      expect(values('failed')).toEqual([]);
      expect(values('root')).toEqual(['overlay']);
      expect(values('init')).toEqual(['/usr/lib/systemd/systemd']);
    },
  );
});

test('an initrd of Format=cpio gets another beside it, which boots in place to a disk', async () => {
  await make('--format cpio --make-initrd yes');
  await bootsInPlace('mkosi-cpio', await madeAs('mkosi-cpio'));
});
