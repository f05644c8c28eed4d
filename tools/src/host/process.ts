// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { Failure, tooManyOpen } from './failure.ts';
import { endOnSignal, mark, noRoomIn } from './work.ts';

/** Characters that are kept of a program's standard error. */
const errorLimit = 64 * 1024;

/** Receiver of chunks that may ask for time before the next one. */
export type Take = (chunk: Uint8Array) => void | Promise<void>;

export interface ProcessOptions {
  /** Standard input: chunks, or a file descriptor. Default: none. */
  input?: Iterable<Uint8Array> | number;
  /** Takes standard output, which is dropped otherwise. The next chunk comes when it is done with this one. */
  output?: Take;
  /** File descriptor for standard output. */
  outputDescriptor?: number;
  cwd?: string;
  /** Name of the program in messages, if another program runs it. */
  name?: string;
}

/** Variables that change what a program does or writes: a time for mkfs.erofs, and options for compressors. */
const dropped = new Set([
  'SOURCE_DATE_EPOCH',
  'BZIP',
  'BZIP2',
  'GZIP',
  'LZ4_CLEVEL',
  'LZ4_NBWORKERS',
  'LZOP',
  'XZ_DEFAULTS',
  'XZ_OPT',
  'ZSTD_CLEVEL',
  'ZSTD_NBTHREADS',
]);

/** Environment of all programs: messages in one language, and the same work for every user. */
export function programEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !dropped.has(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', [mark.name]: mark.value };
}

/** Words for a lack of something that the machine has to give. */
const lack =
  /memory|allocat|temporarily unavailable|too many open files|input\/output error|internal error|no space left|quota exceeded/i;

/** Exit code of a shell for a program that it cannot execute. */
const notExecutable = 126;

/** Failure of a program that has run. */
export class ProgramFailure extends Failure {
  /** True if it ended by itself and named no lack of memory or the like, so that its input may be at fault. */
  readonly isRefusal: boolean;

  constructor(problem: string, isRefusal: boolean) {
    super('program', problem);
    this.isRefusal = isRefusal;
  }
}

/** Tells whether a program refused its input or its arguments, and did not fail for another reason. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ProgramFailure && error.isRefusal;
}

/**
 * Runs a program whose input and output are streams, in a process group of its own, without a shell.
 * @throws Failure (program) with the first line of its standard error when it fails, (missing) when it is not installed.
 */
export async function runProcess(
  program: string,
  args: string[],
  options: ProcessOptions = {},
): Promise<void> {
  const { input, output, outputDescriptor, cwd, name = program } = options;
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: programEnvironment(),
    // A group of its own can be killed with all that the program has started.
    detached: true,
    stdio: [
      typeof input === 'number' ? input : input === undefined ? 'ignore' : 'pipe',
      outputDescriptor ?? (output === undefined ? 'ignore' : 'pipe'),
      'pipe',
    ],
  });
  const forget = endOnSignal();
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  // It may fail before anybody waits for it.
  ended.catch(() => {});
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < errorLimit) said += text;
  });
  try {
    await Promise.all([
      child.stdin && input !== undefined && typeof input !== 'number' ? feed(child.stdin, input) : undefined,
      child.stdout && output ? consume(child.stdout, output) : undefined,
    ]);
    const { code, signal } = await ended;
    if (code !== 0) throw processFailure(name, said, code ?? signal ?? 'killed');
  } catch (error) {
    if (child.exitCode === null && child.pid !== undefined) killGroup(child.pid);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (!syscall?.startsWith('spawn')) throw error;
    throw cannotStart(name, code);
  } finally {
    forget();
  }
}

/** Writes chunks to a program. A program that ends early says itself why. */
async function feed(stdin: Writable, chunks: Iterable<Uint8Array>): Promise<void> {
  let closed = false;
  const end = () => {
    closed = true;
  };
  // It rejects for an error, such as EPIPE.
  const close = once(stdin, 'close').then(end, end);
  stdin.on('error', () => {});
  for (const chunk of chunks) {
    if (closed) return;
    // The chunk is used again by the next read, so it is copied.
    if (!stdin.write(Buffer.from(chunk))) await Promise.race([once(stdin, 'drain').catch(() => {}), close]);
  }
  stdin.end();
}

async function consume(stdout: Readable, output: Take): Promise<void> {
  for await (const chunk of stdout) {
    const waiting = output(chunk as Uint8Array);
    if (waiting) await waiting;
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Debian's packages of programs that are not in one of their own name. */
const packages = new Map(
  Object.entries({
    getfattr: 'attr',
    'mkfs.erofs': 'erofs-utils',
    setfattr: 'attr',
    strip: 'binutils',
    xz: 'xz-utils',
  }),
);

/** Makes the failure of a program that is not there. */
export function missing(program: string): Failure {
  const name = packages.get(program);
  const where = name === undefined ? '' : `, on Debian from the package ${name}`;
  return new Failure('missing', `${program} is not installed; install it${where}`);
}

/** Makes the failure of a program that the system did not start. */
export function cannotStart(program: string, code: string | undefined): Failure {
  if (code === 'ENOENT') return missing(program);
  const limit = tooManyOpen[code ?? ''];
  return new Failure('program', `${program} cannot be started${limit ? `: ${limit}` : ` (${code})`}`);
}

/** Describes how a program failed: by the line that names a lack, or else by the first one that it said. */
export function processFailure(program: string, stderr: string, how: number | string): Failure {
  const lines = stderr.trim().split('\n');
  const lacked = lines.find(noRoomIn) ?? lines.find((line) => lack.test(line));
  const said = lacked ?? lines[0] ?? '';
  const library = /error while loading shared libraries: ([^:]+)/.exec(stderr)?.[1];
  if (how === 127 && library !== undefined) {
    const problem = `${program} cannot be started: its library ${library} is missing or damaged; install its package again`;
    return new Failure('missing', problem);
  }
  if (how === 127) return missing(/(\S+): (?:command )?not found/.exec(said)?.[1] ?? program);
  const end = typeof how === 'number' ? `exit code ${how}` : how;
  const silent = typeof how === 'number' ? 'it said nothing' : 'it was killed, as by a lack of memory';
  const problem = `${program} failed (${end}): ${said === '' ? silent : said}`;
  const hasRefused = typeof how === 'number' && how !== notExecutable && lacked === undefined;
  return new ProgramFailure(problem, hasRefused);
}
