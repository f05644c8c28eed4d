// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { foreignInitrd } from '../../debian/foreign-initrd.ts';
import type { WholeSystem } from '../../debian/system.ts';
import { systemDisk } from '../../debian/system-disk.ts';
import { entry } from '../../host/cache.ts';
import { initoverlayfs } from '../../host/initoverlayfs.ts';
import { shim } from '../../host/kernels.ts';
import { versionOf } from '../../host/versions.ts';
import type { Way } from '../model/way.ts';
import type { WholeRow } from '../model/whole-schema.ts';
import { shimPrograms } from './system-forms.ts';

/** An initramfs as one way boots it, and the disk with the system that it leads to. */
export interface InitramfsForm {
  readonly system: WholeSystem;
  readonly way: Way;
  readonly initrd: string;
  /** Of all regular files of the initramfs. */
  readonly bytes: number;
  readonly disk: string;
  readonly files: WholeRow['files'];
}

/** Makes the initramfs of a system of another architecture in the form of a way, or finds it in the cache. */
export async function initramfsForm(system: WholeSystem, way: Way): Promise<InitramfsForm> {
  const { archive, bytes } = await foreignInitrd(system);
  const initrds: Partial<Record<Way, () => Promise<string>>> = {
    'cpio-zstd-19': async () => archive,
    'kernel-lz4hc-4k': () => converted(archive),
  };
  const make = initrds[way];
  if (make === undefined) throw new RangeError(`${way}: no initramfs of a whole system is booted so`);
  const [initrd, disk] = [await make(), await systemDisk(system)];
  const files = { initrdBytes: statSync(initrd).size, diskBytes: statSync(disk).size };
  return { system, way, initrd, bytes, disk, files };
}

/** Returns the archive as `initoverlayfs convert` makes an image of it. */
async function converted(archive: string): Promise<string> {
  const programs = await shimPrograms('initrd-extra', 'switch_root', 'archive-init');
  const folder = await entry('bench', [archive, await versionOf('mkfs.erofs'), ...programs], async (into) =>
    initoverlayfs('convert', '--shim', await shim(), archive, '-o', join(into, 'initrd.img')),
  );
  return join(folder, 'initrd.img');
}
