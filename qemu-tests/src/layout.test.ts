// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** The folders from which the files of each folder may import, apart from their own. Tests may import from any of these. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  host: [],
  log: [],
  machine: ['host', 'log'],
  images: ['host'],
  debian: ['host', 'log', 'machine', 'images'],
  expect: ['host', 'log', 'machine', 'images', 'debian'],
  series: ['host', 'log', 'machine', 'images', 'debian', 'expect'],
  'storage-init': ['host', 'log', 'machine', 'images', 'debian', 'expect'],
  fuzz: ['host', 'log', 'machine', 'images'],
  integration: ['host', 'log', 'machine', 'images', 'debian'],
  bench: ['host', 'log', 'machine', 'images', 'debian'],
};

/** Returns the folders of src/ that a file imports from. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/from '(?:\.\.\/)+([a-z-]+)\/[^']*'/g)].map(([, folder = '']) => folder);
}

test('each folder has its place in the list', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((one) =>
    one.isDirectory(),
  );
  expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(allowed).sort());
});

test.each(Object.entries(allowed))('%s imports only from the folders below it', (folder, below) => {
  const root = join(import.meta.dirname, folder);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const wrong = files.flatMap((name) => {
    const isTest = /\.(test|slow|debug)\.ts$/.test(name);
    const reachable = isTest
      ? [...below, ...Object.keys(allowed).filter((other) => other !== 'bench')]
      : below;
    return importsOf(readFileSync(join(root, name), 'utf8'))
      .filter((other) => other in allowed && other !== folder && !reachable.includes(other))
      .map((other) => `${folder}/${name} imports from ${other}/`);
  });
  expect(files.length).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
});
