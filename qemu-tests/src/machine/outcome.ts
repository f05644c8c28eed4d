// SPDX-License-Identifier: GPL-2.0-only
import { kernelFault } from '../log/console.ts';
import type { Verdict } from './verdict.ts';

/**
 * The end of a boot. `panicked` is every fault that the kernel reported of itself, survived or not; `infrastructure`
 * is everything that says nothing about the kernel.
 */
export type OutcomeKind = 'passed' | 'failed' | 'panicked' | 'timed out' | 'infrastructure' | 'skipped';

export interface Outcome {
  readonly kind: OutcomeKind;
  /** One line about the boot. */
  readonly reason: string;
}

/** The facts that are known when a VM has ended. */
export interface Evidence {
  readonly console: string;
  /** undefined for a boot without an agent. */
  readonly verdict: Verdict | undefined;
  /** The limit that was passed, in seconds. */
  readonly timedOutAfter: number | undefined;
  /** QEMU's exit status; undefined when it was killed. */
  readonly status: number | undefined;
  /** The lines of the fault that the test brings about itself. */
  readonly provoked?: RegExp | undefined;
}

/** Judges a boot before the test has its look at the report of the agent. */
export function judge(evidence: Evidence): Outcome {
  const { console, verdict, timedOutAfter, status, provoked } = evidence;
  const fault = kernelFault(console, provoked);
  if (fault !== undefined) return { kind: 'panicked', reason: fault };
  if (timedOutAfter !== undefined) {
    return { kind: 'timed out', reason: `still running after ${timedOutAfter} s` };
  }
  if (status !== 0) {
    return { kind: 'infrastructure', reason: `QEMU ended with status ${status ?? 'unknown'}` };
  }
  if (verdict === undefined) return { kind: 'passed', reason: 'the machine ended by itself' };
  const problem = verdict.problems[0];
  if (problem !== undefined) return { kind: 'failed', reason: problem };
  if (!verdict.done) {
    return { kind: 'infrastructure', reason: 'no verdict: the agent never wrote its last line' };
  }
  return { kind: 'passed', reason: `${verdict.steps.length} steps reported` };
}
