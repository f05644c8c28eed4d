// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeOutput } from '@initoverlayfs/tools';

/**
 * Keeps each measured value in a file, so that a run which was interrupted goes on. A value counts as long as its key
 * is the same: a hash of all that decides it.
 */
export class Journal {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  #file(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  /** undefined when there is none, or one that was measured from something else. */
  async get(id: string, key: string): Promise<unknown> {
    const text = await readFile(this.#file(id), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return 'null';
    });
    const record = JSON.parse(text) as { key: string; value: unknown } | null;
    return record?.key === key ? record.value : undefined;
  }

  async put(id: string, key: string, value: unknown): Promise<void> {
    const file = this.#file(id);
    await mkdir(dirname(file), { recursive: true });
    await writeOutput(file, Buffer.from(`${JSON.stringify({ key, value }, null, 2)}\n`));
  }
}
