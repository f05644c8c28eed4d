// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { parseVerdict, resultsOf, rowsOf } from './verdict.ts';

test('rows are gathered by step', () => {
  const verdict = parseVerdict(
    [
      '{"step":0,"do":"pid1","arg":"/init"}',
      '{"step":0,"do":"pid1","env":"HOME=/"}',
      '{"step":0,"do":"pid1","ok":true}',
      '{"step":1,"do":"write","ok":false,"error":"EROFS"}',
      '{"done":true}',
      '',
    ].join('\n'),
  );
  expect(verdict).toEqual({
    steps: [
      { name: 'pid1', rows: [{ arg: '/init' }, { env: 'HOME=/' }], error: undefined, ended: true },
      { name: 'write', rows: [], error: 'EROFS', ended: true },
    ],
    done: true,
    problems: [],
  });
});

test('a step that never ended and a missing last line are seen', () => {
  const verdict = parseVerdict('{"step":0,"do":"cat","line":"1"}\n', [['cat', '/x']]);
  expect(verdict.problems).toEqual([]);
  expect(verdict.steps[0]?.ended).toBe(false);
  expect(verdict.done).toBe(false);
});

test('bytes of a name come as Latin-1', () => {
  const verdict = parseVerdict('{"step":0,"do":"walk","path":"/\\u00ff\\"\\u000a"}\n');
  expect(verdict.steps[0]?.rows).toEqual([{ path: '/\u00ff"\n' }]);
});

test.each([
  'garbage',
  '{"done":false}',
  '{"step":"1","do":"x"}',
  '[]',
  '{"step":0,"do":"x","deep":{}}',
  '{"step":0',
])('a line that is no row is a problem: %s', (line) => {
  expect(parseVerdict(`${line}\n{"done":true}\n`).problems).toEqual([
    `verdict line 1 is not one of the agent's: ${line}`,
  ]);
});

test('a step that the agent does not know is a problem', () => {
  expect(parseVerdict('{"step":0,"do":"fly","fail":"the agent knows no such step"}').problems).toEqual([
    'step 0 (fly): the agent knows no such step',
  ]);
});

test.each([
  ['{"step":0,"do":"statfs","type":"1021994"}', /^verdict line 1 is no row of statfs: .*readonly/s],
  ['{"step":0,"do":"cat","lines":"x"}', /^verdict line 1 is no row of cat: .*lines/s],
  ['{"step":0,"do":"chmod","mode":1}', /^verdict line 1 is no row of chmod: /],
  ['{"step":0,"do":"walk","path":"/","sise":1}', /^verdict line 1 is no row of walk: /],
])('a row that the step does not have is a problem: %s', (line, problem) => {
  expect(parseVerdict(line).problems).toEqual([expect.stringMatching(problem)]);
});

test('extended attributes are keys of a walk', () => {
  expect(parseVerdict('{"step":0,"do":"walk","path":"/","xattr.user.a":"b"}').problems).toEqual([]);
});

test.each([
  ['never began', ''],
  ['never ended', '{"step":1,"do":"cat","line":"x"}'],
  ['is another one', '{"step":1,"do":"sleep","ok":true}'],
])('a step that %s is a problem once the agent has come to its end', (_, line) => {
  const text = `{"step":0,"do":"sleep","ok":true}\n${line}\n`;
  const script = [
    ['sleep', 1],
    ['cat', '/x'],
  ] as const;
  expect(parseVerdict(text, script).problems).toEqual([]);
  expect(parseVerdict(`${text}{"done":true}\n`, script).problems).toEqual([
    'step 1 (cat): the agent has not reported its end',
  ]);
});

test('results and rows are found by the name of their step', () => {
  const verdict = parseVerdict(
    [
      '{"step":0,"do":"cat","line":"a"}',
      '{"step":0,"do":"cat","ok":true}',
      '{"step":1,"do":"sleep","ok":true}',
      '{"step":2,"do":"cat","line":"b"}',
      '{"step":2,"do":"cat","ok":false,"error":"EIO"}',
    ].join('\n'),
  );
  expect(resultsOf(verdict, 'cat').map(({ error }) => error)).toEqual([undefined, 'EIO']);
  expect(rowsOf(verdict, 'cat')).toEqual([{ line: 'a' }, { line: 'b' }]);
});
