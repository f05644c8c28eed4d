// SPDX-License-Identifier: GPL-2.0-only
import { Marked } from 'marked';
import type { Results } from '../model/schema.ts';
import type { Chart } from './charts/charts.ts';
import { escapeXml } from './charts/picture.ts';
import { fill, sectionText } from './markdown.ts';
import { heading, key, type Section } from './sections/section.ts';
import { sections } from './sections/sections.ts';

const style = `
:root { color-scheme: light; }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: #fff; color: #111; font: 1rem/1.5 "DejaVu Sans", Verdana, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
p, li { max-width: 46rem; overflow-wrap: anywhere; }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1rem 0; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem; text-align: left; border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #444; vertical-align: bottom; }
[align=right] { text-align: right; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
pre { background: #f3f3f3; padding: .6rem 1rem; overflow-x: auto; }
@media print {
  body { margin: 0; max-width: none; font-size: 9pt; }
  h2 { break-after: avoid; } table, figure, tr { break-inside: avoid; }
}
`;

/** Text is text: none of it is markup of its own. */
const marked = new Marked({ renderer: { html: ({ text }) => escapeXml(text) } });

const toHtml = (text: string) => marked.parse(text, { async: false });

/** The picture has its description in its own label. */
function chartHtml({ name, svg }: Chart): string {
  return `<figure id="chart-${name}">${svg.replace(/^<\?xml[^>]*>|<!DOCTYPE[^>]*>/g, '')}</figure>`;
}

function sectionHtml(section: Section, charts: readonly Chart[]): string {
  const [title = '', ...rest] = sectionText(section, true).split('\n');
  const own = charts.filter(({ name }) => name === section.name).map(chartHtml);
  return `<section id="${section.name}">\n${[toHtml(title), ...own, toHtml(rest.join('\n'))].join('')}</section>`;
}

/**
 * Returns the results as one file that needs nothing beside itself: the text of the mail with the pictures, and tables
 * for which a mail has no room.
 */
export function html(results: Results, charts: readonly Chart[]): string {
  const all = sections(results);
  const title = escapeXml(heading(results));
  const others = charts.filter((chart) => !all.some(({ name }) => name === chart.name));
  const links = all.map((each) => `- [${each.title}](#${each.name})\n`).join('');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<h1>${title}</h1>
${toHtml(fill(key))}<nav aria-label="Sections">
${toHtml(links)}</nav>
<main>
${[...all.map((section) => sectionHtml(section, charts)), ...others.map(chartHtml)].join('\n')}
</main>
</body>
</html>
`;
}
