// SPDX-License-Identifier: GPL-2.0-only
import { spawnSync } from 'node:child_process';
import { Failure } from '../host/failure.ts';
import { cannotStart, isRefusal, processFailure, programEnvironment } from '../host/process.ts';

/** Largest dictionary of LZMA in EROFS (Z_EROFS_LZMA_MAX_DICT_SIZE). */
const dictionarySize = 8 * 2 ** 20;

/**
 * Decompresses MicroLZMA with xz, as a file in the old format of LZMA. MicroLZMA has the complement of the properties
 * where LZMA has its first byte, which is always 0; see lzma_microlzma_encoder() of liblzma.
 * @param size is the number of bytes after decompression.
 * @throws Failure (input) when the data is damaged, (missing) when xz is not installed, (program) when it is killed or
 * lacks memory.
 */
export function decodeMicroLzma(input: Uint8Array, size: number): Uint8Array {
  const header = Buffer.alloc(13);
  header[0] = ~(input[0] ?? 0) & 0xff;
  header.writeUInt32LE(dictionarySize, 1);
  header.writeBigUInt64LE(BigInt(size), 5);
  const data = Buffer.concat([header, input]);
  data[header.length] = 0;
  return run('xz', ['--format=lzma', '--single-stream', '-dcq'], data, size);
}

/**
 * Decompresses a frame of Zstandard with zstd.
 * @param size is the number of bytes after decompression.
 * @throws Failure (input) when the data is damaged, (missing) when zstd is not installed, (program) when it is killed or
 * lacks memory.
 */
export function decodeZstd(input: Uint8Array, size: number): Uint8Array {
  return run('zstd', ['-dcq', '--no-check'], input, size);
}

/** Runs a program that decompresses its standard input. What follows the wanted bytes is not looked at. */
function run(program: string, args: string[], input: Uint8Array, size: number): Uint8Array {
  const { stdout, stderr, status, signal, error } = spawnSync(program, args, {
    input,
    env: programEnvironment(),
    maxBuffer: size + 1024,
  });
  // It is stopped after the wanted bytes, which is an error, too.
  if (stdout?.length >= size) return stdout.subarray(0, size);
  // One that has started and ends early may have an error, too: its input is not taken.
  if (error && status === null && signal === null)
    throw cannotStart(program, (error as NodeJS.ErrnoException).code);
  if (status === 0) throw new Failure('input', 'too short');
  const failure = processFailure(program, String(stderr), status ?? signal ?? 'killed');
  throw isRefusal(failure) ? new Failure('input', failure.problem) : failure;
}
