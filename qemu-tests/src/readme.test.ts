// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { steps } from './machine/steps.ts';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

/** Returns the keys of the rows of a step, in the order of its schema. */
function keysOf(row: z.ZodType): string[] {
  const { anyOf = [], properties = {} } = z.toJSONSchema(row);
  const all = [properties, ...anyOf.map((one) => (typeof one === 'object' ? (one.properties ?? {}) : {}))];
  return [...new Set(all.flatMap((each) => Object.keys(each)))];
}

test('the README lists the steps of the agent as steps.ts has them', () => {
  const rows = Object.entries(steps).map(([name, { words, does, row }]) => {
    const rest = words === '' ? '' : words.startsWith('[') ? `[,${words.slice(1)}` : `,${words}`;
    const keys = keysOf(row).map((key) => `\`${key}\``);
    return `| \`${name}${rest}\` | ${does} | ${keys.join(' ')} |`;
  });
  expect(readme.split('\n').filter((line) => /^\| `[a-z0-9]+[,[`].*\|.*\|.*\|$/.test(line))).toEqual(rows);
});

test('the test that the README shows is one that runs', () => {
  const example = readFileSync(join(import.meta.dirname, 'series/example.test.ts'), 'utf8');
  const shown = /```ts\n(.*?)```/s.exec(readme)?.[1];
  expect(shown).toBe(example.replace('// The test that qemu-tests/README.md shows.\n\n', ''));
});
