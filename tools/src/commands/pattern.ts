// SPDX-License-Identifier: GPL-2.0-only
import { byteString, displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';

/** Tells whether a path is meant: one that matches, or one below a directory that does. */
export type Matcher = (path: string) => boolean;

/** Pattern of a shell for paths. */
export interface Pattern {
  /** The pattern as the user wrote it. */
  text: string;
  matches: Matcher;
}

/**
 * Makes a matcher of a pattern of a shell: `*`, `?` and `[...]` match within a name, `**` matches any number of
 * directories, and a backslash takes the meaning from the next character. A slash at the start is ignored. A path as
 * `list` shows it matches, too: `system-systemd\x2dcryptsetup.slice` is a name, and `\xff` stands for a byte.
 * @throws Failure (usage) when a range such as `[z-a]` has no characters.
 */
export function makePattern(text: string): Pattern {
  const bytes = byteString(text)
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '');
  const tokens = bytes.match(/\*\*\/?|\*|\?|\[!?\]?[^\]/]*\]|\\?[\s\S]/g) ?? [];
  let expression: RegExp;
  try {
    expression = new RegExp(`^${bodyOf(tokens)}(?:/|$)`, 's');
  } catch {
    throw new Failure('usage', `${text} has a range that ends before it starts; turn it round`);
  }
  const isAll = bytes === '' || bytes === '.';
  const shown = `${displayName(bytes)}/`;
  const isSame: Matcher = (path) => `${displayName(path)}/`.startsWith(shown);
  return { text, matches: (path) => isAll || expression.test(path) || isSame(path) };
}

/**
 * Translates a pattern. A star that another one follows takes as little as it can, and never more, since the other one
 * takes the rest; two with a slash take whole names, so they are no such other one. Else each would be tried with each
 * length of the others, and a name of 255 bytes takes minutes.
 */
function bodyOf(tokens: string[]): string {
  let body = '';
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    const next = tokens.findIndex((each, index) => index > at && /^(?:\*|\\?\/$)/.test(each));
    if (token === '*' && (tokens[next] === '*' || tokens[next] === '**')) {
      const between = tokens
        .slice(at + 1, next)
        .map(translate)
        .join('');
      body += `(?=(?<star${at}>[^/]*?${between}))\\k<star${at}>`;
      at = next - 1;
    } else body += translate(token);
  }
  return body;
}

function translate(token: string): string {
  if (token === '**/') return '(?:.*/)?';
  if (token === '**') return '.*';
  if (token === '*') return '[^/]*';
  if (token === '?') return '[^/]';
  if (token.length > 2 && token.startsWith('[') && token.endsWith(']')) {
    const isNegated = token[1] === '!';
    const inside = token.slice(isNegated ? 2 : 1, -1).replace(/[\\\]^[]/g, '\\$&');
    return `[${isNegated ? '^/' : ''}${inside}]`;
  }
  return (token.length > 1 ? token.slice(1) : token).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
