// SPDX-License-Identifier: GPL-2.0-only
import { consoleLines } from '../log/console.ts';
import type { Outcome } from './outcome.ts';
import { type Boot, Vm, type VmOptions } from './vm.ts';

/** A boot that did not come to what the test wanted, with all that a person needs to go on. */
export class BootFailure extends Error {
  readonly outcome: Outcome;

  constructor(name: string, outcome: Outcome, boot: Boot, command: string, cause?: unknown) {
    const tail = consoleLines(boot.console)
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

/**
 * Boots a machine with a script and lets the test look at what came back. Throws a BootFailure when the boot
 * did not pass or the test's own look at it failed.
 */
export async function trial(
  options: VmOptions,
  look: (boot: Boot) => void | Promise<void> = () => {},
  drive: (vm: Vm) => Promise<void> = async () => {},
): Promise<Boot> {
  const vm = Vm.start(options);
  let cause: unknown;
  await drive(vm).catch((error: unknown) => {
    cause = error;
    vm.kill();
  });
  const boot = await vm.wait();
  let outcome = boot.outcome;
  if (cause !== undefined) {
    // A kernel that panicked is why the console did not show what was waited for.
    if (outcome.kind !== 'panicked') outcome = { kind: 'failed', reason: String(cause) };
  } else if (outcome.kind === 'passed') {
    try {
      await look(boot);
    } catch (error) {
      cause = error;
      outcome = { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  }
  if (outcome.kind !== 'passed') {
    throw new BootFailure(options.name, outcome, boot, vm.keepInputs(), cause);
  }
  return boot;
}
