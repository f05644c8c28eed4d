// SPDX-License-Identifier: GPL-2.0-only
import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import { quietly, type Step } from '../host/step.ts';
import { onOneLine } from './print.ts';

/** Width of a terminal that does not know its own, such as a serial console: lines would be of one character. */
const usualWidth = 80;

/** Shows steps on stderr if that is a terminal, so that stdout stays what the command prints. */
export function showProgress(): Step {
  if (!process.stderr.isTTY) return quietly;
  if (process.env.TERM === 'dumb') return inLines;
  for (const stream of [process.stdout, process.stderr])
    if (stream.columns === 0) stream.columns = usualWidth;
  return onTerminal;
}

/** Shows steps on a terminal that knows no escape codes, such as that of an editor: a line each. */
const inLines: Step = async (title, run) => {
  process.stderr.write(`${onOneLine(title)}\n`);
  return run();
};

const onTerminal: Step = async <T>(title: string, run: () => Promise<T>) => {
  const context: { result?: T } = {};
  const task = async () => {
    context.result = await run();
  };
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });
  await new Listr([{ title: onOneLine(title), task }], {
    rendererOptions: { logger, showErrorMessage: false },
  }).run();
  return context.result as T;
};
