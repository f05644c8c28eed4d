// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { digestOfProfile, formatProfile, parseProfile, profileOf } from './profile.ts';

const parse = (text: string) => parseProfile(Buffer.from(text, 'latin1'));

test('a profile is sorted, has each path once, and no comments', () => {
  expect(parse('# made by hand\n/usr/b\nusr/a\n\n./init\n/usr//b\n')).toEqual(['/init', '/usr/a', '/usr/b']);
});

test('line ends of other systems are no part of a path', () => {
  expect(parse('# made by hand\r\n/usr/b\r\n\r\n/usr/a\r\n')).toEqual(['/usr/a', '/usr/b']);
});

test('every name comes back from its text', () => {
  const profile = profileOf(['/a\nb', '/back\\slash', '/\\x41', '/\xff\xfe', '/ space ', '/#', '/tab\t\x7f']);
  const text = formatProfile(profile);
  expect(Buffer.from(text).toString('latin1').split('\n')).toHaveLength(profile.length + 1);
  expect(parseProfile(text)).toEqual(profile);
});

test.each([
  ['a NUL', '/a\0b', 2],
  ['a carriage return', '/ok\n/a\rb\r\n', 6],
  ['a lone backslash', '/a\\b', 2],
])('%s in a path is refused, with its offset', (_, text, offset) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ kind: 'input', offset }));
});

test('the digest depends on the paths alone', () => {
  expect(digestOfProfile(parse('/b\n#\n/a'))).toBe(digestOfProfile(profileOf(['/a', '/b'])));
  expect(digestOfProfile(profileOf(['/a']))).not.toBe(digestOfProfile(profileOf(['/b'])));
});
