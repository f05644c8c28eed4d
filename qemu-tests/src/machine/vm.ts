// SPDX-License-Identifier: GPL-2.0-only
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { artefactsRoot } from '../host/artefacts.ts';
import { scaled } from '../host/variant.ts';
import { type LogRecord, parseLog } from '../log/record.ts';
import { type Evidence, judge, type Outcome } from './outcome.ts';
import { type Channels, type Host, hostFrom, type Machine, shellQuote, testArguments } from './qemu.ts';
import type { StepName } from './steps.ts';
import { Terminal } from './terminal.ts';
import { parseVerdict, type StepResult, type Verdict } from './verdict.ts';

export interface VmOptions extends Machine {
  /** Names the folder of artefacts; anything but letters, digits and `._-` becomes `-`. */
  readonly name: string;
  /** Seconds until the machine is killed, before the factor. Default 60. */
  readonly timeoutSeconds?: number | undefined;
  /** The lines of a fault that the test brings about itself. */
  readonly provoked?: RegExp | undefined;
  /** Steps that may report an errno. `trial()` takes that of any other step for a failure of the boot. */
  readonly mayFail?: readonly StepName[] | undefined;
  /** Takes the place of the environment's choice of QEMU. */
  readonly host?: Host | undefined;
}

/** Returns the folder of artefacts of a boot. */
export function artefactsOf(name: string): string {
  return join(artefactsRoot, name.replaceAll(/[^\w.-]+/g, '-'));
}

/** A boot that has ended. */
export interface Boot<Steps extends readonly StepResult[] = readonly StepResult[]> {
  readonly outcome: Outcome;
  /** The console, to the byte. */
  readonly console: string;
  /** The console's lines as records of the kernel's log. */
  readonly log: readonly LogRecord[];
  /** Empty for a boot without a script. */
  readonly verdict: Verdict<Steps>;
  /** Seconds of the host's time. */
  readonly seconds: number;
  /** The folder with console log, verdict and, after a failure, the inputs. */
  readonly artefacts: string;
  /** A shell command that boots the same again. */
  readonly command: string;
}

const running = new Set<Vm>();

/** Kills the machines that nobody has waited for and returns their names. */
export function killForgotten(): string[] {
  const names = [...running].map((vm) => vm.name);
  for (const vm of running) vm.kill();
  running.clear();
  return names;
}

process.on('exit', killForgotten);

/** A virtual machine from its start to its end. Whoever starts one waits for it. */
export class Vm {
  readonly name: string;
  readonly artefacts: string;
  readonly #options: VmOptions;
  readonly #channels: Channels;
  readonly #argv: string[];
  readonly #terminal: Terminal;
  readonly #started = performance.now();
  readonly #limit: number;
  readonly #timer: NodeJS.Timeout;
  #timedOut = false;

