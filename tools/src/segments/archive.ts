// SPDX-License-Identifier: GPL-2.0-only
import { alignUp } from '../codecs/bytes.ts';
import { type ErofsSuperblock, readErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { typeOfMode } from '../codecs/file-type.ts';
import { newcHeaderSize } from '../codecs/newc.ts';
import type { NewcMeta } from '../codecs/newc-parser.ts';
import type { Source } from '../host/source.ts';

/** Folder of the files that make an archive one with images. */
export const archiveFolder = 'kernel/initrd';

/** Most images of an archive: root.erofs, root.1.erofs to root.9.erofs. */
export const imageLimit = 10;

/** Returns the name of an image in an archive. A later one goes over the earlier ones; the first one is 0. */
export function imageName(number: number): string {
  return `${archiveFolder}/root${number === 0 ? '' : `.${number}`}.erofs`;
}

const names = new Map(Array.from({ length: imageLimit }, (_, number) => [imageName(number), number]));

/** An image that is a file of an archive. */
export interface ImageMember {
  name: string;
  /** Bytes from the start of the initrd to the data. */
  offset: number;
  size: number;
  /** The superblock, if there is one. */
  superblock?: ErofsSuperblock;
  /** Reasons why the kernel refuses it, and with it the images of the archive. */
  problems: string[];
}

/** Returns the number of an image from its name in an archive, or undefined for another name. */
export function imageNumber(name: string): number | undefined {
  return names.get(name);
}

/**
 * Names the reason why the kernel refuses a file of an archive as an image by its header.
 * @param count is the number of images before it.
 */
export function memberProblem(
  { name, mode, nlink }: Pick<NewcMeta, 'name' | 'mode' | 'nlink'>,
  count: number,
): string | undefined {
  const number = imageNumber(name) ?? 0;
  if (typeOfMode(mode) !== 'file' || nlink > 1) return 'is no regular file with one link';
  if (number < count) return 'is there twice';
  return number > count ? 'comes without the one before it' : undefined;
}

export const noImage = 'holds no EROFS image';
export const tooShort = 'is shorter than the image in it';

/** Reads the images that entries of an archive are. Their offsets count from the start of the source. */
export function imagesOf(source: Source, entries: readonly NewcMeta[]): ImageMember[] {
  return entries.map((meta, index) => {
    const { name, size } = meta;
    const offset = alignUp(meta.offset + newcHeaderSize + meta.nameSize, 4);
    const superblock = readErofsSuperblock(source, offset);
    const problem = memberProblem(meta, index);
    const problems = [...(problem === undefined ? [] : [problem]), ...(superblock?.problems ?? [noImage])];
    if (superblock && superblock.size > size) problems.push(tooShort);
    return { name, offset, size, problems, ...(superblock ? { superblock } : {}) };
  });
}
