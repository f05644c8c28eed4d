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
const order = [
  ...(['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp'] as const),
  ...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'] as const),
];

export type Register = (typeof order)[number];
export type Registers = Readonly<Record<Register, bigint>>;

export function isRegister(name: string): name is Register {
  return order.some((register) => register === name);
}

/** Reads the answer to `g`, of which these registers are the beginning. Throws a RangeError when it is too short. */
export function parseRegisters(answer: string): Registers {
  const bytes = Buffer.from(answer, 'hex');
  return Object.fromEntries(
    order.map((name, index) => [name, bytes.readBigUInt64LE(index * 8)]),
  ) as Registers;
}

/** The command that sets these registers, and no others. */
export function assignment(registers: Registers): string {
  const bytes = Buffer.alloc(order.length * 8);
  for (const [index, name] of order.entries()) bytes.writeBigUInt64LE(registers[name], index * 8);
  return `G${bytes.toString('hex')}`;
}

/** An instruction that copies rdi, a function's first argument, to another register. */
export interface Stop {
  readonly at: bigint;
  /** The instruction behind it. */
  readonly next: bigint;
  readonly register: Register;
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
      // No acknowledgement: to QEMU the next command is one, and a byte that arrives later stops the machine.
      this.#answers.push(...whole);
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

  /** Sends commands together and returns the answer to the first one; undefined when the machine is gone. */
  ask(...commands: readonly string[]): Promise<string | undefined> {
    if (!this.#over) this.#socket.write(commands.map(packet).join(''));
    return this.#answer();
  }

  async #answer(): Promise<string | undefined> {
    while (this.#answers.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#answers.shift();
  }

  async #command(...commands: readonly string[]): Promise<void> {
    const answer = await this.ask(...commands);
    if (answer !== 'OK') throw new Error(`QEMU's gdb stub: ${commands[0]}: ${answer ?? 'it is gone'}`);
  }

  /** Reads memory at a virtual address. Throws an Error when there is none. */
  async memory(address: bigint, bytes: number): Promise<Buffer> {
    const command = `m${address.toString(16)},${bytes.toString(16)}`;
    const read = Buffer.from((await this.ask(command)) ?? '', 'hex');
    if (read.length !== bytes) throw new Error(`QEMU's gdb stub: ${command}: no such memory`);
    return read;
  }

  /**
   * Lets the machine, which has one processor, run to its end and hands over the stop and the registers at each.
   * The instruction is then executed by hand. Taking the breakpoint away for it, or stepping over it, has QEMU
   * translate all code anew, and that ten thousands of times.
   */
  async watch<Place extends Stop>(
    stops: readonly Place[],
    stopped: (stop: Place, registers: Registers) => Promise<void>,
  ): Promise<void> {
    for (const { at } of stops) await this.#command(`Z0,${at.toString(16)},1`);
    let answer = await this.ask('c');
    while (answer !== undefined && !answer.startsWith('W') && !answer.startsWith('X')) {
      const registers = parseRegisters((await this.ask('g')) ?? '');
      const stop = stops.find(({ at }) => at === registers.rip);
      if (stop === undefined) throw new Error(`QEMU stopped at ${registers.rip.toString(16)}: ${answer}`);
      await stopped(stop, registers);
      const after = { ...registers, [stop.register]: registers.rdi, rip: stop.next };
      await this.#command(assignment(after), 'c');
      answer = await this.#answer();
    }
    this.#socket.destroy();
  }
}
