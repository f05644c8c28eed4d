// SPDX-License-Identifier: GPL-2.0-only
import { linesIn } from './record.ts';

/** A test case without subtests, or one that failed although none of its subtests did. */
export interface KunitCase {
  /** Suite, test, parameter: the names of its result line and of those around it. */
  readonly path: readonly string[];
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What stands behind the directive, such as why it was skipped. */
  readonly comment: string;
  /** What was printed between the result before and this one, trimmed: failed expectations, and other lines of the log. */
  readonly diagnostics: readonly string[];
}

export interface KunitReport {
  /** In the order of the log. */
  readonly cases: readonly KunitCase[];
  /** The names at the top, whole or not. */
  readonly suites: readonly string[];
  /** How the report contradicts itself or is incomplete. With a problem here, passed cases prove nothing. */
  readonly problems: readonly string[];
}

/** The results of one level; `indent` is that of its version line. */
interface Level {
  readonly indent: number;
  plan: number | undefined;
  readonly results: Result[];
}

interface Result {
  readonly name: string;
  readonly outcome: KunitCase['outcome'];
  readonly comment: string;
  readonly diagnostics: readonly string[];
  readonly subtests: readonly Result[];
}

// With CONFIG_PRINTK_CALLER a stamp has the thread or the processor behind it.
const stamp = /^\[ *\d+\.\d+\](\[ *[TC]\d+\])? /;
const version = /^( *)KTAP version \d+$/;
const planLine = /^( *)1\.\.(\d+)$/;
const resultLine = /^( *)(not ok|ok) (\d+)(?: (?:- )?([^#]*))?(?:#\s*(.*))?$/;
const directive = /^SKIP\b\s*(.*)$/i;

/**
 * Reads the KTAP report in a console log, which is what KUnit prints at boot. Lines before and behind it and
 * among it may be anything. Format: Documentation/dev-tools/ktap.rst of Linux.
 */
export function parseKunit(log: string): KunitReport {
  const problems: string[] = [];
  const levels: Level[] = [];
  let top: Level | undefined;
  let pending: string[] = [];

  const close = (level: Level, name: string) => {
    if (level.plan !== undefined && level.plan !== level.results.length) {
      problems.push(`${name}: ${level.plan} planned, ${level.results.length} reported`);
    }
  };

  for (const raw of linesIn(log)) {
    const line = raw.replace(stamp, '').trimEnd();
    const start = version.exec(line);
    if (start !== null) {
      const level: Level = { indent: start[1]?.length ?? 0, plan: undefined, results: [] };
      const outer = levels.at(-1);
      if (outer !== undefined && level.indent <= outer.indent) {
        problems.push(`a version line where the report has not ended: ${raw}`);
        break;
      }
      top ??= level;
      levels.push(level);
      continue;
    }
    if (top === undefined) continue;

    const plan = planLine.exec(line);
    if (plan !== null) {
      const level = levels.at(-1);
      if (level !== undefined && level.indent === plan[1]?.length) level.plan = Number(plan[2]);
      continue;
    }

    const result = resultLine.exec(line);
    if (result === null) {
      if (line.trim() !== '' && !/^ *# Subtest: /.test(line)) pending.push(line.trim());
      continue;
    }
    const [, indent = '', verdict, number, description = '', comment = ''] = result;
    const name = description.trim();
    let inner: Level | undefined;
    for (
      let level = levels.at(-1);
      level !== undefined && level.indent > indent.length;
      level = levels.at(-1)
    ) {
      levels.pop();
      close(level, name);
      if (inner !== undefined) problems.push(`${name}: ends before its subtests do`);
      inner = level;
    }
    const level = levels.at(-1);
    if (level?.indent !== indent.length) {
      problems.push(`a result where no version line was: ${raw}`);
      continue;
    }
    const skip = directive.exec(comment);
    const subtests = inner?.results ?? [];
    level.results.push({
      name,
      outcome: skip !== null ? 'skipped' : verdict === 'ok' ? 'passed' : 'failed',
      comment: skip?.[1] ?? comment,
      diagnostics: pending,
      subtests,
    });
    pending = [];
    if (Number(number) !== level.results.length) {
      problems.push(`${name}: has the number ${number}, is result ${level.results.length}`);
    }
    if (verdict === 'ok' && subtests.some((subtest) => subtest.outcome === 'failed')) {
      problems.push(`${name}: passed, but not its subtests`);
    }
    // The log of the boot goes on behind the last result.
    if (level === top && level.plan === level.results.length) {
      levels.pop();
      break;
    }
  }

  if (top === undefined) problems.push('no report: no line is `KTAP version 1`');
  else if (top.plan === undefined)
    problems.push('the report has no plan, so nothing tells whether it is whole');
  else if (top.plan === 0) problems.push('the plan is of no suites at all');
  if (levels.length > 0) {
    problems.push(`the report ends before its plan does, behind: ${pending.at(-1) ?? 'its last result'}`);
    for (const level of levels) if (level !== top) top?.results.push(...unfinished(level));
  }
  const results = top?.results ?? [];
  return { cases: leaves(results, []), suites: results.map(({ name }) => name), problems };
}

/** A level that never got its own result line still has results to show. */
function unfinished(level: Level): Result[] {
  const nothing = { outcome: 'failed', comment: 'has no result', diagnostics: [] } as const;
  return level.results.length === 0 ? [] : [{ name: '(unfinished)', subtests: level.results, ...nothing }];
}

function leaves(results: readonly Result[], around: readonly string[]): KunitCase[] {
  return results.flatMap(({ name, subtests, ...rest }) => {
    const path = [...around, name];
    const inner = leaves(subtests, path);
    const own =
      subtests.length === 0 ||
      (rest.outcome === 'failed' && inner.every(({ outcome }) => outcome !== 'failed'));
    return own ? [...inner, { path, ...rest }] : inner;
  });
}
