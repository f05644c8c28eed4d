// SPDX-License-Identifier: GPL-2.0-only
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artefactsRoot } from '../host/artefacts.ts';
import { type Machine, value, wholeCommandLine } from './qemu.ts';

/**
 * Has iPXE in the ROM of a network card load the kernel and several initrd files by TFTP, which it puts into memory one
 * after the other. QEMU itself is the server. Returns the words for `Machine.loader`.
 */
export async function netboot(name: string, machine: Machine, initrds: readonly string[]): Promise<string[]> {
  const folder = join(artefactsRoot, 'images', name.replaceAll(/[^\w.-]+/g, '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await copyFile(machine.kernel, join(folder, 'kernel'));
  const files = initrds.map((_, index) => `initrd-${index}`);
  for (const [index, file] of initrds.entries()) await copyFile(file, join(folder, `initrd-${index}`));
  const script = [
    '#!ipxe',
    `kernel kernel ${files.map((file) => `initrd=${file}`).join(' ')} ${wholeCommandLine(machine)}`,
    ...files.map((file) => `initrd ${file}`),
    'boot',
    '',
  ];
  await writeFile(join(folder, 'boot.ipxe'), script.join('\n'));
  return [
    ...['-netdev', `user,id=net,restrict=on,tftp=${value(folder)},bootfile=boot.ipxe`],
    ...['-device', 'virtio-net-pci,netdev=net,bootindex=1'],
  ];
}
