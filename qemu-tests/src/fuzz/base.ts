// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { kernelSeries } from '../host/variant.ts';

/** An image without a fault that mutants are made from. */
export interface Base {
  readonly name: string;
  readonly bytes: Buffer;
  /** Of the bytes, in hexadecimal. */
  readonly sha256: string;
}

/** An entry in the list of bases. */
export interface Listed {
  readonly bytes: number;
  readonly sha256: string;
  /** True when Linux 6.12 does not know its features. */
  readonly newer?: true;
}

interface List {
  /** The version of mkfs.erofs that made them. */
  readonly mkfs: string;
  /** The one that made the newer ones. */
  readonly newerMkfs: string;
  readonly bases: Readonly<Record<string, Listed>>;
}

/**
 * The folder of the base images, which are kept, packed. Another mkfs.erofs would make other images, and a mutant has
 * to be the same on every machine.
 */
export const basesFolder = join(import.meta.dirname, 'bases');
export const listFile = join(basesFolder, 'bases.json');

export function baseFile(name: string): string {
  return join(basesFolder, `${name}.erofs.xz`);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Reads the list of the images without unpacking them. */
export function listBases(): List {
  return JSON.parse(readFileSync(listFile, 'utf8')) as List;
}

/** Reads one base image. Throws an Error when it is not the one that the list names. */
export async function readBase(name: string): Promise<Base> {
  const { stdout } = await execa('xz', ['--decompress', '--stdout', baseFile(name)], { encoding: 'buffer' });
  const bytes = Buffer.from(stdout);
  const digest = sha256(bytes);
  if (listBases().bases[name]?.sha256 !== digest) {
    throw new Error(
      `${baseFile(name)}: sha256 ${digest} is not what ${listFile} has; take both from the repository`,
    );
  }
  return { name, bytes, sha256: digest };
}

/** Reads the base images, in the order of the list, without the newer ones unless the kernel of the series knows them. */
export function readBases(newer = kernelSeries() !== '6.12'): Promise<Base[]> {
  const known = Object.entries(listBases().bases).filter(([, base]) => newer || !base.newer);
  return Promise.all(known.map(([name]) => readBase(name)));
}
