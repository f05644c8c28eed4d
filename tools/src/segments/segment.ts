// SPDX-License-Identifier: GPL-2.0-only
import type { TarCompression } from '../codecs/compression.ts';
import type { ErofsSuperblock } from '../codecs/erofs-superblock.ts';
import type { NewcEntry } from '../codecs/newc.ts';
import type { ImageMember } from './archive.ts';

interface Span {
  /** Bytes from the start of the initrd. */
  offset: number;
  /** Bytes. */
  size: number;
}

/** An uncompressed archive, or one compressed stream with the archives in it. */
export interface CpioSpan extends Span {
  /** `erofs cpio`: the first archive that is not early, with images that the kernel mounts where they lie. */
  kind: 'cpio' | 'early cpio' | 'erofs cpio';
  compression: TarCompression | 'none';
  /** Bytes after decompression. */
  unpackedSize: number;
  /** Number of entries without trailers. */
  entries: number;
  /** True if there is early-boot data among the entries. */
  hasEarlyData: boolean;
  /** Reasons why the kernel refuses it. */
  problems: string[];
  /** Options that the kernel needs for it beside the one of its compression. */
  options?: string[];
  /** True if its last archive ends without a trailer, and nothing else is wrong. */
  lacksTrailer?: true;
  /** Files of an uncompressed archive that are images by their names. */
  images?: ImageMember[];
}

/** Archives in memory. */
export interface CpioSegment extends CpioSpan {
  /** The entries of each archive, their offsets counted in the decompressed bytes. */
  archives: NewcEntry[][];
}

export interface ErofsSegment extends Span {
  kind: 'erofs';
  superblock: ErofsSuperblock;
}

/** NULs between other segments or after the last. */
export interface PaddingSegment extends Span {
  kind: 'padding';
}

/** Boot configuration at the end, which the kernel cuts off before it unpacks anything. */
export interface BootConfigSegment extends Span {
  kind: 'bootconfig';
}

/** Rest of an initrd that the kernel would not read. */
export interface UnknownSegment extends Span {
  kind: 'unknown';
  problem: string;
  /** Offset of the problem in the initrd, not less than `offset`. */
  problemOffset: number;
}

/** Part of an initrd. */
export type SegmentSpan = CpioSpan | ErofsSegment | PaddingSegment | BootConfigSegment | UnknownSegment;

/** Part of an initrd in memory. */
export type Segment = CpioSegment | Exclude<SegmentSpan, CpioSpan>;
