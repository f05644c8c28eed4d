// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Conversion,
  type ConvertOptions,
  concatenateInitrd,
  convertInitrd,
  type ErofsOptions,
  Failure,
  type NewcMember,
  writeNewcArchive,
} from '@initoverlayfs/tools';
import { guestFolder } from './disk.ts';

/** The credential that is put into `/.extra/credentials`, as systemd-stub does, and looked for in the real root. */
export const credentialName = 'demo.cred';

const none = new Uint8Array();
const folder = (name: string): NewcMember => ({ name, mode: 0o40755, data: none });

/**
 * Makes an archive of the measuring script and of the files that start it under systemd and under the /init of
 * initramfs-tools. It becomes part of every image that is measured, original and converted.
 */
async function probe(): Promise<Uint8Array> {
  const file = async (name: string, from: string, mode: number): Promise<NewcMember> => ({
    name,
    mode: 0o100000 | mode,
    data: await readFile(join(guestFolder, from)),
  });
  const unit = 'demo-measure.service';
  return writeNewcArchive([
    await file('demo-measure', 'measure', 0o755),
    folder('etc'),
    folder('etc/systemd'),
    folder('etc/systemd/system'),
    await file(`etc/systemd/system/${unit}`, 'initrd.service', 0o644),
    folder('etc/systemd/system/sysinit.target.wants'),
    {
      name: `etc/systemd/system/sysinit.target.wants/${unit}`,
      mode: 0o120777,
      data: Buffer.from(`../${unit}`),
    },
    folder('conf'),
    folder('conf/conf.d'),
    await file('conf/conf.d/demo-measure', 'initramfs-tools', 0o644),
  ]);
}

/** Makes an extra cpio as a boot loader would append it: one credential. */
export function extra(): Uint8Array {
  return writeNewcArchive([
    folder('.extra'),
    folder('.extra/credentials'),
    {
      name: `.extra/credentials/${credentialName}`,
      mode: 0o100444,
      data: Buffer.from('from the extra cpio\n'),
    },
  ]);
}

/** Appends the measuring script to an initramfs as its generator made it. */
export async function withProbe(original: string): Promise<Uint8Array> {
  const bytes = await readFile(original);
  return concatenateInitrd([{ bytes }, { bytes: await probe() }]);
}

/** Makes the initrd of today's path: the initramfs and the extra cpio, all unpacked over one another. */
export async function asBuilt(original: string): Promise<Uint8Array> {
  return concatenateInitrd([{ bytes: await withProbe(original) }, { bytes: extra() }]);
}

/**
 * Makes the initrd that is mounted in place: early cpio if the initramfs has one, an archive with the EROFS image, extra
 * cpio. The shim, which runs before init, moves the extra to the place that systemd expects.
 */
export async function converted(
  original: string,
  shim: string,
  options: ErofsOptions & Pick<ConvertOptions, 'profile'> = {},
): Promise<Conversion> {
  const bytes = await withProbe(original);
  return convertInitrd(bytes, { ...options, initShim: true, shim, extras: [extra()] }).catch(
    (error: unknown) => {
      throw error instanceof Failure ? error.in(original) : error;
    },
  );
}
