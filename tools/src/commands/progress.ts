// SPDX-License-Identifier: GPL-2.0-only
import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import { quietly, type Step } from '../host/step.ts';

/** Shows steps on stderr if that is a terminal, so that stdout stays what the command prints. */
export function showProgress(): Step {
  return process.stderr.isTTY ? onTerminal : quietly;
}

const onTerminal: Step = async <T>(title: string, run: () => Promise<T>) => {
  const context: { result?: T } = {};
  const task = async () => {
    context.result = await run();
  };
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });
  await new Listr([{ title, task }], { rendererOptions: { logger, showErrorMessage: false } }).run();
  return context.result as T;
};
