// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../model/schema.ts';
import { markdownColumns } from './columns.ts';
import { heading, key, type Part, type Section } from './sections/section.ts';
import { sections } from './sections/sections.ts';

/** The width of a mail. */
export const mailColumns = 80;

/** Returns words in lines that fit; `first` begins the first line, as many blanks the others. `broken` ends all but the last. */
export function fill(text: string, first = '', broken = ''): string {
  const width = mailColumns - 2 - broken.length;
  const room = width - first.length;
  // What is longer than a line is cut.
  const words = text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${room}}`, 'g')) ?? []);
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  const indent = ' '.repeat(first.length);
  return lines
    .map((line, index) => `${index === 0 ? first : indent}${line}${index < lines.length - 1 ? broken : ''}\n`)
    .join('');
}

function partText(part: Part, wide: boolean): string {
  if (typeof part === 'string') return fill(part);
  if ('list' in part) return part.list.map((sentence) => fill(sentence, '- ')).join('');
  if ('verbatim' in part) return part.verbatim.map((line) => fill(line, '    ', ' \\')).join('');
  if (part.reportOnly === undefined) return markdownColumns(part.cells);
  return wide ? `${fill(part.reportOnly)}\n${markdownColumns(part.cells)}` : '';
}

/** Returns a section as text; `wide`: with the tables that only the report has room for. */
export function sectionText({ title, parts }: Section, wide = false): string {
  const texts = parts.map((part) => partText(part, wide)).filter((text) => text !== '');
  return `## ${title}\n\n${texts.join('\n')}`;
}

/**
 * Returns the results as text for a plain-text mail: at most 80 columns, and tables of Markdown that read well as they
 * are. Experiments without rows are left out.
 */
export function markdown(results: Results): string {
  const body = sections(results).map((section) => sectionText(section));
  return [`# ${heading(results)}\n`, fill(key), ...body].join('\n');
}
