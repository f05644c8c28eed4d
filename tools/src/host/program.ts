// SPDX-License-Identifier: GPL-2.0-only
import { runProcess } from './process.ts';

/**
 * Runs a program on bytes in memory, without a shell.
 * @param options `input` becomes its standard input; messages call the program `name`.
 * @returns the standard output.
 * @throws Failure (program) with the first line of its standard error when it fails, (missing) when it is not installed.
 */
export async function runProgram(
  program: string,
  args: string[],
  { input, ...options }: { input?: Uint8Array; cwd?: string; name?: string } = {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await runProcess(program, args, {
    ...options,
    ...(input === undefined ? {} : { input: [input] }),
    output: (chunk) => void chunks.push(chunk),
  });
  return Buffer.concat(chunks);
}
