// SPDX-License-Identifier: GPL-2.0-only
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { file, splitInitrd } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { debianKernel, debianKernelPackage, noDebianKernel } from '../debian/kernel.ts';
import { shim } from '../host/kernels.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { mini } from '../images/mini-initramfs.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';

// Modules that a person lists.

const debian = await debianKernelPackage();

test("listed modules are loaded as they are in Debian's package: compressed or not, signed, with parameters", async ({
  skip,
}) => {
  skip(debian === undefined, noDebianKernel);
  const { image, modules } = await debianKernel(debian as NonNullable<typeof debian>);
  const paths = await bootable();
  const options = {
    bootfs: '/dev/vda',
    modules,
    drivers: ['virtio_pci', 'virtio_console'],
    shim: await shim(),
  };
  const { modules: names } = await splitInitrd(await cpio(paths), options);

  const files = await readdir(modules, { recursive: true });
  const list: string[] = ['# name, and what modprobe would be given', ''];
  const contents: Paths = {};
  for (const name of names) {
    const path =
      files.find((each) => new RegExp(`/${name.replaceAll('_', '[-_]')}\\.ko(\\.\\w+)?$`).test(each)) ?? '';
    contents[`modules/${path}`] = file(await readFile(join(modules, path)));
    list.push(`/modules/${path}${name === 'loop' ? ' max_loop=3 max_part=7' : ''}`);
  }
  await trial(
    {
      name: 'storage modules',
      kernel: image,
      initrd: await initrd(
        'storage modules',
        await mini(
          { fs: '/image.erofs' },
          {
            ...contents,
            'etc/initoverlayfs.modules': file(`${list.join('\n')}\n`),
            'boot/image.erofs': file(await erofs(paths)),
          },
        ),
      ),
      steps: [
        ['cat', '/sys/module/loop/parameters/max_loop'],
        ['cat', '/sys/module/loop/parameters/max_part'],
      ],
      timeoutSeconds: 120,
    },
    ({ verdict, log }) => {
      expect(verdict.steps.map(({ rows }) => rows)).toEqual([[{ line: '3' }], [{ line: '7' }]]);
      expect(storageLog(log)).toHaveLength(1);
    },
  );
});
