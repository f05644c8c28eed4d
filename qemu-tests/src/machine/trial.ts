// SPDX-License-Identifier: GPL-2.0-only
import { linesIn } from '../log/record.ts';
import type { Outcome } from './outcome.ts';
import type { Step } from './steps.ts';
import type { Results, StepResult } from './verdict.ts';
import { type Boot, Vm, type VmOptions } from './vm.ts';

/** A boot that failed or did not satisfy the test. The message has the facts with which a person can go on. */
export class BootFailure extends Error {
  readonly outcome: Outcome;

  constructor(name: string, outcome: Outcome, boot: Boot, command: string, cause?: unknown) {
    const tail = linesIn(boot.console)
      .filter((line) => line !== '')
      .slice(-25);
    super(
      [
        `${name}: ${outcome.kind}: ${outcome.reason}`,
        '--- end of the console log',
        ...tail,
        `--- artefacts: ${boot.artefacts}`,
        `--- to repeat: ${command}`,
      ].join('\n'),
      { cause },
    );
    this.name = 'BootFailure';
    this.outcome = outcome;
  }
}

/** A boot that passed, with the result of the test's look at it. */
export interface Judged<Steps extends readonly StepResult[], T> extends Boot<Steps> {
  readonly found: T;
}

/** The machine to boot, with the type of its script, which decides the types of the rows. */
type Options<Script extends readonly Step[]> = Omit<VmOptions, 'steps'> & {
  readonly steps?: Script | undefined;
};

/**
 * Boots a machine with a script, lets the test look at the verdict, and returns the boot with the result of the look.
 * Throws a BootFailure when the boot did not pass, when a step failed that may not, or when the look, or `drive`, threw.
 */
export function trial<const Script extends readonly Step[]>(
  options: Options<Script>,
): Promise<Boot<Results<Script>>>;
export function trial<const Script extends readonly Step[], T>(
  options: Options<Script>,
  look: (boot: Boot<Results<Script>>) => T | Promise<T>,
  drive?: (vm: Vm) => Promise<void>,
): Promise<Judged<Results<Script>, T>>;
export async function trial<const Script extends readonly Step[], T>(
  options: Options<Script>,
  look?: (boot: Boot<Results<Script>>) => T | Promise<T>,
  drive: (vm: Vm) => Promise<void> = async () => {},
): Promise<Boot<Results<Script>> | Judged<Results<Script>, T>> {
  const vm = Vm.start(options);
  const trouble = await drive(vm).then(
    () => undefined,
    (cause: unknown) => {
      vm.kill();
      return { cause };
    },
  );
  const boot = await vm.wait();
  const failure = (outcome: Outcome, cause?: unknown) =>
    new BootFailure(options.name, outcome, boot, vm.keepInputs(), cause);

  // After a panic the console could not show the text that `drive` waited for.
  if (trouble !== undefined && boot.outcome.kind !== 'panicked') {
    throw failure({ kind: 'failed', reason: String(trouble.cause) }, trouble.cause);
  }
  if (boot.outcome.kind !== 'passed') throw failure(boot.outcome, trouble?.cause);
  const { mayFail = [] } = options;
  for (const [index, { name, error }] of boot.verdict.steps.entries()) {
    if (error === undefined || mayFail.some((step) => step === name)) continue;
    throw failure({ kind: 'failed', reason: `step ${index} (${name}): ${error}` });
  }
  // A verdict that passed has every step of the script, and rows that fit the steps.
  const passed = boot as Boot<Results<Script>>;
  if (look === undefined) return passed;
  try {
    return { ...passed, found: await look(passed) };
  } catch (error) {
    throw failure({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) }, error);
  }
}
