// SPDX-License-Identifier: GPL-2.0-only
import { markdownColumns } from '../columns.ts';
import type { Results } from './results.ts';
import { heading, key, type Part } from './sections/section.ts';
import { sections } from './sections/sections.ts';

/** What a mail has room for. */
export const mailColumns = 80;

/** Words in lines of at most `width`; `first` begins the first line, as many blanks the others. */
function fill(text: string, first = '', width = mailColumns - 2): string {
  const indent = ' '.repeat(first.length);
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(/\s+/)) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      [line, empty] = [indent, true];
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].map((each) => `${each.trimEnd()}\n`).join('');
}

function partText(part: Part): string {
  if (typeof part === 'string') return fill(part);
  if ('list' in part) return part.list.map((sentence) => fill(sentence, '- ')).join('');
  if ('verbatim' in part) return part.verbatim.map((line) => `    ${line}\n`).join('');
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
