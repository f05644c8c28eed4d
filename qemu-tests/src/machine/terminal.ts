// SPDX-License-Identifier: GPL-2.0-only
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { IPty } from 'node-pty';

/**
 * The shell command around the program. node-pty drops output that is still under way when the process ends. So a
 * shell outlives the program, prints an unguessable mark together with the exit status, and waits for a line: by then
 * all output has been read.
 */
const wrapper = 'mark=$1; shift; "$@"; printf "\\n%s %d\\n" "$mark" $?; read -r _';

/** A program on a pseudo terminal. */
export class Terminal {
  /** Resolves with the exit status when the program has ended and all its output is in `output`. */
  readonly ended: Promise<number | undefined>;
  readonly #pty: IPty;
  readonly #mark = randomUUID();
  readonly #watchers = new Set<() => void>();
  #output = '';
  #status: number | undefined;
  #over = false;

  constructor(argv: readonly string[], cwd: string) {
    // Loaded here, so that a description of a boot can be imported without the native module.
    const { spawn } = createRequire(import.meta.url)('node-pty') as typeof import('node-pty');
    this.#pty = spawn('/bin/sh', ['-c', wrapper, 'sh', this.#mark, ...argv], {
      cwd,
      cols: 200,
      rows: 50,
      name: 'dumb',
    });
    this.ended = new Promise((resolve) => {
      this.#pty.onData((data) => {
        // After the mark there is only the echo of the line that ends the shell.
        if (this.#status !== undefined) return;
        this.#output += data;
        this.#findMark();
        this.#notify();
      });
      this.#pty.onExit(() => {
        this.#over = true;
        this.#notify();
        resolve(this.#status);
      });
    });
  }

  /** The output of the program so far. */
  get output(): string {
    return this.#output;
  }

  get over(): boolean {
    return this.#over;
  }

  send(text: string): void {
    this.#pty.write(text);
  }

  /** Calls back whenever there is more output, and when it is over. Returns a function that stops that. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** Waits until the output has the pattern. Throws an Error with the output when the program, or the time, is over. */
  async shows(pattern: RegExp, seconds: number): Promise<void> {
    const timer = setTimeout(() => this.kill(), seconds * 1000);
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!pattern.test(this.#output) && !this.#over && this.#status === undefined) return;
        unwatch();
        resolve();
      };
      const unwatch = this.watch(look);
      look();
    });
    clearTimeout(timer);
    if (!pattern.test(this.#output)) throw new Error(`ended without ${pattern}:\n${this.#output}`);
  }

  /** Ends the shell and the program: they are one process group. */
  kill(): void {
    if (this.#over) return;
    // Right after the fork there is no group yet, only the process that is to lead it.
    for (const target of [-this.#pty.pid, this.#pty.pid]) {
      try {
        process.kill(target, 'SIGKILL');
        return;
      } catch {
        // No such group, or gone between the check and the call.
      }
    }
  }

  #findMark(): void {
    const at = this.#output.indexOf(`${this.#mark} `);
    const end = at < 0 ? -1 : this.#output.indexOf('\n', at);
    if (end < 0) return;
    this.#status = Number.parseInt(this.#output.slice(at + this.#mark.length + 1, end), 10);
    this.#output = this.#output.slice(0, at).replace(/\r?\n$/, '');
    this.#pty.write('\n');
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
