// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { trial } from '../../machine/trial.ts';
import type { Boot, VmOptions } from '../../machine/vm.ts';
import { Gdb, isRegister, type Registers, type Stop } from './gdb.ts';

/** One of EROFS's decompressors, those that only copy what could not be compressed among them. */
export interface Decompressor extends Stop {
  readonly name: string;
}

/**
 * One call of a decompressor: what there is of struct z_erofs_decompress_req (fs/erofs/compress.h of Linux 6.12, with
 * and without the series).
 */
export interface Request {
  /** The same for requests of the same compressed data as long as that stays where it is in memory. */
  readonly source: string;
  /** Of the compressed data, without the zeros in front of it where the image is in memory. */
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** What copies what could not be compressed. */
export const copier = 'z_erofs_transform_plain';

const functions = /^z_erofs_(?:transform_plain|[a-z0-9]+_decompress)$/;

/**
 * The decompressors in the output of `objdump -d` of a kernel, and where each first saves its argument: there the
 * argument is still where it was passed. A function that does so nowhere is left out.
 */
export function decompressors(disassembly: string): Decompressor[] {
  return disassembly.split('\n\n').flatMap((text) => {
    const [, name = ''] = /^[0-9a-f]+ <(\S+)>:$/m.exec(text) ?? [];
    const [, at, register = '', next] = /^([0-9a-f]+):\s+mov +%rdi,%(r\w+)\n([0-9a-f]+):/m.exec(text) ?? [];
    if (!functions.test(name) || !isRegister(register)) return [];
    return [{ name, register, at: BigInt(`0x${at}`), next: BigInt(`0x${next}`) }];
  });
}

/** Those of the kernel whose vmlinux lies beside this bzImage. Throws an Error when there is no vmlinux, or none in it. */
export async function decompressorsOf(kernel: string): Promise<Decompressor[]> {
  const vmlinux = join(dirname(kernel), 'vmlinux');
  if (!existsSync(vmlinux))
    throw new Error(`${kernel}: no vmlinux beside it, and it says where the calls are`);
  const symbols = await execa('nm', [vmlinux]);
  const found: Decompressor[] = [];
  for (const [, name = ''] of symbols.stdout.matchAll(/ [tT] (\S+)$/gm)) {
    if (!functions.test(name)) continue;
    const { stdout } = await execa('objdump', ['-d', '--no-show-raw-insn', `--disassemble=${name}`, vmlinux]);
    found.push(...decompressors(stdout));
  }
  if (!found.some(({ name }) => name === 'z_erofs_lz4_decompress')) {
    throw new Error(`${vmlinux}: EROFS has no function z_erofs_lz4_decompress`);
  }
  return found;
}

/** Offsets in the structure, as x86-64 lays it out. */
const [atIn, atPageOffset, atInputSize, atOutputSize, length] = [8, 32, 36, 40, 44];

/** Reads the request that a decompressor has been entered with. Throws an Error when it cannot be one. */
async function requestOf(gdb: Gdb, { rdi }: Registers): Promise<Request> {
  const request = await gdb.memory(rdi, length);
  const inputBytes = request.readUInt32LE(atInputSize);
  const outputBytes = request.readUInt32LE(atOutputSize);
  // EROFS has pclusters of 1 MiB at most (Z_EROFS_PCLUSTER_MAX_SIZE); what comes out of one is no more than 12 MiB.
  if (inputBytes === 0 || inputBytes > 1 << 20 || outputBytes === 0 || outputBytes > 12 << 20) {
    throw new Error(
      `a decompressor was called for ${outputBytes} bytes of ${inputBytes}: not this structure`,
    );
  }
  const pages = await gdb.memory(request.readBigUInt64LE(atIn), 8);
  return {
    source: `${pages.toString('hex')}+${request.readUInt16LE(atPageOffset)}`,
    inputBytes,
    outputBytes,
  };
}

/**
 * Boots, hands over every request to one of the decompressors, through QEMU's gdb stub, and returns what the look at
 * the boot returned. The kernel is the one that is measured, without any counter in it.
 */
export async function watched<T>(
  options: VmOptions,
  decompressors: readonly Decompressor[],
  requested: (decompressor: Decompressor, request: Request) => void,
  look: (boot: Boot) => T,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-gdb-'));
  const gdb = join(folder, 'socket');
  try {
    const { found } = await trial({ ...options, gdb }, look, async () => {
      const connection = await Gdb.connect(gdb);
      await connection.watch(decompressors, async (decompressor, registers) =>
        requested(decompressor, await requestOf(connection, registers)),
      );
    });
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
