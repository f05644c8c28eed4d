// SPDX-License-Identifier: GPL-2.0-only
import { Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2';

/**
 * Lets a task fail with the first line of its error, the rest being its cause: every level of tasks prints the
 * message again.
 */
export function briefly(list: ListrTask[]): ListrTask[] {
  return list.map((each) => ({
    ...each,
    task: async (context, task) => {
      try {
        return await each.task(context, task);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new Error(message.split('\n')[0], { cause: error });
      }
    },
  }));
}

/** Shows tasks on stderr as they go, by a line each when that is no terminal; stdout stays clean. */
export function tasks(list: ListrTask[]): Listr {
  const logger = new ListrLogger({
    useIcons: true,
    processOutput: new ProcessOutput(process.stderr, process.stderr),
  });
  const timer = {
    condition: true,
    field: (milliseconds: number) => `${(milliseconds / 1000).toFixed(0)} s`,
    format: () => (text: string | undefined) => text ?? '',
  };
  return new Listr(briefly(list), {
    renderer: process.stderr.isTTY ? 'default' : 'verbose',
    // Chosen by listr2 when stdout is no terminal, whatever stderr is.
    fallbackRenderer: 'verbose',
    rendererOptions: { logger, timer, collapseSubtasks: false, showErrorMessage: false },
    fallbackRendererOptions: { logger, timer },
  }) as Listr;
}
