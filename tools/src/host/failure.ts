// SPDX-License-Identifier: GPL-2.0-only

/** Exit codes of the command line, documented in tools/README.md. */
export const exitCode = {
  ok: 0,
  /** A fault of the program itself. */
  internal: 1,
  usage: 2,
  input: 3,
  output: 4,
  program: 5,
  missing: 5,
  /** The work is done, and the answer is no: an initrd does not boot in place, or two trees differ. */
  answer: 6,
} as const;

/** Kinds of failure, each with an exit code. `program`: another program failed; `missing`: it is not installed. */
export type FailureKind = 'usage' | 'input' | 'output' | 'program' | 'missing';

/**
 * Failure that the user can do something about, printed as one line: `FILE: offset 0x…: problem; what to do`. Any
 * other exception is a fault of this program.
 */
export class Failure extends Error {
  readonly kind: FailureKind;
  /** The file at fault, as the user named it. Code that works on bytes leaves it to its caller. */
  readonly file: string | undefined;
  /** Bytes from the start of the file. */
  readonly offset: number | undefined;
  readonly problem: string;

  constructor(
    kind: FailureKind,
    problem: string,
    where: { file?: string | undefined; offset?: number | undefined } = {},
  ) {
    const place = [
      ...(where.file === undefined ? [] : [where.file]),
      ...(where.offset === undefined ? [] : [`offset 0x${where.offset.toString(16)}`]),
    ];
    super([...place, problem].join(': '));
    this.name = 'Failure';
    this.kind = kind;
    this.file = where.file;
    this.offset = where.offset;
    this.problem = problem;
  }

  /** Returns the same failure with the name of the file. */
  in(file: string): Failure {
    return this.file === undefined
      ? new Failure(this.kind, this.problem, { file, offset: this.offset })
      : this;
  }
}

/** Problems of a system call with a limit of open files, which is none of the file or folder that it was for. */
export const tooManyOpen: Record<string, string> = {
  EMFILE: 'too many files are open; raise the limit with ulimit -n',
  ENFILE: 'too many files are open on this machine; raise fs.file-max with sysctl',
};

/** Returns an error that came up while a file was read; a failure that names no file gets the name of this one. */
export function inFile(error: unknown, file: string): unknown {
  return error instanceof Failure ? error.in(file) : error;
}
