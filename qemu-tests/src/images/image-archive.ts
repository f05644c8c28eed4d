// SPDX-License-Identifier: GPL-2.0-only
import { type NewcMember, readNewcArchive, writeNewcArchive } from '@initoverlayfs/tools';
import { cpio } from './initrd.ts';
import type { Paths } from './tree.ts';

// Archives whose files are the images of the root, written here and not by the tools, so that they can be wrong.

/** Returns the name of the image with that number. A later one goes over the earlier ones; the first one is 0. */
export function imageName(number: number): string {
  return `kernel/initrd/root${number === 0 ? '' : `.${number}`}.erofs`;
}

/** Makes a member: a regular file with one link, unless `given` says otherwise. */
export function member(
  name: string,
  data: Buffer = Buffer.alloc(0),
  given: Partial<NewcMember> = {},
): NewcMember {
  return { name, data, mode: 0o100644, ...given };
}

/** Returns the bytes of a member's header and name, padded to 4 bytes. */
function headBytes(name: string): number {
  return Math.ceil((110 + name.length + 1) / 4) * 4;
}

/** The directories that the images are in. The kernel's unpacker does not make them itself. */
export const imageFolders: readonly NewcMember[] = ['kernel', 'kernel/initrd'].map((name) =>
  member(name, undefined, { mode: 0o040755, nlink: 2 }),
);

/**
 * Returns the directories and the images as members, with one before each image that pads it: it starts `off` bytes
 * after a multiple of 4096 if the archive starts with these members.
 */
export function imageMembers(images: readonly Buffer[], off = 0): NewcMember[] {
  let end = imageFolders.reduce((sum, { name }) => sum + headBytes(name), 0);
  const padded = images.flatMap((image, number) => {
    const pad = `kernel/initrd/pad${number === 0 ? '' : `.${number}`}`;
    const start = end + headBytes(pad) + headBytes(imageName(number));
    const padding = (4096 + off - (start % 4096)) % 4096;
    end = start + padding + Math.ceil(image.length / 4) * 4;
    return [member(pad, Buffer.alloc(padding)), member(imageName(number), image)];
  });
  return [...imageFolders, ...padded];
}

/** Returns the members of an archive of these paths. */
export async function membersOf(paths: Paths): Promise<NewcMember[]> {
  return readNewcArchive(await cpio(paths), 0).entries;
}

/** Makes an archive of the members, in their order, with a trailer. */
export function archiveOf(members: readonly NewcMember[]): Buffer {
  return Buffer.from(writeNewcArchive(members));
}

/**
 * Makes an archive as `cpio -H crc` does: the magic of every header is 070702, and its last field the sum of the data.
 * The tools write a trailer of the other format.
 */
export function crcArchiveOf(members: readonly NewcMember[]): Buffer {
  const archive = archiveOf(members.map(({ check: _, ...each }) => ({ ...each, checked: true })));
  archive.write('070702', archive.lastIndexOf('TRAILER!!!\0') - 110, 'latin1');
  return archive;
}

/** Fields of a header by their number. */
const fields = { size: 6, nameSize: 11 } as const;

/** Copies an archive and puts eight characters into a field of the header before this name. */
export function patchHeader(
  archive: Buffer,
  name: string,
  field: keyof typeof fields,
  characters: string,
): Buffer {
  const copy = Buffer.from(archive);
  copy.write(characters, copy.indexOf(`${name}\0`) - 110 + 6 + 8 * fields[field], 'latin1');
  return copy;
}
