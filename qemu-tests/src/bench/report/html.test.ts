// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { inventedResults } from '../model/fixture.ts';
import type { Chart } from './charts/charts.ts';
import { html } from './html.ts';
import { sections } from './sections/sections.ts';

const results = inventedResults({ sizes: [25, 100], uses: [0, 100] });
const picture = (name: string): Chart => ({
  name,
  title: name,
  svg: `<svg role="img" aria-label="${name}"></svg>`,
  png: new Uint8Array(),
});
const pictures = ['size', 'use', 'memory', 'systems', 'storage', 'smallest'].map(picture);
const page = html(results, pictures);

test('needs nothing beside itself', () => {
  expect(page.match(/https?:|<script|<link|\ssrc=|@import|url\(|href="[^#]/g)).toBeNull();
  expect(page).toMatch(/^<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">/);
  expect(page).toContain('@media print');
});

test('every picture once, in the section that it belongs to', () => {
  for (const { name, svg } of pictures) {
    const [, section = ''] = page.split(`<section id="${name}">`);
    expect(page.split(svg), name).toHaveLength(2);
    expect(section.split('</section>')[0], name).toContain(svg);
  }
  expect(html(results, [picture('another')])).toContain('aria-label="another"');
});

test('every cell of every table, with headings for who listens to it', () => {
  const tables = sections(results).flatMap(({ parts }) =>
    parts.flatMap((part) => (typeof part === 'object' && 'cells' in part ? [part] : [])),
  );
  expect(page.match(/<table>/g)).toHaveLength(tables.length);
  expect(page.match(/<caption>/g)).toHaveLength(
    tables.filter(({ reportOnly }) => reportOnly !== undefined).length,
  );
  const cells = [...page.matchAll(/<t[hd][^>]*>([^<]*)<\/t[hd]>/g)].map(([, cell]) => cell);
  expect(cells).toEqual(
    tables.flatMap((table) => table.cells.flat().map((cell) => cell.replaceAll("'", '&#39;'))),
  );
  expect(page.match(/<th scope="col"/g)).toHaveLength(
    tables.reduce((sum, { cells: [head = []] }) => sum + head.length, 0),
  );
});

test('numbers to the right', () => {
  expect(page).toContain('<th scope="row">kernel, lz4hc 4K</th><td class="number">');
  expect(page).not.toContain('<td>0.');
});

test('the environment, the command, and text that is no markup', () => {
  const odd = html({ ...results, environment: { ...results.environment, qemu: '<b>&"' } }, []);
  expect(odd).toContain('QEMU: &#60;b&#62;&#38;&#34;');
  expect(odd).not.toContain('<b>');
  expect(page).toContain('<pre>make bench</pre>');
  expect(page).toContain(results.environment.configSha256.patched);
});
