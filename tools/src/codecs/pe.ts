// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';
import { numberAt } from './bytes.ts';

/** Section of a PE file, such as a kernel with an EFI stub or a unified kernel image. */
export interface PeSection {
  name: string;
  /** Bytes from the start of the file. */
  offset: number;
  /** Bytes, without the padding to the alignment of sections in the file. */
  size: number;
}

/** Layout of the headers (PE Format, Microsoft). */
const signatureAt = 0x3c;
const headerSize = 24;
const sectionSize = 40;

/**
 * Lists the sections of a PE file in their order, or returns undefined when it is none.
 * @throws Failure (input, with the offset) when the table of them is cut off.
 */
export function readPeSections(bytes: Uint8Array | Source): PeSection[] | undefined {
  const source = asSource(bytes);
  if (text(source, 0, 2) !== 'MZ') return undefined;
  const header = numberAt(source, signatureAt, 4);
  if (text(source, header, 4) !== 'PE\0\0') return undefined;
  const count = numberAt(source, header + 6, 2);
  const table = header + headerSize + numberAt(source, header + 20, 2);
  if (table + count * sectionSize > source.size) {
    const problem = 'the table of sections of the PE file reaches past the end; the file is truncated';
    throw new Failure('input', problem, { offset: header });
  }
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * sectionSize;
    const virtualSize = numberAt(source, at + 8, 4);
    const fileSize = numberAt(source, at + 16, 4);
    return {
      name: text(source, at, 8).replace(/\0.*$/s, ''),
      offset: numberAt(source, at + 20, 4),
      size: virtualSize === 0 ? fileSize : Math.min(virtualSize, fileSize),
    };
  });
}

function text(source: Source, offset: number, length: number): string {
  return Buffer.from(source.read(offset, length)).toString('latin1');
}
