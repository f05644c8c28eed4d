// SPDX-License-Identifier: GPL-2.0-only
import { gunzipSync } from 'node:zlib';
import { numberAt } from '../codecs/bytes.ts';
import { detectCompression } from '../codecs/compression.ts';
import { Failure } from '../host/failure.ts';
import { textLimit } from '../host/input.ts';
import { type Source, sliceOf } from '../host/source.ts';
import { decodeStream } from '../segments/decode.ts';

/** Fields of the setup header (Documentation/arch/x86/boot.rst in Linux). */
const magicAt = 0x202;
const setupSectorsAt = 0x1f1;
const versionAt = 0x20e;
const payloadOffsetAt = 0x248;
const payloadLengthAt = 0x24c;
const sectorSize = 512;
const longestRelease = 256;

/** Largest kernel of x86 (KERNEL_IMAGE_SIZE in arch/x86/include/asm/page_64_types.h). */
const imageLimit = 2 ** 30;

/** Most bytes of a configuration in a kernel, compressed: the largest of Debian has 60 kB. */
const configLimit = 4 * 2 ** 20;

/** Marks around the configuration that CONFIG_IKCONFIG puts into a kernel (kernel/configs.c). */
const start = Buffer.from('IKCFG_ST');
const end = Buffer.from('IKCFG_ED');

/** Returns the release of an x86 kernel, or undefined when it is none. */
export function releaseOfBzImage(source: Source): string | undefined {
  if (text(source, magicAt, 4) !== 'HdrS') return undefined;
  const at = numberAt(source, versionAt, 2);
  return /^[\w.+~-]+/.exec(text(source, at + sectorSize, longestRelease))?.[0];
}

/**
 * Reads the configuration out of an x86 kernel.
 * @returns undefined when there is none in it, or its compression is unknown.
 * @throws Failure (missing) when the program for the compression is not installed, (input) when it unpacks to more than
 * any kernel, or the configuration is damaged.
 */
export async function configOfBzImage(source: Source): Promise<string | undefined> {
  const code = (numberAt(source, setupSectorsAt, 1) + 1) * sectorSize;
  const offset = code + numberAt(source, payloadOffsetAt, 4);
  // The size of the unpacked kernel is after the stream.
  const payload = sliceOf(source, offset, Math.max(0, numberAt(source, payloadLengthAt, 4) - 4));
  const compression = detectCompression(payload, 0);
  if (!compression) return undefined;
  const search = new Search();
  try {
    await decodeStream(payload, 0, compression, (chunk) => search.push(chunk));
  } catch (error) {
    if (error === search.excess) throw error;
    if (error !== search.found && !(error instanceof Failure && error.kind === 'input')) throw error;
  }
  return search.config();
}

/** Searches a stream for the configuration, and stops it when all of it has come. */
class Search {
  /** Is thrown when there is no more to search. */
  readonly found = new Error('found');
  /** Is thrown when it is too long. */
  readonly excess = new Failure(
    'input',
    'the kernel, or the configuration in it, unpacks to more than any has; name its release and --config',
  );
  #size = 0;
  #kept: Uint8Array = new Uint8Array();
  #started = false;
  #gzip: Uint8Array | undefined;

  push(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > imageLimit || this.#kept.length > configLimit) throw this.excess;
    let bytes = Buffer.concat([this.#kept, chunk]);
    if (!this.#started) {
      const at = bytes.indexOf(start);
      if (at >= 0) bytes = bytes.subarray(at + start.length);
      // A mark may lie in two chunks.
      else bytes = bytes.subarray(Math.max(0, bytes.length - start.length + 1));
      this.#started = at >= 0;
    }
    this.#kept = bytes;
    const last = this.#started ? bytes.indexOf(end) : -1;
    if (last < 0) return;
    this.#gzip = bytes.subarray(0, last);
    throw this.found;
  }

  config(): string | undefined {
    try {
      return this.#gzip && gunzipSync(this.#gzip, { maxOutputLength: textLimit }).toString('latin1');
    } catch {
      throw new Failure('input', 'the configuration in the kernel is damaged; pass it with --config');
    }
  }
}

function text(source: Source, offset: number, length: number): string {
  return Buffer.from(source.read(offset, length)).toString('latin1');
}
