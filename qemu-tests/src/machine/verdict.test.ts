// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { parseVerdict } from './verdict.ts';

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

test('a step that never ended, and no last line', () => {
  const verdict = parseVerdict('{"step":0,"do":"hang","at":1}\n');
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

test('what the agent could not do is a problem', () => {
  expect(parseVerdict('{"step":0,"do":"fly","fail":"the agent knows no such step"}').problems).toEqual([
    'step 0 (fly): the agent knows no such step',
  ]);
});
