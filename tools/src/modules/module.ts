// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { detectCompression } from '../codecs/compression.ts';
import { runProgram } from '../host/program.ts';
import { orNoRoom, withWork } from '../host/work.ts';
import { decodeBytes } from '../segments/decode.ts';

/**
 * Prepares a kernel module for fast loading: decompresses it and, unless its signature has to be kept, strips debug
 * sections. Stripping also drops the appended signature, and so the time to check it.
 * @throws Failure (input) when the module is damaged, (program) or (missing) when strip or a decompressor fails.
 */
export async function plainModule(
  bytes: Uint8Array,
  { keepSignature = false }: { keepSignature?: boolean | undefined } = {},
): Promise<Uint8Array> {
  const compression = detectCompression(bytes, 0);
  const object = compression ? await decodeBytes(bytes, compression) : bytes;
  return keepSignature ? object : strip(object);
}

function strip(object: Uint8Array): Promise<Uint8Array> {
  return withWork(async ({ folder }) => {
    const path = join(folder, 'module.ko');
    await writeFile(path, object);
    await runProgram('strip', ['--strip-debug', path]).catch((error) => {
      throw orNoRoom(error);
    });
    return readFile(path);
  });
}
