// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { kernelSource } from '../host/kernels.ts';
import { parseKunit, skipReason } from './kunit.ts';
import { parseLog } from './record.ts';

const folder = mkdtempSync(join(tmpdir(), 'initoverlayfs-kunit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const whole = `
Linux version 6.12
KTAP version 1
1..2
    KTAP version 1
    # Subtest: first
    1..3
        KTAP version 1
        # Subtest: runs
        ok 1 one NUL
    # runs: EXPECTATION FAILED at init/a.c:12
        not ok 2 two NULs
        ok 3 lzma # SKIP not in this kernel
    # runs: pass:1 fail:1 skip:1 total:3
    not ok 1 runs
    ok 2 plain
    ok 3 skipped # SKIP
not ok 1 first
    KTAP version 1
    # Subtest: second
    1..1
    ok 1 only
ok 2 second
Run /init as init process
`;
const console = whole.trim().replaceAll(/^/gm, '[    1.234567] ');

async function report(log: string) {
  const file = join(folder, 'console.log');
  writeFileSync(file, log);
  return parseKunit(await kernelSource(), file, join(folder, 'kunit.json'));
}

test('lines of other parts of the kernel between those of a report change nothing', async () => {
  const alone = await report(console);
  const among = await report(
    console.replaceAll('\n', '\n[    1.234568] tsc: Refined TSC clocksource calibration: 2596.115 MHz\n'),
  );
  expect(among.cases).toEqual(alone.cases);
  expect(among.errors).toEqual([]);
});

test("kunit.py of the kernel's source reads cases, suites and what the kernel said", async () => {
  const { cases, suites, errors, passed, text } = await report(console);
  expect(cases.map(({ path, status }) => [path.join(' › '), status])).toEqual([
    ['first › plain', 'PASS'],
    ['first › skipped', 'SKIP'],
    ['first › runs › one NUL', 'PASS'],
    ['first › runs › two NULs', 'FAIL'],
    ['first › runs › lzma', 'SKIP'],
    ['second › only', 'PASS'],
  ]);
  expect(suites).toEqual(['first', 'second']);
  expect(errors).toEqual([]);
  expect(passed).toBe(false);
  expect(text).toContain('EXPECTATION FAILED at init/a.c:12');
  expect(skipReason(parseLog(console), 'lzma')).toBe('not in this kernel');
});

test('a report without a failure has passed', async () => {
  const { passed } = await report(console.replaceAll('not ok', 'ok').replace(/^.*EXPECTATION.*\n/m, ''));
  expect(passed).toBe(true);
});

test.each([
  ['a kernel that panics in the middle of it', console.replace(/ {5}ok 2 plain[\s\S]*/, 'Kernel panic')],
  ['a result that is missing', console.replace(/^.* ok 3 skipped.*\n/m, '')],
  ['a kernel without tests', '[    0.1] Run /init as init process'],
])('a report that is not whole has not passed: %s', async (_, log) => {
  const { errors, passed } = await report(log);
  expect(errors.length).toBeGreaterThan(0);
  expect(passed).toBe(false);
});
