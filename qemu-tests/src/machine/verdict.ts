// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { type AnyRow, isStepName, type Row, type Step, type StepName, steps as specs } from './steps.ts';

/** The result of one step of the script. */
export interface StepResult {
  readonly name: string;
  readonly rows: readonly AnyRow[];
  /** The errno's name when the step failed, undefined when it worked or never ended. */
  readonly error: string | undefined;
  readonly ended: boolean;
}

/** The result of a step whose name is known, with typed rows. */
export interface ResultOf<Name extends StepName> extends StepResult {
  readonly name: Name;
  readonly rows: readonly Row<Name>[];
}

/** The results of a script, step by step. Each is typed if the compiler knows the script. */
export type Results<Script extends readonly Step[]> = number extends Script['length']
  ? readonly StepResult[]
  : { readonly [Index in keyof Script]: ResultOf<Script[Index][0]> };

/** The report of the agent. */
export interface Verdict<Steps extends readonly StepResult[] = readonly StepResult[]> {
  readonly steps: Steps;
  /** True when the mandatory last line was there. */
  readonly done: boolean;
  /** Faults of the script, and lines that are none of the agent's. */
  readonly problems: readonly string[];
}

/** Returns the results of all steps with this name, in turn. */
export function resultsOf<Name extends StepName>({ steps }: Verdict, name: Name): ResultOf<Name>[] {
  return steps.filter((step): step is ResultOf<Name> => step.name === name);
}

/** Returns the rows of all steps with this name. */
export function rowsOf<Name extends StepName>(verdict: Verdict, name: Name): Row<Name>[] {
  return resultsOf(verdict, name).flatMap(({ rows }) => rows);
}

const lastLine = z.strictObject({ done: z.literal(true) });
const stepLine = z
  .object({ step: z.number().int().nonnegative(), do: z.string() })
  .catchall(z.union([z.string(), z.number(), z.boolean()]));

/**
 * Reads the agent's JSON lines and checks each row against the step's schema. Any other line becomes a problem, not
 * an exception. So does a step of the script that is missing although the agent has come to its end.
 */
export function parseVerdict(text: string, script?: readonly Step[]): Verdict {
  const steps: { name: string; rows: AnyRow[]; error: string | undefined; ended: boolean }[] = [];
  const problems: string[] = [];
  let done = false;

  for (const [index, raw] of text.split('\n').entries()) {
    if (raw === '') continue;
    const json = parseJson(raw);
    if (lastLine.safeParse(json).success) {
      done = true;
      continue;
    }
    const parsed = stepLine.safeParse(json);
    if (!parsed.success) {
      problems.push(`verdict line ${index + 1} is not one of the agent's: ${raw.slice(0, 200)}`);
      continue;
    }
    const { step, do: name, ...row } = parsed.data;
    steps[step] ??= { name, rows: [], error: undefined, ended: false };
    const result = steps[step];
    if ('fail' in row) problems.push(`step ${step} (${name}): ${row.fail}`);
    else if ('ok' in row) {
      result.ended = true;
      if (row.ok !== true) result.error = String(row.error);
    } else {
      const wrong = isStepName(name) ? specs[name].row.safeParse(row).error : undefined;
      if (wrong !== undefined) {
        problems.push(
          `verdict line ${index + 1} is no row of ${name}: ${z.prettifyError(wrong)}: ${raw.slice(0, 200)}`,
        );
      }
      result.rows.push(row);
    }
  }
  const missing = done ? (script ?? []).findIndex(([name], index) => !isDone(steps[index], name)) : -1;
  if (missing >= 0 && problems.length === 0) {
    problems.push(`step ${missing} (${script?.[missing]?.[0]}): the agent has not reported its end`);
  }
  return { steps, done, problems };
}

function isDone(result: StepResult | undefined, name: string): boolean {
  return result?.name === name && result.ended;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
