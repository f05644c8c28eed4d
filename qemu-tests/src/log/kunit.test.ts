// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { parseKunit } from './kunit.ts';

/** As on a serial console. */
function console(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `[    1.234567] ${line}\r\n`)
    .join('');
}

const whole = `
Linux version 6.12
KTAP version 1
1..2
    KTAP version 1
    # Subtest: first
    # module: first
    1..3
        KTAP version 1
        # Subtest: runs
        ok 1 one NUL
    # runs: EXPECTATION FAILED at init/a.c:12
    Expected seg.type == 1, but
        seg.type == 2 (0x2)
        not ok 2 two NULs
  1..9
        ok 3 lzma # SKIP not in this kernel
    # runs: pass:1 fail:1 skip:1 total:3
    not ok 1 runs
Freeing initrd memory: 4K
    ok 2 plain
    ok 3 skipped # SKIP
# first: pass:1 fail:1 skip:1 total:3
# Totals: pass:2 fail:1 skip:2 total:5
not ok 1 first
    KTAP version 1
    # Subtest: second
    1..1
    ok 1 only
ok 2 second
Run /init as init process
ok 3 this is somebody else's
`;

test('each parameter, test and suite is found, with what was said of it', () => {
  const { cases, suites, problems } = parseKunit(console(whole));
  expect(problems).toEqual([]);
  expect(suites).toEqual(['first', 'second']);
  expect(cases.map(({ path, outcome, comment }) => [path.join(' › '), outcome, comment])).toEqual([
    ['first › runs › one NUL', 'passed', ''],
    ['first › runs › two NULs', 'failed', ''],
    ['first › runs › lzma', 'skipped', 'not in this kernel'],
    ['first › plain', 'passed', ''],
    ['first › skipped', 'skipped', ''],
    ['second › only', 'passed', ''],
  ]);
  expect(cases[0]?.diagnostics).toEqual(['# module: first']);
  expect(cases[1]?.diagnostics).toEqual([
    '# runs: EXPECTATION FAILED at init/a.c:12',
    'Expected seg.type == 1, but',
    'seg.type == 2 (0x2)',
  ]);
  expect(cases[3]?.diagnostics).toEqual(['Freeing initrd memory: 4K']);
});

test('the example of the format’s own document', () => {
  const { cases, problems } = parseKunit(`KTAP version 1
1..1
  KTAP version 1
  1..3
    KTAP version 1
    1..1
    # test_1: initializing test_1
    ok 1 test_1
  ok 1 example_test_1
    KTAP version 1
    1..2
    ok 1 test_1 # SKIP test_1 skipped
    ok 2 test_2
  ok 2 example_test_2
    KTAP version 1
    1..3
    ok 1 test_1
    # test_2: FAIL
    not ok 2 test_2
    ok 3 test_3 # SKIP test_3 skipped
  not ok 3 example_test_3
not ok 1 main_test
`);
  expect(problems).toEqual([]);
  expect(cases.map(({ path, outcome }) => `${path.slice(1).join('/')} ${outcome}`)).toEqual([
    'example_test_1/test_1 passed',
    'example_test_2/test_1 skipped',
    'example_test_2/test_2 passed',
    'example_test_3/test_1 passed',
    'example_test_3/test_2 failed',
    'example_test_3/test_3 skipped',
  ]);
  expect(cases[4]?.diagnostics).toEqual(['# test_2: FAIL']);
});

test('a suite that fails by itself is a case', () => {
  const { cases, problems } = parseKunit(
    console('KTAP version 1\n1..1\n    # failed to initialize (-12)\nnot ok 1 suite'),
  );
  expect(problems).toEqual([]);
  expect(cases).toEqual([
    { path: ['suite'], outcome: 'failed', comment: '', diagnostics: ['# failed to initialize (-12)'] },
  ]);
});

test('a test that fails though its subtests passed is a case beside them', () => {
  const text =
    'KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\nnot ok 1 suite # TIMEOUT 300 seconds';
  expect(parseKunit(console(text)).cases).toMatchObject([
    { path: ['suite', 'a'], outcome: 'passed' },
    { path: ['suite'], outcome: 'failed', comment: 'TIMEOUT 300 seconds' },
  ]);
});

test('the kernel names the thread, with CONFIG_PRINTK_CALLER', () => {
  const text = '[    0.1][    T1] KTAP version 1\n[    0.1][    T1] 1..1\n[    0.2][    T1] ok 1 suite\n';
  expect(parseKunit(text)).toMatchObject({ suites: ['suite'], problems: [] });
});

test.each([
  ['no report at all', 'Run /init as init process', 'no report'],
  ['KUnit switched off', 'kunit: disabled', 'no report'],
  ['no suite', 'KTAP version 1\n1..0', 'no suites'],
  ['no plan', 'KTAP version 1\nok 1 suite', 'no plan'],
  ['a suite short of the plan', 'KTAP version 1\n1..2\nok 1 suite', 'ends before its plan does'],
  [
    'a panic in the middle',
    whole.replace(/ {4}ok 2 plain[\s\S]*/, 'Kernel panic - not syncing'),
    'Kernel panic',
  ],
  [
    'a result short of the plan',
    whole.replace('    ok 3 skipped # SKIP\n', ''),
    'first: 3 planned, 2 reported',
  ],
  [
    'a test without a result',
    'KTAP version 1\n1..1\n  KTAP version 1\n    KTAP version 1\n    ok 1 a\nok 1 suite',
    'before its subtests',
  ],
  [
    'a result twice',
    whole.replace('    ok 1 only\n', '    ok 1 only\n    ok 1 only\n'),
    'has the number 1, is result 2',
  ],
  [
    'a wrong number',
    whole.replace('    ok 2 plain', '    ok 7 plain'),
    'plain: has the number 7, is result 2',
  ],
  [
    'a failure that is forgotten',
    whole.replace('not ok 1 runs', 'ok 1 runs'),
    'runs: passed, but not its subtests',
  ],
  ['a suite without its head', 'KTAP version 1\n1..1\n    ok 1 a\nok 1 suite', 'where no version line was'],
  ['another report in it', 'KTAP version 1\n1..2\nok 1 suite\nKTAP version 1', 'has not ended'],
])('%s is a problem', (_, text, problem) => {
  expect(parseKunit(console(text)).problems.join('\n')).toContain(problem);
});

test('what a broken off report has is still shown', () => {
  const text = console(whole.replace(/ {4}ok 2 plain[\s\S]*/, ''));
  expect(parseKunit(text).cases.filter(({ outcome }) => outcome === 'failed')).toMatchObject([
    { path: ['(unfinished)', 'runs', 'two NULs'] },
  ]);
});
