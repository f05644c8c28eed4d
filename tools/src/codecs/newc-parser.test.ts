// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { sampleTree } from '../fixtures/tree.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { newcTrailer, writeNewcArchive } from './newc.ts';
import { NewcParser, type NewcSink } from './newc-parser.ts';

/** Parses an archive in chunks of a size, each in the same buffer, as a source would give them. */
function parse(archive: Uint8Array, chunkSize: number): { entries: string[]; end: number } {
  const entries: string[] = [];
  let data = '';
  const sink: NewcSink = {
    entry: () => (part) => {
      data += Buffer.from(part).toString('latin1');
    },
    end: ({ name, mode, offset }) => {
      entries.push(JSON.stringify([name, mode, offset, data]));
      data = '';
    },
  };
  const parser = new NewcParser(sink);
  const chunk = Buffer.alloc(chunkSize);
  for (let at = 0; at < archive.length && !parser.done; ) {
    const count = Buffer.from(archive.subarray(at, at + chunkSize)).copy(chunk);
    at += parser.push(chunk.subarray(0, count));
  }
  parser.finish();
  return { entries, end: parser.end };
}

test.each([1, 2, 3, 5, 7, 64, 111, 4096])('chunks of %d bytes give the same entries as the whole', (size) => {
  const archive = treeToNewc(sampleTree());
  expect(parse(archive, size)).toEqual(parse(archive, archive.length));
});

test('data that the sink does not take can be skipped, but for checksums', () => {
  const data = Buffer.alloc(1000, 'x');
  const archive = writeNewcArchive([
    { name: 'skipped', mode: 0o100644, data },
    { name: 'checked', mode: 0o100644, data, checked: true },
  ]);
  const skipped: number[] = [];
  const parser = new NewcParser({ entry: () => undefined });
  while (!parser.done) {
    if (parser.skippable > 0) {
      skipped.push(parser.skippable);
      parser.skip(parser.skippable);
    }
    parser.push(archive.subarray(parser.position, parser.position + 16));
  }
  expect(skipped.length).toBe(1);
  expect(skipped[0]).toBeGreaterThan(980);
  expect(parser.end).toBe(archive.length);
});

test('a name that the kernel does not look at ends no archive', () => {
  const data = Buffer.from('data');
  const archive = writeNewcArchive([
    { name: newcTrailer, mode: 0o120777, data },
    { name: newcTrailer, mode: 0o120777, data: Buffer.alloc(0) },
    { name: newcTrailer, mode: 0o010644, data },
    { name: 'last', mode: 0o100644, data },
    { name: newcTrailer, mode: 0o010644, data: Buffer.alloc(0) },
    { name: 'after', mode: 0o100644, data },
  ]);
  const names = parse(archive, archive.length).entries.map((entry) => JSON.parse(entry)[0]);
  expect(names).toEqual([newcTrailer, newcTrailer, newcTrailer, 'last']);
});
