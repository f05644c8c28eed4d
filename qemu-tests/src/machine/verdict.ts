// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';

/** One fact of a step, as the agent wrote it. Text is Latin-1: a character is a byte. */
export type Row = Readonly<Record<string, string | number | boolean>>;

/** What one step of the script came to. */
export interface StepResult {
  readonly name: string;
  readonly rows: readonly Row[];
  /** The errno's name when the step failed, undefined when it worked or never ended. */
  readonly error: string | undefined;
  readonly ended: boolean;
}

/** All that the agent said. */
export interface Verdict {
  readonly steps: readonly StepResult[];
  /** The mandatory last line was there. */
  readonly done: boolean;
  /** Lines in which the agent says that the script is wrong, or that are no JSON. */
  readonly problems: readonly string[];
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const line = z.union([
  z.strictObject({ done: z.literal(true) }),
  z.looseObject({ step: z.number().int().nonnegative(), do: z.string() }).catchall(scalar),
]);

/** Reads the agent's JSON lines. A line that is no such thing becomes a problem, not an exception. */
export function parseVerdict(text: string): Verdict {
  const steps: { name: string; rows: Row[]; error: string | undefined; ended: boolean }[] = [];
  const problems: string[] = [];
  let done = false;

  for (const [index, raw] of text.split('\n').entries()) {
    if (raw === '') continue;
    const parsed = line.safeParse(parseJson(raw));
    if (!parsed.success) {
      problems.push(`verdict line ${index + 1} is not one of the agent's: ${raw.slice(0, 200)}`);
      continue;
    }
    if ('done' in parsed.data) {
      done = true;
      continue;
    }
    const { step, do: name, ...row } = parsed.data as { step: number; do: string } & Row;
    steps[step] ??= { name, rows: [], error: undefined, ended: false };
    const result = steps[step];
    if ('fail' in row) problems.push(`step ${step} (${name}): ${row.fail}`);
    else if ('ok' in row) {
      result.ended = true;
      if (row.ok !== true) result.error = String(row.error);
    } else result.rows.push(row as Row);
  }
  return { steps, done, problems };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
