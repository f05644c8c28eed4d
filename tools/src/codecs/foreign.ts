// SPDX-License-Identifier: GPL-2.0-only
import { asSource, type Source } from '../host/source.ts';
import { hasBytes } from './bytes.ts';

/** Formats that neither the kernel nor this program reads: their magics, and what unpacks them. */
const formats: [magic: string, name: string, command: string][] = [
  ['\x1f\x9d', 'compress (.Z)', 'uncompress'],
  ['LZIP', 'lzip', 'lzip -d'],
  ['LRZI', 'lrzip', 'lrzip -d'],
  ['PK\x03\x04', 'zip', 'unzip'],
  ['7z\xbc\xaf\x27\x1c', '7-Zip', '7z x'],
  ['Rar!', 'rar', 'unrar x'],
];

/** Names the format of what is at `offset`, with the command that unpacks it, or returns undefined if it is unknown. */
export function describeForeign(bytes: Uint8Array | Source, offset: number): string | undefined {
  const source = asSource(bytes);
  const found = formats.find(([magic]) => hasBytes(source, offset, magic));
  return found && `compressed with ${found[1]}, which is not read here; unpack it with ${found[2]} first`;
}
