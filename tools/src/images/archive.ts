// SPDX-License-Identifier: GPL-2.0-only
import { alignUp } from '../codecs/bytes.ts';
import { typeBits } from '../codecs/file-type.ts';
import { newcHeaderSize, newcTrailer, writeNewcHeader, zeroHeader } from '../codecs/newc.ts';
import { asSource, type Source } from '../host/source.ts';
import { archiveFolder, imageName } from '../segments/archive.ts';
import type { Part } from './initrd.ts';

/** Regular file of the archive beside its images. */
export interface Member {
  name: string;
  /** Permission bits. */
  mode: number;
  bytes: Uint8Array;
}

/**
 * Writes the archive form: a newc archive whose files are the images, each padded to a multiple of `align` by a file of
 * NULs before it. `files` goes after the images, and lists what belongs to the archive: storage-init tells extra files
 * by it. Folders come before what is in them, because the kernel makes none.
 * @param start is the offset of the archive in the initrd, a multiple of 4.
 * @returns the parts of the archive, and the names of its files.
 */
export function archiveParts(
  images: Source[],
  members: Member[],
  start: number,
  align: number,
): { parts: Part[]; own: ReadonlySet<string> } {
  // Without NULs after an archive in front lsinitramfs takes both for one and lists the first.
  const gap = start === 0 ? 0 : alignUp(start + 4, 512) - start;
  const archive = new Archive(start + gap);
  const listed: string[] = [];
  const add = (name: string, mode: number, bytes: Uint8Array | Source) => {
    const content = asSource(bytes);
    archive.add(name, typeBits.file | mode, content);
    listed.push(`${(typeBits.file | mode).toString(8)} ${content.size} ${name}\n`);
  };
  archive.addFoldersOf(imageName(0));
  for (const [number, image] of images.entries()) {
    const name = imageName(number);
    const pad = `${archiveFolder}/pad${number === 0 ? '' : `.${number}`}`;
    const data = archive.end + headSize(pad) + headSize(name);
    add(pad, 0o644, new Uint8Array(alignUp(data, align) - data));
    add(name, 0o644, image);
  }
  // Its own line could not tell its size.
  const own = members.map(
    ({ name, mode, bytes }) => `${(typeBits.file | mode).toString(8)} ${bytes.length} ${name}\n`,
  );
  archive.add(`${archiveFolder}/files`, typeBits.file | 0o644, Buffer.from([...listed, ...own].join('')));
  for (const { name, mode, bytes } of members) {
    archive.addFoldersOf(name);
    archive.add(name, typeBits.file | mode, asSource(bytes));
  }
  const parts = archive.finish();
  return { parts: gap === 0 ? parts : [{ bytes: new Uint8Array(gap) }, ...parts], own: archive.files };
}

/** Returns the bytes of a header with its name. */
function headSize(name: string): number {
  return alignUp(newcHeaderSize + name.length + 1, 4);
}

/** An archive in parts, so that the images in it need no copy. */
class Archive {
  /** Offset in the initrd where the next header goes. */
  end: number;
  readonly files = new Set<string>();
  readonly #parts: Part[] = [];
  readonly #folders = new Set<string>();
  #members = 0;

  constructor(start: number) {
    this.end = start;
  }

  add(name: string, mode: number, bytes: Uint8Array | Source): void {
    const content = asSource(bytes);
    const isFolder = this.#folders.has(name);
    const nlink = isFolder ? 2 : 1;
    if (!isFolder) this.files.add(name);
    this.#members++;
    this.#put(writeNewcHeader({ ...zeroHeader, ino: this.#members, mode, nlink, size: content.size }, name));
    this.#put(content);
  }

  addFoldersOf(name: string): void {
    for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
      const folder = name.slice(0, slash);
      if (this.#folders.has(folder)) continue;
      this.#folders.add(folder);
      this.add(folder, typeBits.directory | 0o755, new Uint8Array(0));
    }
  }

  finish(): Part[] {
    this.#put(writeNewcHeader({ ...zeroHeader, size: 0 }, newcTrailer));
    return this.#parts;
  }

  /** Adds bytes whose end is padded to 4 bytes, because every part starts at a multiple of that. */
  #put(bytes: Uint8Array | Source): void {
    this.#parts.push({ bytes });
    this.end = alignUp(this.end + asSource(bytes).size, 4);
  }
}
