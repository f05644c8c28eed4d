#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
import { setFlagsFromString } from 'node:v8';
import { CommanderError } from '@commander-js/extra-typings';
import { onOneLine } from './commands/print.ts';
import { makeProgram } from './commands/program.ts';
import { commandArguments } from './host/arguments.ts';
import { exitCode, Failure } from './host/failure.ts';
import { ReaderGone, unwritable } from './host/output.ts';
import { removeEverything } from './host/work.ts';

// Before it looks for garbage, the heap may grow to several times what is in use. A third more is enough, and costs no
// measurable time.
setFlagsFromString('--heap-growing-percent=30');

/** Exit code of a program that SIGPIPE ends: the reader has gone, as in `initoverlayfs list initrd | head`. */
const readerGone = 141;

for (const [name, stream] of [
  ['standard output', process.stdout],
  ['standard error', process.stderr],
] as const) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    removeEverything();
    if (error.code === 'EPIPE') process.exit(readerGone);
    if (stream === process.stdout) report(unwritable(name, error));
    process.exit(exitCode.output);
  });
}

try {
  await makeProgram().parseAsync(commandArguments());
} catch (error) {
  process.exitCode = report(error);
}

/** Prints one line for a failure that the user can change, and the stack for a fault of the program. */
function report(error: unknown): number {
  if (error instanceof ReaderGone) return readerGone;
  if (error instanceof Failure) {
    process.stderr.write(`initoverlayfs: ${onOneLine(error.message)}\n`);
    return exitCode[error.kind];
  }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCode.ok;
    // Without a command, the help says it all.
    if (error.code === 'commander.help') return exitCode.usage;
    const problem = error.message
      .replace(/^error: /, '')
      .replace(/\.$/, '')
      .replace('\n(Did', ' (Did');
    process.stderr.write(`initoverlayfs: ${onOneLine(problem)}; see initoverlayfs --help\n`);
    return exitCode.usage;
  }
  process.stderr.write(
    `initoverlayfs: internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return exitCode.internal;
}
