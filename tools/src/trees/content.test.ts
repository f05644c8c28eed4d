// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { bytesOf, inMemory, textsIn } from './content.ts';

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
