// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { typeOfMode } from '../codecs/file-type.ts';
import { pathOfName } from '../codecs/newc.ts';
import type { NewcMeta, NewcSink } from '../codecs/newc-parser.ts';
import { asSource } from '../host/source.ts';
import { imageNumber } from '../segments/archive.ts';
import type { Limit } from '../segments/limit.ts';
import { walk } from '../segments/walk.ts';
import { walkTree } from '../trees/tree.ts';
import type { Archivable } from './extra.ts';

/** Collects the files of the archive form, which kernels without the series unpack. */
export class OwnFiles implements NewcSink {
  readonly paths = new Set<string>();

  entry({ name, mode }: Pick<NewcMeta, 'name' | 'mode'>): undefined {
    if (typeOfMode(mode) !== 'directory') this.paths.add(pathOfName(name));
  }
}

/**
 * Collects the files of the archive form that a later archive replaces on kernels without the series: these unpack all
 * archives over one another before they execute /init.
 */
export class Replaced implements NewcSink {
  readonly #own: ReadonlySet<string>;
  readonly #init: string;
  readonly #found = new Set<string>();

  constructor(own: ReadonlySet<string>, init = '/init') {
    this.#own = own;
    this.#init = pathOfName(init);
  }

  entry({ name }: Pick<NewcMeta, 'name'>): undefined {
    const path = pathOfName(name);
    if (path !== '' && (this.#own.has(path) || path === this.#init)) this.#found.add(path);
  }

  /** Describes what is replaced, a line a file. */
  lines(): string[] {
    return [...this.#found].map(
      (path) => `${displayName(path)}: ${this.#whatOf(path)}; leave it out of this archive`,
    );
  }

  #whatOf(path: string): string {
    if (path === this.#init)
      return 'a kernel without the series executes it in place of the program that mounts the image';
    return imageNumber(path) === undefined
      ? 'on a kernel without the series it replaces a file of the archive with the image'
      : 'on a kernel without the series it replaces the image, which stops the boot unless size and mode are the same';
  }
}

/**
 * Describes what extra archives replace of the archive form.
 * @param own holds the files of the archive form; there are none in another form, which those kernels do not boot.
 */
export async function describeReplaced(
  extras: readonly Archivable[],
  own: ReadonlySet<string>,
  limit?: number | Limit,
): Promise<string[]> {
  if (own.size === 0) return [];
  const replaced = new Replaced(own);
  for (const extra of extras) {
    if ('type' in extra) for (const [name] of walkTree(extra)) replaced.entry({ name });
    else for await (const _ of walk(asSource(extra), { sink: () => replaced, limit }));
  }
  return replaced.lines();
}
