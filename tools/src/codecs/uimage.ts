// SPDX-License-Identifier: GPL-2.0-only
import { asSource, type Source } from '../host/source.ts';
import { bigNumberAt } from './bytes.ts';

/** First four bytes of U-Boot's two formats: the legacy one (include/image.h) and the flattened tree of FIT. */
const legacyMagic = 0x27051956;
const treeMagic = 0xd00dfeed;
const legacyHeaderSize = 64;
const typeAt = 30;
const ramdisk = 3;
const nameAt = 32;

/** Names the U-Boot image at `offset` and says how to get what is in it, or returns undefined when there is none. */
export function describeUImage(bytes: Uint8Array | Source, offset: number): string | undefined {
  const source = asSource(bytes);
  const magic = bigNumberAt(source, offset, 4);
  if (magic === treeMagic)
    return 'a FIT image of U-Boot (or a device tree); take the ramdisk out with dumpimage -T flat_dt -p POSITION';
  if (magic !== legacyMagic) return undefined;
  const name = Buffer.from(source.read(offset + nameAt, legacyHeaderSize - nameAt)).toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  const shown = name.replace(/\0.*$/s, '').replace(/[\x00-\x1f\x7f-\xff]/g, '?');
  const kind = source.read(offset + typeAt, 1)[0] === ramdisk ? 'a ramdisk' : 'no ramdisk';
  return `a uImage of U-Boot ("${shown}", ${kind}); take its header off with tail -c +${offset + legacyHeaderSize + 1}`;
}
