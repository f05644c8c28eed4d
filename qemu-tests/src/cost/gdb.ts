// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

// The remote protocol of gdb, as far as counting calls needs it ("Remote Protocol" in gdb's manual).

/** A command as it goes over the line: `$text#checksum`. */
export function packet(text: string): string {
  const sum = [...text].reduce((total, character) => total + character.charCodeAt(0), 0);
  return `$${text}#${(sum & 0xff).toString(16).padStart(2, '0')}`;
}

/** The packets in what has been received, and what is left of one that is not whole yet. */
export function packets(received: string): { whole: string[]; rest: string } {
  const whole: string[] = [];
  let rest = received;
  for (;;) {
    const match = /\$([^#]*)#[0-9a-f]{2}/.exec(rest);
    if (match === null) return { whole, rest };
    whole.push(match[1] ?? '');
    rest = rest.slice(match.index + match[0].length);
  }
}

/** The order in which x86-64 registers come in an answer to `g`, each 16 hexadecimal digits, low byte first. */
const order = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp'] as const;
const ripIndex = 16;

export type Registers = Readonly<Record<(typeof order)[number] | 'rip', bigint>>;

/** Reads the answer to `g`. Throws a RangeError when it is too short. */
export function parseRegisters(answer: string): Registers {
  const bytes = Buffer.from(answer, 'hex');
  return {
    ...(Object.fromEntries(order.map((name, index) => [name, bytes.readBigUInt64LE(index * 8)])) as Omit<
      Registers,
      'rip'
    >),
    rip: bytes.readBigUInt64LE(ripIndex * 8),
  };
}

/** A call instruction, and the one that it returns to. */
export interface CallSite {
  readonly at: bigint;
  readonly behind: bigint;
}

/** A connection to the gdb stub of a QEMU that has been started with `-S`. */
export class Gdb {
  readonly #socket: Socket;
  #received = '';
  #answers: string[] = [];
  #wake: () => void = () => {};
  #over = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (data) => {
      const { whole, rest } = packets(this.#received + String(data));
      this.#received = rest;
      for (const answer of whole) {
        socket.write('+');
        this.#answers.push(answer);
      }
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#over = true;
      this.#wake();
    });
  }

  /** Connects to a UNIX socket that QEMU makes when it starts. Throws an Error after five seconds. */
  static async connect(path: string): Promise<Gdb> {
    for (let tries = 0; ; tries++) {
      const socket = connect(path);
      try {
        await once(socket, 'connect');
        return new Gdb(socket);
      } catch (error) {
        if (tries === 100) throw new Error(`${path}: QEMU's gdb stub does not answer`, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** Sends a command and returns its answer; undefined when the machine is gone. */
  async ask(command: string): Promise<string | undefined> {
    if (!this.#over) this.#socket.write(packet(command));
    while (this.#answers.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#answers.shift();
  }

  async #command(command: string): Promise<void> {
    const answer = await this.ask(command);
    if (answer !== 'OK') throw new Error(`QEMU's gdb stub: ${command}: ${answer ?? 'it is gone'}`);
  }

  /**
   * Lets the machine, which has one processor, run to its end and hands over the registers at each of these call
   * instructions. A breakpoint is passed by taking it away until the call has returned: while one steps over it
   * QEMU translates all code anew, and it interprets the page that it lies in.
   */
  async watch(calls: readonly CallSite[], called: (registers: Registers) => void): Promise<void> {
    const breakpoint = (address: bigint) => `${address.toString(16)},1`;
    for (const { at } of calls) await this.#command(`Z0,${breakpoint(at)}`);
    for (;;) {
      const stop = await this.ask('c');
      if (stop === undefined || stop.startsWith('W') || stop.startsWith('X')) break;
      const registers = parseRegisters((await this.ask('g')) ?? '');
      const entered = calls.find(({ at }) => at === registers.rip);
      const left = calls.find(({ behind }) => behind === registers.rip);
      const site = entered ?? left;
      if (site === undefined) throw new Error(`QEMU stopped at ${registers.rip.toString(16)}: ${stop}`);
      if (entered !== undefined) called(registers);
      await this.#command(`z0,${breakpoint(entered === undefined ? site.behind : site.at)}`);
      await this.#command(`Z0,${breakpoint(entered === undefined ? site.at : site.behind)}`);
    }
    this.#socket.destroy();
  }
}
