// SPDX-License-Identifier: GPL-2.0-only
import { ExecaError, execa } from 'execa';
import { Failure } from './failure.ts';

/** Limit of the output in bytes. */
const outputLimit = 4 * 1024 ** 3;

/**
 * Runs a program on bytes, without a shell.
 * @param options `input` becomes its standard input; messages call the program `name`.
 * @returns the standard output.
 * @throws Failure (program) with the first line of its standard error when it fails, (missing) when it is not installed.
 */
export async function runProgram(
  program: string,
  args: string[],
  { input, cwd, name = program }: { input?: Uint8Array; cwd?: string; name?: string } = {},
): Promise<Uint8Array> {
  try {
    const { stdout } = await execa(program, args, {
      ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
      ...(cwd === undefined ? {} : { cwd }),
      encoding: 'buffer',
      // execa would remove a last 0x0a from bytes too.
      stripFinalNewline: false,
      maxBuffer: outputLimit,
      // Messages are matched and shown in one language. mkfs.erofs would take times from SOURCE_DATE_EPOCH.
      env: { LC_ALL: 'C', SOURCE_DATE_EPOCH: undefined },
    });
    return stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    throw failureOf(name, error);
  }
}

function failureOf(program: string, error: ExecaError): Failure {
  const stderr =
    typeof error.stderr === 'string'
      ? error.stderr
      : Buffer.from((error.stderr as Uint8Array | undefined) ?? []);
  const said = stderr.toString().trim().split('\n', 1)[0] ?? '';
  if (error.code === 'ENOENT' || error.exitCode === 127) {
    const missing = /(\S+): (?:command )?not found/.exec(said)?.[1] ?? program;
    return new Failure('missing', `${missing} is not installed; install it (make deps has the usual ones)`);
  }
  const how =
    error.exitCode === undefined ? (error.signal ?? error.code ?? 'failed') : `exit code ${error.exitCode}`;
  return new Failure('program', `${program} failed (${how}): ${said === '' ? 'it said nothing' : said}`);
}
