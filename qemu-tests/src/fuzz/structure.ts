// SPDX-License-Identifier: GPL-2.0-only
import { incompatible, superblockFields, superblockOffset, superblockSize } from '../images/superblock.ts';
import { type Field, Fields } from './field.ts';
import {
  chunkIndex,
  compactInode,
  dirent,
  extendedInode,
  extent,
  fullIndex,
  mapHeader,
  metaboxSuperblock,
  superblock,
  wideSuperblock,
  xattrEntry,
  xattrHeader,
} from './layouts.ts';

/** The targets for edits in one image. */
export interface Structure {
  readonly fields: readonly Field[];
  /** Bytes. */
  readonly blockSize: number;
  readonly nids: readonly number[];
}

const format = { directory: 0o040000, regular: 0o100000, symlink: 0o120000, mask: 0o170000 };
const layouts = { plain: 0, full: 1, inline: 2, compact: 3, chunks: 4 };

/** The number of an inode is the one of its nid with bit 63, which says metabox, as bit 31 (erofs_nid_to_ino64()). */
const inMetabox = 2 ** 31;
const inodeNumber = (nid: bigint) => (nid >> 63n ? inMetabox : 0) + Number(nid & 0x7fff_ffffn);

const alignUp = (n: number, to: number) => Math.ceil(n / to) * to;

/**
 * Returns the size of the compact indexes of `clusters` clusters: packs of 8 bytes for 2 of them up to a multiple of
 * 32 bytes, packs of 32 for 16, if the header advises it, and packs of 8 for the rest. A block address is at the end
 * of each (z_erofs_load_compact_lcluster() of Linux 6.12).
 */
function compactBytes(start: number, clusters: number, advice: number): number {
  if (!(advice & 1)) return 8 * Math.ceil(clusters / 2);
  const first = Math.min(clusters, ((32 - (start % 32)) / 4) & 7);
  const dense = Math.floor((clusters - first) / 16) * 16;
  return 8 * Math.ceil(first / 2) + 2 * dense + 8 * Math.ceil((clusters - first - dense) / 2);
}

/** A walk of a sound image from its root that names the fields. */
class Walk {
  readonly fields: Fields;
  readonly nids = new Set<number>();
  readonly #image: Buffer;
  readonly #bits: number;
  readonly #meta: number;
  readonly #shared: number;
  readonly #sharedSeen = new Set<number>();
  /** The packed inode, which holds the ends of other files: a field of it is about all of them. */
  #packed = 0;
  /** The inode that holds inodes, names and attributes, and the offset of its data when they are not compressed. */
  #metabox: { readonly nid: number; readonly data?: number } | undefined;

  constructor(image: Buffer) {
    this.#image = image;
    this.#bits = image.readUInt8(superblockOffset + superblockFields.blkszbits);
    this.fields = new Fields(image, this.blockSize);
    this.#meta = image.readUInt32LE(superblockOffset + superblockFields.meta_blkaddr) << this.#bits;
    this.#shared = image.readUInt32LE(superblockOffset + superblockFields.xattr_blkaddr) << this.#bits;
  }

  get blockSize(): number {
    return 1 << this.#bits;
  }

