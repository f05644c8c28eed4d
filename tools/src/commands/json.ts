// SPDX-License-Identifier: GPL-2.0-only
import { isAscii } from '../codecs/bytes.ts';

/** Reads a name as UTF-8, with U+FFFD for what is none. */
export function utf8Of(name: string): string {
  return isAscii(name) ? name : Buffer.from(name, 'latin1').toString('utf8');
}

/** Returns a name in base64, or undefined if it is UTF-8. */
export function base64Of(name: string): string | undefined {
  if (isAscii(name)) return undefined;
  const bytes = Buffer.from(name, 'latin1');
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes) ? undefined : bytes.toString('base64');
}