  private constructor(options: VmOptions) {
    this.artefacts = artefactsOf(options.name);
    this.name = basename(this.artefacts);
    this.#options = options;
    refuseIfInUse(this.artefacts);
    rmSync(this.artefacts, { recursive: true, force: true });
    mkdirSync(this.artefacts, { recursive: true });
    writeFileSync(join(this.artefacts, 'pid'), String(process.pid));
    this.#channels = this.#channelsIn(this.artefacts);
    this.#argv = testArguments(options, this.#channels, this.#host);
    this.#limit = scaled(options.timeoutSeconds ?? 60);
    this.#terminal = new Terminal(this.#argv, this.artefacts);
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.kill();
    }, this.#limit * 1000);
    running.add(this);
  }

  static start(options: VmOptions): Vm {
    return new Vm(options);
  }

  get #host(): Host {
    return this.#options.host ?? hostFrom(process.env);
  }

  #channelsIn(folder: string): Channels {
    return { consoleLog: join(folder, 'console.log'), verdict: join(folder, 'verdict.jsonl') };
  }

  /** Types on the console. A line ends with `\r`. */
  send(text: string): void {
    this.#terminal.send(text);
  }

  /**
   * Waits until the console shows the pattern, after the matches of earlier calls, and returns the match. Throws an
   * Error when the machine ends, or after `seconds` (before the factor), without it.
   */
  expect(pattern: RegExp, seconds = 30): Promise<RegExpExecArray> {
    const limit = scaled(seconds);
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        unwatch();
        settle();
      };
      const look = () => {
        const match = pattern.exec(this.#terminal.output.slice(this.#seen));
        if (match !== null) {
          this.#seen += match.index + match[0].length;
          finish(() => resolve(match));
        } else if (this.#terminal.over) {
          finish(() =>
            reject(new Error(`${this.name}: the machine ended before its console showed ${pattern}`)),
          );
        }
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`${this.name}: no ${pattern} on the console after ${limit} s`))),
        limit * 1000,
      );
      const unwatch = this.#terminal.watch(look);
      look();
    });
  }

  #seen = 0;

  kill(): void {
    this.#terminal.kill();
  }

  /** Waits for the machine's end and judges it. */
  async wait(): Promise<Boot> {
    const status = await this.#terminal.ended;
    clearTimeout(this.#timer);
    running.delete(this);
    rmSync(join(this.artefacts, 'pid'), { force: true });

    const verdictText = readIfThere(this.#channels.verdict, 'utf8');
    const evidence: Evidence = {
      console: readIfThere(this.#channels.consoleLog, 'latin1'),
      verdict: this.#options.steps && parseVerdict(verdictText, this.#options.steps),
      timedOutAfter: this.#timedOut ? this.#limit : undefined,
      provoked: this.#options.provoked,
      status,
    };
    // QEMU complains on the terminal, not on the guest's console.
    const complaint = status === 0 || this.#timedOut ? '' : this.#terminal.output.trim();
    const outcome = judge(evidence);
    return {
      outcome:
        complaint === '' ? outcome : { ...outcome, reason: `${outcome.reason}: ${lastLine(complaint)}` },
      console: evidence.console,
      log: parseLog(evidence.console),
      verdict: evidence.verdict ?? parseVerdict(''),
      seconds: (performance.now() - this.#started) / 1000,
      artefacts: this.artefacts,
      command: shellQuote(this.#argv),
    };
  }

  /**
   * Copies the inputs to the artefacts, so that no later run overwrites them, and returns the command that boots from
   * the copies. The command is also written there as `repeat.sh`.
   */
  keepInputs(): string {
    const keep = (file: string) => {
      const copy = join(this.artefacts, basename(file));
      if (existsSync(file) && resolve(file) !== copy) copyFileSync(file, copy);
      return copy;
    };
    const { initrd, disks, loads } = this.#options;
    const machine: Machine = {
      ...this.#options,
      ...(initrd === undefined ? {} : { initrd: keep(initrd) }),
      ...(disks === undefined ? {} : { disks: disks.map(keep) }),
      ...(loads === undefined ? {} : { loads: loads.map((load) => ({ ...load, file: keep(load.file) })) }),
    };
    const again = {
      consoleLog: join(this.artefacts, 'repeat.log'),
      verdict: join(this.artefacts, 'repeat.jsonl'),
    };
    const command = shellQuote(testArguments(machine, again, this.#host));
    writeFileSync(join(this.artefacts, 'repeat.sh'), `#!/bin/sh\nexec ${command}\n`, { mode: 0o755 });
    return command;
  }
}

/** Throws an Error when a run uses the folder: two would write over each other's verdicts. */
function refuseIfInUse(artefacts: string): void {
  const pid = Number(readIfThere(join(artefacts, 'pid'), 'utf8'));
  const inUse =
    pid === process.pid ? [...running].some((vm) => vm.artefacts === artefacts) : pid > 0 && isAlive(pid);
  if (!inUse) return;
  throw new Error(
    `${artefacts}: process ${pid} is booting there; wait for it, or set QEMU_TEST_ARTEFACTS to another folder`,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function readIfThere(file: string, encoding: BufferEncoding): string {
  return existsSync(file) ? readFileSync(file, encoding) : '';
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1).replaceAll('\r', '');
}
