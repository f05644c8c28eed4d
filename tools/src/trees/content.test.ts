// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withWork } from '../host/work.ts';
import { bytesOf, digestOf, inFolder, inMemory, textsIn } from './content.ts';

test.each([
  ['a temporary file', true, 'output', tmpdir()],
  ['a file of the user', false, 'input', join(tmpdir(), 'none')],
])('a content in %s that cannot be read is a failure of that', (_, temporary, kind, file) => {
  const content = { path: join(tmpdir(), 'none'), size: 1, temporary };
  for (const read of [bytesOf, digestOf])
    expect(() => read(content)).toThrow(expect.objectContaining({ kind, file }));
});

test('a file of the user that can be opened, and then not be read, is named', () => {
  const content = { path: '/', size: 1, temporary: false };
  const problem = 'is a directory; name a file';
  expect(() => digestOf(content)).toThrow(expect.objectContaining({ kind: 'input', file: '/', problem }));
});

test('a content without an end leaves no file open', async () => {
  const count = () => readdirSync('/proc/self/fd').length;
  const before = count();
  await withWork(async (work) => {
    const make = inFolder(work.folder, work);
    make(4).write(Buffer.from('data'));
    const whole = make(4);
    whole.write(Buffer.from('data'));
    whole.end();
  });
  expect(count()).toBe(before);
});

test('a content in memory keeps a hole at its end, and one after it', () => {
  const size = 5 * 2 ** 20;
  const start = Buffer.from('start');
  const ends = inMemory(size);
  ends.write(start);
  ends.skip(size - start.length);
  expect(Buffer.compare(bytesOf(ends.end()), Buffer.alloc(size, start.toString().padEnd(size, '\0')))).toBe(
    0,
  );

  const goes = inMemory(size);
  goes.skip(size - start.length);
  goes.write(start);
  expect(Buffer.compare(bytesOf(goes.end()).subarray(-start.length), start)).toBe(0);
});

test('a content whose chunks are valid until the next only is read whole', () => {
  const chunk = Buffer.alloc(1);
  function* parts() {
    for (const text of 'abc') {
      chunk.write(text);
      yield chunk;
    }
  }
  expect(Buffer.from(bytesOf({ size: 3, parts })).toString()).toBe('abc');
});

test('texts are found across the chunks of a content', () => {
  const parts = () => ['..not ra', 'm', 'fs..', '\xffbad'].map((text) => Buffer.from(text, 'latin1'));
  const found = textsIn({ size: 17, parts }, ['not ramfs', 'fs..\xff', 'bad newroot', 'm']);
  expect([...found].sort()).toEqual(['fs..\xff', 'm', 'not ramfs']);
});
