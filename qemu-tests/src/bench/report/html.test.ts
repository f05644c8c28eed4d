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

/** Returns the text that HTML shows. */
const shown = (cell: string) =>
  cell.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&');

test('every cell of every table is there, those that a mail leaves out as well', () => {
  const tables = sections(results).flatMap(({ parts }) =>
    parts.flatMap((part) => (typeof part === 'object' && 'cells' in part ? [part] : [])),
  );
  expect(page.match(/<table>/g)).toHaveLength(tables.length);
  for (const { reportOnly } of tables)
    if (reportOnly) expect(page.replaceAll('\n', ' ')).toContain(reportOnly);
  const cells = [...page.matchAll(/<t[hd][^>]*>([^<]*)<\/t[hd]>/g)].map(([, cell = '']) => shown(cell));
  expect(cells).toEqual(tables.flatMap((table) => table.cells.flat()));
});

test('numbers to the right', () => {
  expect(page).toMatch(/<td>kernel, lz4hc 4K<\/td>\s*<td align="right">/);
  expect(page).not.toContain('<td>0.');
});

test('the environment, the command, and text that is no markup', () => {
  const odd = html({ ...results, environment: { ...results.environment, qemu: '<b>&"' } }, []);
  expect(odd).toContain('QEMU: &#60;b&#62;&amp;&quot;');
  expect(odd).not.toContain('<b>');
  expect(page).toMatch(/<pre><code>make bench\s*<\/code><\/pre>/);
  expect(page).toContain(results.environment.configSha256.patched);
});