  superblock(): void {
    const at = superblockOffset;
    this.fields.put('superblock', superblock, at);
    const end = at + superblockSize + 16 * this.#image.readUInt8(at + superblockFields.sb_extslots);
    this.fields.cover(at, end);
    const features = this.#image.readUInt32LE(at + superblockFields.feature_incompat);
    if (features & incompatible.configurations) this.#configurations(end);
    if (features & incompatible.wide) this.fields.put('superblock', wideSuperblock, at);
    if (features & incompatible.metabox) {
      this.fields.put('superblock', metaboxSuperblock, at);
      this.#metabox = { nid: Number(this.#image.readBigUInt64LE(at + superblockFields.metabox_nid)) };
      this.inode(this.#metabox.nid);
    }
    this.#packed = inodeNumber(this.#image.readBigUInt64LE(at + superblockFields.packed_nid));
    const wide =
      features & incompatible.wide ? this.#image.readBigUInt64LE(at + superblockFields.rootnid_8b) : 0n;
    this.inode(wide ? inodeNumber(wide) : this.#image.readUInt16LE(at + superblockFields.root_nid));
    if (this.#packed !== 0) this.inode(this.#packed);
  }

  /** Adds the configuration of each compressor in the superblock's list: a length, and as many bytes. */
  #configurations(start: number): void {
    let at = start;
    for (
      let algorithms = this.#image.readUInt16LE(superblockOffset + superblockFields.available_compr_algs);
      algorithms > 0;
      algorithms >>= 1
    ) {
      if (!(algorithms & 1)) continue;
      const size = this.#image.readUInt16LE(at);
      this.fields.add('superblock', 'configuration size', 'size', at, 2);
      for (let n = 0; n + 1 < size; n += 2)
        this.fields.add('superblock', 'configuration', 'size', at + 2 + n, 2);
      at += 2 + size;
    }
  }

  inode(nid: number): void {
    if (this.nids.has(nid) || (nid >= inMetabox && this.#metabox?.data === undefined)) return;
    this.nids.add(nid);
    const about = nid === this.#packed || nid === this.#metabox?.nid ? undefined : nid;
    this.fields.about(about, () => this.#inode(nid));
  }

  #inode(nid: number): void {
    const image = this.#image;
    const at = nid < inMetabox ? this.#meta + nid * 32 : (this.#metabox?.data ?? 0) + (nid - inMetabox) * 32;
    const word = image.readUInt16LE(at);
    const extended = (word & 1) === 1;
    const layout = (word >> 1) & 7;
    const headerEnd = at + (extended ? 64 : 32);
    this.fields.put('inode', extended ? extendedInode : compactInode, at);
    this.fields.cover(at, headerEnd);

    const slots = image.readUInt16LE(at + 2);
    const end = headerEnd + (slots === 0 ? 0 : 12 + 4 * (slots - 1));
    if (slots > 0) this.#xattrs(headerEnd, end);

    const mode = image.readUInt16LE(at + 4) & format.mask;
    if (mode !== format.directory && mode !== format.regular && mode !== format.symlink) return;
    const size = extended ? Number(image.readBigUInt64LE(at + 8)) : image.readUInt32LE(at + 8);
    const value = image.readUInt32LE(at + 16);
    if (nid === this.#metabox?.nid && layout === layouts.plain) {
      this.#metabox = { nid, data: value << this.#bits };
      return;
    }
    if (layout === layouts.full || layout === layouts.compact)
      this.#indexes(end, size, layout === layouts.full);
    else if (layout === layouts.chunks) this.#chunks(end, size, value);
    else this.#flat(end, size, value << this.#bits, layout === layouts.inline, mode === format.directory);
  }

  /** Adds blocks one after the other; the last one of an inline file is after the inode. */
  #flat(end: number, size: number, data: number, inline: boolean, directory: boolean): void {
    for (let done = 0; done < size; done += this.blockSize) {
      const length = Math.min(this.blockSize, size - done);
      const start = inline && length < this.blockSize ? end : data + done;
      if (directory) this.#directoryBlock(start, length);
      else this.fields.data(start, length, 'content');
    }
  }

  #directoryBlock(start: number, length: number): void {
    const count = this.#image.readUInt16LE(start + 8) / 12;
    this.fields.cover(start, start + length);
    for (let n = 0; n < count; n++) {
      const at = start + 12 * n;
      this.fields.put('directory', dirent, at);
      const name = this.#image.readUInt16LE(at + 8);
      const next = n + 1 < count ? this.#image.readUInt16LE(at + 12 + 8) : length;
      this.fields.add('directory', 'name', 'bytes', start + name, next - name);
    }
    for (let n = 0; n < count; n++) this.inode(inodeNumber(this.#image.readBigUInt64LE(start + 12 * n)));
  }

  #xattrs(start: number, end: number): void {
    const shared = this.#image.readUInt8(start + 4);
    this.fields.put('xattr', xattrHeader, start);
    this.fields.cover(start, end);
    for (let n = 0; n < shared; n++) {
      const at = start + 12 + 4 * n;
      this.fields.add('xattr', 'shared id', 'id', at, 4);
      const entry = this.#shared + 4 * this.#image.readUInt32LE(at);
      if (this.#sharedSeen.has(entry)) continue;
      this.#sharedSeen.add(entry);
      this.fields.about(undefined, () => this.#xattr(entry));
    }
    for (let at = start + 12 + 4 * shared; at + 4 <= end; ) at = this.#xattr(at);
  }

  #xattr(at: number): number {
    const name = this.#image.readUInt8(at);
    const value = this.#image.readUInt16LE(at + 2);
    const end = at + 4 + name + value;
    this.fields.put('xattr', xattrEntry, at);
    if (name > 0) this.fields.add('xattr', 'name', 'bytes', at + 4, name);
    if (value > 0) this.fields.add('xattr', 'value', 'bytes', at + 4 + name, value);
    this.fields.cover(at, end);
    return alignUp(end, 4);
  }

  #chunks(end: number, size: number, value: number): void {
    const chunkBits = this.#bits + (value & 31);
    const entry = value & 32 ? 8 : 4;
    const start = alignUp(end, entry);
    const count = Math.ceil(size / 2 ** chunkBits);
    this.fields.cover(start, start + count * entry);
    for (let n = 0; n < count; n++) {
      const at = start + n * entry;
      if (entry === 8) this.fields.put('chunk', chunkIndex, at);
      else this.fields.add('chunk', 'blkaddr', 'block', at, 4);
    }
  }

  #indexes(end: number, size: number, full: boolean): void {
    const header = alignUp(end, 8);
    this.fields.put('compression header', mapHeader, header);
    this.fields.cover(header, header + 8);
    const advice = this.#image.readUInt16LE(header + 4);
    const fragment = this.#image.readUInt8(header + 7) & 0x80;
    if (fragment) return;
    const clusters = Math.ceil(size / 2 ** (this.#bits + (this.#image.readUInt8(header + 7) & 7)));
    if (full && advice & 1) {
      this.#extents(header, advice, clusters);
    } else if (full) {
      for (let n = 0; n < clusters; n++) this.fields.put('index', fullIndex, header + 16 + 8 * n);
      this.fields.cover(header + 16, header + 16 + 8 * clusters);
    } else {
      const bytes = compactBytes(header + 8, clusters, advice);
      for (let n = 0; n < bytes; n += 2) this.fields.add('index', 'pack', 'flags', header + 8 + n, 2);
      for (let n = 4; n + 4 <= bytes; n += 8)
        this.fields.add('index', 'pack blkaddr', 'block', header + 8 + n, 4);
      this.fields.cover(header + 8, header + 8 + bytes);
    }
  }

  /**
   * Adds the records of a file whose extents are listed. Short ones are one for each cluster, those of 4 bytes after
   * the address of the first (z_erofs_map_blocks_ext()).
   */
  #extents(header: number, advice: number, clusters: number): void {
    const record = 4 << ((advice >> 1) & 3);
    const list = alignUp(header + 8, record);
    const start = record === 4 ? list + 8 : list;
    const count = record > 8 ? this.#image.readUInt32LE(header) : clusters;
    if (record === 4) this.fields.add('index', 'pstart', 'offset', list, 8);
    const fields = extent.filter(([, , at, size]) => at + size <= record);
    for (let n = 0; n < count; n++) this.fields.put('index', fields, start + n * record);
    this.fields.cover(list, start + count * record);
  }
}

/** Finds the fields of a sound image. */
export function structureOf(image: Buffer): Structure {
  const walk = new Walk(image);
  walk.superblock();
  walk.fields.rest();
  return { fields: walk.fields.list, blockSize: walk.blockSize, nids: [...walk.nids] };
}
