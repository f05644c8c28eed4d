// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { type Evidence, judge } from './outcome.ts';
import { parseVerdict } from './verdict.ts';

const good: Evidence = {
  console: '[    0.1] Run /init as init process\n',
  verdict: parseVerdict('{"step":0,"do":"pid1","ok":true}\n{"done":true}\n'),
  timedOutAfter: undefined,
  status: 0,
};
const fault = '[    0.2] BUG: Bad page state in process agent  pfn:01234\n';

test.each<[string, Partial<Evidence>, ReturnType<typeof judge>]>([
  ['all well', {}, { kind: 'passed', reason: '1 steps reported' }],
  [
    'no agent in the machine',
    { verdict: undefined },
    { kind: 'passed', reason: 'the machine ended by itself' },
  ],
  ['a fault outweighs a good verdict', { console: fault }, { kind: 'panicked', reason: fault.trim() }],
  [
    'a fault that the test wanted',
    { console: fault, provoked: /Bad page state in process agent/ },
    { kind: 'passed', reason: '1 steps reported' },
  ],
  [
    'a fault other than the one that the test wanted',
    { console: fault, provoked: /Bad page map/ },
    { kind: 'panicked', reason: fault.trim() },
  ],
  [
    'a fault is why the time ran out',
    { console: fault, timedOutAfter: 9, status: undefined },
    { kind: 'panicked', reason: fault.trim() },
  ],
  [
    'time ran out',
    { timedOutAfter: 9, status: undefined },
    { kind: 'timed out', reason: 'still running after 9 s' },
  ],
  ['QEMU failed', { status: 1 }, { kind: 'infrastructure', reason: 'QEMU ended with status 1' }],
  [
    'QEMU was killed',
    { status: undefined },
    { kind: 'infrastructure', reason: 'QEMU ended with status unknown' },
  ],
  [
    'no last line',
    { verdict: parseVerdict('{"step":0,"do":"pid1","ok":true}\n') },
    { kind: 'infrastructure', reason: 'no verdict: the agent never wrote its last line' },
  ],
  [
    'a wrong script',
    { verdict: parseVerdict('{"step":0,"do":"fly","fail":"no"}\n{"done":true}\n') },
    { kind: 'failed', reason: 'step 0 (fly): no' },
  ],
])('a boot is judged: %s', (_name, difference, outcome) => {
  expect(judge({ ...good, ...difference })).toEqual(outcome);
});
