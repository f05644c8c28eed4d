// SPDX-License-Identifier: GPL-2.0-only
import { array, assert, constantFrom, property } from 'fast-check';
import { expect, test } from 'vitest';
import { displayName } from '../codecs/bytes.ts';
import { makePattern } from './pattern.ts';

/** Matches by trying everything that a star may stand for. */
function matches(pattern: string, path: string): boolean {
  if (pattern === '') return path === '' || path.startsWith('/');
  const rest = (count: number) => pattern.slice(count);
  if (pattern.startsWith('**/') && matches(rest(3), path)) return true;
  if (pattern.startsWith('**/'))
    return [...path].some((c, at) => c === '/' && matches(rest(3), path.slice(at + 1)));
  const isAny = pattern.startsWith('**');
  if (pattern.startsWith('*')) {
    const name = isAny ? path : (path.split('/')[0] as string);
    return Array.from({ length: name.length + 1 }, (_, at) => path.slice(at)).some((left) =>
      matches(rest(isAny ? 2 : 1), left),
    );
  }
  const isSame = path !== '' && (pattern[0] === path[0] || (pattern[0] === '?' && path[0] !== '/'));
  return isSame && matches(rest(1), path.slice(1));
}

test('a pattern matches what it would if each star were tried with each length', () => {
  const text = (...parts: string[]) => array(constantFrom(...parts), { maxLength: 8 });
  const patterns = text('*', '**', '/', 'a', 'b', '?', '**/');
  const check = property(patterns, text('a', 'b', '/', 'c'), (words, letters) => {
    // A slash at an end is ignored, and three stars are two and one.
    const pattern = `a${words.join('')}a`;
    const path = `a${letters.join('')}`;
    expect([pattern, path, makePattern(pattern).matches(path)]).toEqual([
      pattern,
      path,
      matches(pattern, path),
    ]);
  });
  assert(check, { numRuns: 5000 });
});

test.each(['system-systemd\\x2dcryptsetup.slice', 'usr/bin/[', 'a[b]'])(
  'the path %s is a pattern for itself and what is below it, as a list has it',
  (path) => {
    const { matches } = makePattern(path);
    expect([path, `${path}/below`, `${path}x`].map(matches)).toEqual([true, true, false]);
  },
);

test.each(['a\x01b', 'caf\xe9', 'a\\x\n', 'gr\xc3\xbcn'])(
  'the path %j is matched by what a list shows of it',
  (path) => {
    const { matches } = makePattern(displayName(path));
    expect([path, `${path}/below`, `${path}x`].map(matches)).toEqual([true, true, false]);
  },
);

test('a pattern with many stars takes no time on a name of 255 bytes', () => {
  const { matches } = makePattern('*-*-*-*-*-*.ko');
  const start = performance.now();
  for (let round = 0; round < 100; round++) expect(matches('-'.repeat(255))).toBe(false);
  expect(matches(`${'-'.repeat(252)}.ko`)).toBe(true);
  expect(performance.now() - start).toBeLessThan(1000);
});
