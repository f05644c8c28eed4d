// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { Failure } from './failure.ts';
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

/** Environment of all programs: messages in one language, and no time for mkfs.erofs. */
export function programEnvironment(): NodeJS.ProcessEnv {
  const { SOURCE_DATE_EPOCH: _time, ...rest } = process.env;
  return { ...rest, LC_ALL: 'C', [mark.name]: mark.value };
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
    throw code === 'ENOENT' ? missing(name) : new Failure('program', `${name} cannot be started (${code})`);
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

/** Describes how a program failed: by the line that names a lack of room, or else by the first one that it said. */
export function processFailure(program: string, stderr: string, how: number | string): Failure {
  const lines = stderr.trim().split('\n');
  const said = lines.find(noRoomIn) ?? lines[0] ?? '';
  if (how === 127) return missing(/(\S+): (?:command )?not found/.exec(said)?.[1] ?? program);
  const end = typeof how === 'number' ? `exit code ${how}` : how;
  return new Failure('program', `${program} failed (${end}): ${said === '' ? 'it said nothing' : said}`);
}
