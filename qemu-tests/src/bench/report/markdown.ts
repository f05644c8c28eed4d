// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../model/schema.ts';
import { markdownColumns } from './columns.ts';
import { heading, key, type Part } from './sections/section.ts';
import { sections } from './sections/sections.ts';

/** What a mail has room for. */
export const mailColumns = 80;

/** Words in lines that fit; `first` begins the first line, as many blanks the others. `broken` ends all but the last. */
function fill(text: string, first = '', broken = ''): string {
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

function partText(part: Part): string {
  if (typeof part === 'string') return fill(part);
  if ('list' in part) return part.list.map((sentence) => fill(sentence, '- ')).join('');
  if ('verbatim' in part) return part.verbatim.map((line) => fill(line, '    ', ' \\')).join('');
  return part.reportOnly === undefined ? markdownColumns(part.cells) : '';
}

/**
 * The results as text for a plain-text mail: at most 80 columns, tables of Markdown that read well as they are, and
 * sentences computed from the rows. Experiments without rows are left out.
 */
export function markdown(results: Results): string {
  const body = sections(results).map(
    ({ title, parts }) =>
      `## ${title}\n\n${parts
        .map(partText)
        .filter((text) => text !== '')
        .join('\n')}`,
  );
  return [`# ${heading(results)}\n`, fill(key), ...body].join('\n');
}
