// SPDX-License-Identifier: GPL-2.0-only
import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import type { Step } from '../host/step.ts';

/** Milliseconds after which a log mentions a step. */
const patience = 3000;

/** Shows steps on stderr, so that stdout stays what the command prints. */
export function showProgress(): Step {
  return process.stderr.isTTY ? onTerminal : inLog;
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

const inLog: Step = async (title, run) => {
  const timer = setTimeout(() => process.stderr.write(`initoverlayfs: ${title} ...\n`), patience);
  try {
    return await run();
  } finally {
    clearTimeout(timer);
  }
};
