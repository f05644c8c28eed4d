// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../model/schema.ts';
import type { Chart } from './charts/charts.ts';
import { escapeXml } from './charts/picture.ts';
import { heading, key, type Part, type Section, type Table } from './sections/section.ts';
import { sections } from './sections/sections.ts';

const style = `
:root { color-scheme: light; }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: #fff; color: #111; font: 1rem/1.5 "DejaVu Sans", Verdana, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
p, li { max-width: 46rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { caption-side: top; text-align: left; font-size: 1rem; padding-bottom: .4rem; }
th, td { padding: .15rem .7rem; text-align: left; border-bottom: 1px solid #ddd; font-weight: normal; }
thead th { border-bottom: 2px solid #444; font-weight: bold; vertical-align: bottom; }
.number { text-align: right; }
.scroll { overflow-x: auto; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
figcaption { color: #444; font-size: .875rem; }
pre { background: #f3f3f3; padding: .6rem 1rem; overflow-x: auto; }
@media print {
  body { margin: 0; max-width: none; font-size: 9pt; }
  h2 { break-after: avoid; } table, figure, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
}
`;

const isNumber = (cell: string | undefined) => /^[-+\d]/.test(cell ?? '');

function tableHtml({ cells, reportOnly }: Table): string {
  const [head = [], ...rows] = cells;
  // As in the mail: a column of numbers is one whose last cell is one.
  const numeric = (column: number) => (isNumber(cells.at(-1)?.[column]) ? ' class="number"' : '');
  const row = (each: readonly string[]) =>
    `<tr>${each
      .map((cell, column) =>
        column === 0
          ? `<th scope="row"${numeric(column)}>${escapeXml(cell)}</th>`
          : `<td${numeric(column)}>${escapeXml(cell)}</td>`,
      )
      .join('')}</tr>`;
  return [
    '<div class="scroll"><table>',
    ...(reportOnly === undefined ? [] : [`<caption>${escapeXml(reportOnly)}</caption>`]),
    `<thead><tr>${head.map((cell, column) => `<th scope="col"${numeric(column)}>${escapeXml(cell)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.map(row).join('\n')}</tbody>`,
    '</table></div>',
  ].join('\n');
}

function partHtml(part: Part): string {
  if (typeof part === 'string') return `<p>${escapeXml(part)}</p>`;
  if ('list' in part) return `<ul>${part.list.map((each) => `<li>${escapeXml(each)}</li>`).join('\n')}</ul>`;
  if ('verbatim' in part) return `<pre>${part.verbatim.map(escapeXml).join('\n')}</pre>`;
  return tableHtml(part);
}

/** The picture has its description in its own label. */
function chartHtml({ name, svg }: Chart): string {
  return `<figure id="chart-${name}">${svg.replace(/^<\?xml[^>]*>|<!DOCTYPE[^>]*>/g, '')}</figure>`;
}

function sectionHtml({ name, title, parts }: Section, charts: readonly Chart[]): string {
  return [
    `<section id="${name}">`,
    `<h2>${escapeXml(title)}</h2>`,
    ...charts.filter((chart) => chart.name === name).map(chartHtml),
    ...parts.map(partHtml),
    '</section>',
  ].join('\n');
}

/**
 * The results as one file that needs nothing beside itself: what the mail has, with the pictures, and tables for which
 * a mail has no room.
 */
export function html(results: Results, charts: readonly Chart[]): string {
  const all = sections(results);
  const title = heading(results);
  const others = charts.filter((chart) => !all.some(({ name }) => name === chart.name));
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeXml(title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    `<h1>${escapeXml(title)}</h1>`,
    `<p>${escapeXml(key)}</p>`,
    `<nav aria-label="Sections"><ul>${all.map((each) => `<li><a href="#${each.name}">${escapeXml(each.title)}</a></li>`).join('\n')}</ul></nav>`,
    '<main>',
    ...all.map((section) => sectionHtml(section, charts)),
    ...others.map(chartHtml),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
