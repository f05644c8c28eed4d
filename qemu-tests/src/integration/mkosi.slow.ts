// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sourceLine, transport } from '../debian/apt.ts';
import { guestFolder } from '../debian/disk.ts';
import { type DebianKernel, debianKernel, debianKernelPackage, noDebianKernel } from '../debian/kernel.ts';
import { reporting } from '../debian/system.ts';
import { type SystemReport, systemBoot } from '../debian/system-report.ts';
import { projectRoot } from '../host/artefacts.ts';
import { kernel } from '../host/kernels.ts';
import { seriesLog } from '../log/series-log.ts';
import { storageLog } from '../log/storage-log.ts';
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

/** Options of the tools, which mkosi passes to the script: modules, as they are, for a kernel without the series. */
const environment = (release: string) =>
  `INITOVERLAYFS_OPTIONS="--keep-signatures --modules /usr/lib/modules/${release}"`;
const make = (options: string) => root.run(`mkosi --directory ${folder} --force ${options} build`);
const madeAs = (name: string) => root.copyOut(`${folder}/system.initrd`, `integration-${name}.img`);

describe('a system of Format=directory', () => {
  let debian: DebianKernel | undefined;
  let initrd: string;

  beforeAll(async () => {
    const known = await debianKernelPackage();
    debian = known && (await debianKernel(known));
    // A folder of modules that the script sees is one below /usr of the system where mkosi runs.
    if (debian) {
      await mkdir(join(root.folder, 'usr/lib/modules'), { recursive: true });
      await execa('cp', ['-r', debian.modules, join(root.folder, 'usr/lib/modules/')]);
    }
    const more = debian ? `--environment '${environment(debian.release)}'` : '';
    await make(`--format directory --extra-tree report ${more}`);
    initrd = await madeAs('mkosi-directory');
  });

  /** Boots its initrd, which is never left. */
  async function boots(on: string, kernel: string, append: string, look: (log: SystemReport['log']) => void) {
    const name = `integration-mkosi-directory-${on}`;
    const options = {
      kernel,
      initrd,
      append: `${append} systemd.log_level=warning`,
      memoryMiB: 1024,
      timeoutSeconds: 300,
    };
    await systemBoot({ name, ...options }, ({ values, log }) => {
      look(log);
      expect(values('failed')).toEqual([]);
      expect(values('root')).toEqual(['overlay']);
      expect(values('init')).toEqual(['/usr/lib/systemd/systemd']);
    });
  }

  test('gets an initrd beside it, which boots a kernel with the series, in place', async () => {
    await boots('patched', await kernel(), 'initoverlayfs=require', (log) => {
      expect(seriesLog(log).mounted?.images).toBe(1);
    });
  });

  test("with modules in INITOVERLAYFS_OPTIONS that initrd boots Debian's own kernel", async ({ skip }) => {
    if (debian === undefined) return skip(noDebianKernel);
    await boots('stock', debian.image, '', (log) => {
      expect(storageLog(log)).toContainEqual(expect.stringMatching(/root\.erofs/));
    });
  });

  test('gets the same initrd from it each time, with extended attributes', async () => {
    const sum = () => root.run(`sha256sum ${folder}/system.initrd`);
    const was = await sum();
    const options = debian ? environment(debian.release) : '';
    const said = await root.run(`${options} OUTPUTDIR=${folder} ${folder}/mkosi.postoutput`);
    expect(said).not.toContain('extended attributes are not kept');
    expect(await sum()).toBe(was);
  });
});

test('an initrd of Format=cpio gets another beside it, which boots in place to a disk', async () => {
  await make('--format cpio --make-initrd yes');
  await bootsInPlace('mkosi-cpio', await madeAs('mkosi-cpio'));
});
