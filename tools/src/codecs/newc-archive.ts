// SPDX-License-Identifier: GPL-2.0-only
import type { NewcArchive, NewcEntry } from './newc.ts';
import { NewcParser } from './newc-parser.ts';

/**
 * Reads one archive in memory like the kernel: NULs between entries are skipped, and an entry with the trailer's name
 * ends it. An archive without a trailer ends where no header follows.
 * @throws Failure (input, with the offset) when it is damaged or truncated, or a 070702 checksum is wrong.
 */
export function readNewcArchive(bytes: Uint8Array, start: number): NewcArchive {
  const entries: NewcEntry[] = [];
  const parser = new NewcParser(
    {
      entry(meta) {
        const entry: NewcEntry = { ...meta, data: bytes.subarray(0, 0) };
        entries.push(entry);
        return (data) => {
          entry.data = data;
        };
      },
    },
    start,
  );
  parser.push(bytes.subarray(start));
  parser.finish();
  return { entries, end: Math.min(parser.end, bytes.length) };
}
