// SPDX-License-Identifier: GPL-2.0-only

// What a text says was measured, against what was recorded. Of a table, every row has to be a row of a recorded one,
// with columns left out at most. Of a sentence, every number with a decimal point and every integer with a unit has to
// be in some record, digit for digit: rounding it once more makes another figure of it.

/** A phrase with figures that nobody measured. White space in it may be any in the text. */
export interface Allowed {
  readonly phrase: string;
  readonly reason: string;
}

/** What is not in the records, and the line that it is in, from 1. */
export interface Unrecorded {
  readonly line: number;
  readonly quoted: string;
}

/** Where a figure is still to be put in. */
export const openPlace = '@@';

const unit = String.raw`(?:%|(?:ns|us|ms|s|min|seconds?|minutes?|hours?|B|[kMG]B|[KMG]iB|passed|failed)\b)`;
const number = String.raw`-?\d+(?:\.\d+)?`;
/** Not in a word or in a longer number: GPL-2.0 is a name, 6.12.117 a version. */
const [from, to] = [String.raw`(?<![\w.]|[A-Za-z]-)`, String.raw`(?!\w|\.\d)`];
/** `5 to 10 s`, `92/84 MiB`: the unit counts for all of them. */
const chain = String.raw`${number}(?:\s*(?:to|and|or|\.\.|/|,)\s*[-+]?${number})*`;

const figure = new RegExp(String.raw`${from}(?:${chain}\s*${unit}|-?\d+\.\d+${to})`, 'g');
const numbers = new RegExp(String.raw`${from}${number}(?!\.?\d)`, 'g');
/** A path or a URL has no figures. */
const address = /(?<![\w.])[A-Za-z][\w.-]*\/\S*/g;
const numericCell = new RegExp(String.raw`^[-+]?\d+(?:\.\d+)?(?:\s*${unit})?(?: \*)?$`);

const lineAt = (text: string, index: number) => text.slice(0, index).split('\n').length;
const blank = (found: string) => found.replace(/\S/g, ' ');

function pattern({ phrase }: Allowed): RegExp {
  const words = phrase.split(/\s+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(words.join('\\s+'), 'g');
}

/** The cells of a line of a table, which are two or more, at most the first of them without a number; else none. */
export function cellsOf(line: string): string[] {
  const cells = line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/\s*\|\s*|\s{2,}/)
    .map((cell) => cell.trim())
    .filter((cell) => cell !== '');
  return cells.length > 1 && cells.slice(1).some((cell) => numericCell.test(cell)) ? cells : [];
}

/** Whether the cells are among those of the row, in their order. */
function within(cells: readonly string[], row: readonly string[]): boolean {
  let next = 0;
  for (const cell of row) if (cell === cells[next]) next += 1;
  return next === cells.length;
}

/** The numbers of a phrase, each with its sign. */
function numbersOf(text: string): string[] {
  return (text.match(numbers) ?? []).map(String);
}

/** What the text quotes that is in none of the records. */
export function unrecorded(
  text: string,
  records: readonly string[],
  allowed: readonly Allowed[] = [],
): Unrecorded[] {
  const rows = records
    .flatMap((record) => record.split('\n').map(cellsOf))
    .filter(({ length }) => length > 0);
  const known = new Set(records.flatMap(numbersOf));
  const missing: Unrecorded[] = [];

  // What has been looked at becomes blanks, so that a place stays what it is.
  let sentences = '';
  for (const [index, line] of text.split('\n').entries()) {
    const cells = cellsOf(line);
    sentences += `${cells.length > 0 ? blank(line) : line}\n`;
    if (cells.length > 0 && !rows.some((row) => within(cells, row)))
      missing.push({ line: index + 1, quoted: line.trim() });
  }
  for (const each of allowed) sentences = sentences.replace(pattern(each), blank);
  sentences = sentences.replace(address, blank);

  for (const { 0: quoted, index } of sentences.matchAll(figure))
    if (!numbersOf(quoted).every((each) => known.has(each)))
      missing.push({ line: lineAt(sentences, index), quoted: quoted.replace(/\s+/g, ' ') });
  return missing.sort((a, b) => a.line - b.line);
}

/** The phrases that the text does not have, so that nobody need allow them. */
export function unused(text: string, allowed: readonly Allowed[]): string[] {
  return allowed.filter((each) => !pattern(each).test(text)).map(({ phrase }) => phrase);
}

/** The lines with places for figures. */
export function openLines(text: string): number[] {
  return text.split('\n').flatMap((line, index) => (line.includes(openPlace) ? [index + 1] : []));
}
