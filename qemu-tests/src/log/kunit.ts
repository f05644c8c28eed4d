// SPDX-License-Identifier: GPL-2.0-only
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { type LogRecord, linesOf } from './record.ts';

/** A test of the kernel that has no tests below it. */
export interface KunitCase {
  /** The names from the suite to the case. */
  readonly path: readonly string[];
  readonly status: 'PASS' | 'FAIL' | 'SKIP' | 'ERROR';
}

/** The results of the tests that ran while a kernel booted. */
export interface KunitReport {
  /** The cases in the order of the log, but those of a suite itself before those of its tests. */
  readonly cases: readonly KunitCase[];
  readonly suites: readonly string[];
  /** Lines of kunit.py about a log that is not whole or contradicts itself. */
  readonly errors: readonly string[];
  /** True when kunit.py counts neither failures nor errors. */
  readonly passed: boolean;
  /** The output of kunit.py: each case with the lines of the kernel about it. */
  readonly text: string;
}

interface Group {
  readonly name: string;
  readonly sub_groups: readonly Group[];
  readonly test_cases: readonly { readonly name: string; readonly status: KunitCase['status'] }[];
}

const group: z.ZodType<Group> = z.lazy(() =>
  z.object({
    name: z.string(),
    sub_groups: z.array(group),
    test_cases: z.array(z.object({ name: z.string(), status: z.enum(['PASS', 'FAIL', 'SKIP', 'ERROR']) })),
  }),
);

function casesOf({ test_cases, sub_groups }: Group, around: readonly string[]): KunitCase[] {
  return [
    ...test_cases.map(({ name, status }) => ({ path: [...around, name], status })),
    ...sub_groups.flatMap((inner) => casesOf(inner, [...around, inner.name])),
  ];
}

/**
 * Lines of KTAP and what stands below them, which is indented. Other parts of the kernel print while the tests run
 * (the TSC's calibration after a second), and kunit.py loses a suite when such a line is inside its head.
 */
const ktap = /^\[ *\d+\.\d+\] (\s|KTAP |1\.\.\d|# |ok \d|not ok \d)/;

/**
 * Reads the KTAP in a console log by the kernel's own tools/testing/kunit/kunit.py and leaves its JSON in `json`.
 * Throws an Error when kunit.py does not come to a result.
 *
 * @param source the kernel source that the kernel was built from.
 */
export async function parseKunit(source: string, consoleLog: string, json: string): Promise<KunitReport> {
  await rm(json, { force: true });
  const lines = (await readFile(consoleLog, 'latin1')).split(/\r?\n/);
  const { stdout, stderr } = await execa(
    'python3',
    [join(source, 'tools/testing/kunit/kunit.py'), 'parse', `--json=${json}`],
    {
      input: lines.filter((line) => ktap.test(line)).join('\n'),
      // The source may be somebody's tree, which is only read: no __pycache__.
      env: { PYTHONDONTWRITEBYTECODE: '1' },
      reject: false,
    },
  );
  const text = stdout ?? '';
  const said = await readFile(json, 'utf8').catch((cause: unknown) => {
    throw new Error(`kunit.py of ${source} wrote no ${json}: ${stderr || text}`, { cause });
  });
  const whole = group.parse(JSON.parse(said));
  const counted = /Testing complete\. Ran (\d+) tests?: (.*)$/m.exec(text)?.[2] ?? '';
  return {
    cases: casesOf(whole, []),
    suites: [...whole.sub_groups, ...whole.test_cases].map(({ name }) => name),
    errors: text.split('\n').filter((line) => line.includes('[ERROR]')),
    passed: counted !== '' && !/failed|crashed|errors/.test(counted),
    text,
  };
}

/** Returns the reason that the kernel gave for skipping a case, which kunit.py leaves out. */
export function skipReason(log: readonly LogRecord[], name: string): string {
  const line = linesOf(log, /^ *ok \d+ .* # SKIP/).find((text) => text.includes(` ${name} # SKIP`));
  return line?.split('# SKIP ')[1] ?? 'the kernel gives no reason';
}
