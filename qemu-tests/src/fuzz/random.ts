// SPDX-License-Identifier: GPL-2.0-only

/**
 * Numbers that look random and are the same for the same seeds on every machine: sfc32 of Chris Doty-Humphrey's
 * PractRand, 32 bits a step. Twelve steps mix the seeds, as in PractRand.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(...seeds: [number, number?, number?]) {
    [this.#a, this.#b = 0, this.#c = 0] = seeds.map((seed) => (seed ?? 0) | 0) as [number, number?, number?];
    for (let n = 0; n < 12; n++) this.next();
  }

  /** Returns the next 32 bits. */
  next(): number {
    const out = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + out) | 0;
    return out >>> 0;
  }

  /** Returns an integer from 0 to `limit` - 1; the bias is below 2^-32 times the limit. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  /** Returns true in `share` of a hundred cases. */
  percent(share: number): boolean {
    return this.below(100) < share;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[this.below(from.length)] as T;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.next() & 0xff));
  }
}
