// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';

/** Failure of the user's limit, which is no fault of the data: the kernel would go on. */
export class OverLimit extends Failure {
  constructor(offset: number) {
    super('input', 'unpacks to more than --limit allows', { offset });
  }
}

/** Limit of the bytes that compressed data and holes may unpack to, so that a small file cannot fill a disk. */
export class Limit {
  #left: number;

  constructor(bytes: number = Number.POSITIVE_INFINITY) {
    this.#left = bytes;
  }

  /** @throws OverLimit when the stream or image at `offset` unpacks to more. */
  take(bytes: number, offset: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new OverLimit(offset);
  }
}
