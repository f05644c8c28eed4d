// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { lineAt, parseShell, textOf } from './shell.ts';

/** Returns the commands of a script, each as its words, with `$` for what is expanded. */
function commandsOf(text: string): string[] | undefined {
  return parseShell(text)?.map(({ words }) => words.map((word) => textOf(word) ?? '$').join(' '));
}

test.each<[string, string, string[]]>([
  ['lists', 'a && b | c; d & e', ['a', 'b', 'c', 'd', 'e']],
  ['comments', 'a # b\n#c; d\ne#f', ['a', 'e#f']],
  ['quotes', `'a b' "c d" e\\ f "" 'g'"h"`, ['a b c d e f  gh']],
  ['lines that go on', 'a \\\n  b', ['a b']],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: expansions of a shell
  ['expansions', 'a $b ${c:-"}"} "${d#\'}\'}" $((1 + (2))) "$e/f"', ['a $ $ $ $ $']],
  ['substitutions', 'a "$(b c; d)" `e`', ['a $ $', 'b c', 'd']],
  ['reserved words', 'if a; then ! b; else c; fi; while d; do e; done', ['a', 'b', 'c', 'd', 'e']],
  ['groups', '{ a; }; (b); ((c > 1)); [[ d =~ ^(e|f)$ && g ]] || h', ['a', 'b', 'h']],
  ['functions', 'a() { b; }\nfunction c {\nd\n}\ne () (f)', ['b', 'd', 'f']],
  ['cases', 'case "$a" in (b|c) d;; e*) f ;; *) case g in h) i; esac;; esac; j', ['d', 'f', 'i', 'j']],
  ['redirections', '2>&1 a >b 3<c <<<d &>e f >&2', ['a f']],
  ['assignments', 'A=b c d=e\nF=g', ['c d=e', '']],
  ['arrays', 'a=(b c)\ndeclare d=(e)', ['', 'b c', 'declare d=', 'e']],
  ['here-documents', "a <<B; c\nd\nB\ne <<-'F'\n\tg\n\tF\nh", ['a', 'c', 'e', 'h']],
])('a script is read: %s', (_, text, expected) => {
  expect(commandsOf(text)).toEqual(expected);
});

test.each([
  "it's a sentence",
  'a )',
  'echo "',
  'case a in',
  '{ a',
  'name (of) it',
  'a ;; b',
  '('.repeat(100_000),
  '${a-'.repeat(60_000),
])('a text that is no script is not read: %.20s', (text) => {
  expect(parseShell(text)).toBeUndefined();
});

test('a command has its function, its files and its here-documents', () => {
  const text = 'a() {\n\tcat >"/b" <<C\nd $e\nC\n}\n';
  const [command] = parseShell(text) ?? [];
  expect(command).toMatchObject({
    inFunction: 'a',
    isSubstitution: false,
    outputs: [{ parts: [{ kind: 'text', text: '/b' }] }],
    documents: [{ text: 'd $e\n', start: text.indexOf('d $e') }],
  });
  expect(lineAt(text, command?.documents[0]?.start ?? 0)).toBe(3);
});

test('an assignment and a variable have their parts', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: expansions of a shell
  const [first, second] = parseShell('A="$B c"\n${D:-e f}') ?? [];
  expect(first?.assignments).toEqual([
    {
      name: 'A',
      value: [
        { kind: 'variable', name: 'B' },
        { kind: 'text', text: ' c' },
      ],
    },
  ]);
  expect(second?.words[0]?.parts).toEqual([{ kind: 'variable', name: 'D', fallback: 'e f' }]);
});
