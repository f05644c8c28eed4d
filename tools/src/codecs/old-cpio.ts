// SPDX-License-Identifier: GPL-2.0-only
import { asSource, type Source } from '../host/source.ts';

/** Formats of cpio from before newc. Each has the magic 070707: odc in octal digits, the other as a number. */
export type OldCpio = 'odc' | 'old binary';

const odcMagic = Buffer.from('070707');
const binaryMagic = 0o070707;
const nameSizeAt = 20;
const binaryHeaderSize = 26;
const nameLimit = 4096;

/** Says what makes an archive for the kernel of one in such a format. */
export function oldCpioAdvice(format: OldCpio): string {
  return `a cpio archive in the ${format} format, and the kernel reads newc only; unpack it with cpio -id, and write it with cpio -o -H newc`;
}

/** Detects an archive in an old format. A magic of two bytes counts with a name after its header, as far as that is there. */
export function detectOldCpio(bytes: Uint8Array | Source, offset: number): OldCpio | undefined {
  const source = asSource(bytes);
  const header = Buffer.from(source.read(offset, binaryHeaderSize));
  if (header.subarray(0, odcMagic.length).equals(odcMagic)) return 'odc';
  if (header.length < binaryHeaderSize) return undefined;
  const isLittle = header.readUInt16LE(0) === binaryMagic;
  if (!isLittle && header.readUInt16BE(0) !== binaryMagic) return undefined;
  const nameSize = isLittle ? header.readUInt16LE(nameSizeAt) : header.readUInt16BE(nameSizeAt);
  if (nameSize < 2 || nameSize > nameLimit) return undefined;
  const [end = 0] = source.read(offset + binaryHeaderSize + nameSize - 1, 1);
  return end === 0 ? 'old binary' : undefined;
}
