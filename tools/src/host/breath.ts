// SPDX-License-Identifier: GPL-2.0-only
import { setImmediate } from 'node:timers/promises';

/** Bytes of work between two looks at signals. */
const stretch = 16 * 2 ** 20;

/** Interrupts long work on bytes now and then, so that signals are handled in the meantime. */
export class Breath {
  #bytes = 0;

  async after(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < stretch) return;
    this.#bytes = 0;
    await setImmediate();
  }
}
