// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { detectTarCompression } from '../codecs/compression.ts';
import { gapAfter } from '../codecs/lz4.ts';
import { Breath } from '../host/breath.ts';
import { runProcess } from '../host/process.ts';
import { asSource, chunksOf, type Source } from '../host/source.ts';
import { orNoRoom, type Work, withWork, writeWhole } from '../host/work.ts';
import { type NewcOptions, treeToNewcChunks } from '../trees/to-newc.ts';
import type { Tree } from '../trees/tree.ts';
import type { Part } from './initrd.ts';

/** Compressions that the kernel reads and programs of Debian write. */
export const extraCompressions = ['none', 'gzip', 'zstd', 'xz', 'lz4'] as const;
export type ExtraCompression = (typeof extraCompressions)[number];

/** Tree, or archive in memory or in a file. */
export type Archivable = Tree | Uint8Array | Source;

/** Arguments for the kernel: it knows no other check of xz than CRC32, and only the legacy format of lz4. */
const programs: Record<Exclude<ExtraCompression, 'none'>, string[]> = {
  gzip: ['-9nc'],
  zstd: ['-19', '-qc'],
  xz: ['--check=crc32', '-c'],
  lz4: ['-l', '-9', '-c'],
};

/**
 * Makes an extra archive for an initrd, and compresses it unless it is compressed already.
 * @throws Failure (missing) when the program for the compression is not installed.
 */
export async function makeExtra(
  archivable: Archivable,
  compression: ExtraCompression = 'none',
): Promise<Uint8Array> {
  if (archivable instanceof Uint8Array && isFinished(archivable, compression)) return archivable;
  return withWork(async (work) =>
    readFile((await makeExtraSource(archivable, compression, work)).file ?? ''),
  );
}

/** Makes an extra archive like `makeExtra`, in a temporary file. A finished archive stays where it is. */
export async function makeExtraSource(
  archivable: Archivable,
  compression: ExtraCompression,
  work: Work,
  options: NewcOptions = {},
): Promise<Source> {
  const isTree = 'type' in archivable;
  if (!isTree && isFinished(asSource(archivable), compression)) return asSource(archivable);
  const chunks = isTree ? treeToNewcChunks(archivable, options) : chunksOf(asSource(archivable));
  const path = join(await mkdtemp(join(work.folder, 'extra-')), 'archive');
  const descriptor = openSync(path, 'wx');
  try {
    if (compression === 'none') await writeChunks(descriptor, chunks);
    else
      await runProcess(compression, programs[compression], {
        input: chunks,
        outputDescriptor: descriptor,
      }).catch((error) => {
        throw orNoRoom(error);
      });
  } finally {
    closeSync(descriptor);
  }
  return work.openTemporary(path);
}

/** Makes an extra archive like `makeExtraSource`, as a part of an initrd. */
export async function makeExtraPart(
  archivable: Archivable,
  compression: ExtraCompression,
  work: Work,
  options: NewcOptions = {},
): Promise<Part & { bytes: Source }> {
  const bytes = await makeExtraSource(archivable, compression, work, options);
  // What is made here is one stream. A finished archive may be several.
  return 'type' in archivable ? { bytes } : { bytes, gap: await gapAfter(bytes) };
}

/** Tells whether an archive stays as it is: it is compressed already, or is not to be. */
export function isFinished(archive: Uint8Array | Source, compression: ExtraCompression): boolean {
  return compression === 'none' || detectTarCompression(archive, 0) !== undefined;
}

async function writeChunks(descriptor: number, chunks: Iterable<Uint8Array>): Promise<void> {
  const breath = new Breath();
  for (const chunk of chunks) {
    writeWhole(descriptor, chunk);
    await breath.after(chunk.length);
  }
}
