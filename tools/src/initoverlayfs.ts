#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
import { CommanderError } from '@commander-js/extra-typings';
import { makeProgram } from './commands/program.ts';
import { exitCode, Failure } from './host/failure.ts';
import { removeEverything } from './host/work.ts';

// The reader of the messages has gone, as in `initoverlayfs inspect initrd | head`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    removeEverything();
    process.exit(exitCode.output);
  });
}

try {
  await makeProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Prints one line for a failure that the user can change, and the stack for a fault of the program. */
function report(error: unknown): number {
  if (error instanceof Failure) {
    process.stderr.write(`initoverlayfs: ${error.message}\n`);
    return exitCode[error.kind];
  }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCode.ok;
    // Without a command, the help says it all.
    if (error.code === 'commander.help') return exitCode.usage;
    process.stderr.write(
      `initoverlayfs: ${error.message.replace(/^error: /, '')}; see initoverlayfs --help\n`,
    );
    return exitCode.usage;
  }
  process.stderr.write(
    `initoverlayfs: internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return exitCode.internal;
}
