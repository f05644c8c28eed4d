// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { seriesPatches } from '../../host/kernels.ts';
import { versionOf } from '../../host/versions.ts';
import { hostFrom, testArguments, wholeCommandLine } from '../../machine/qemu.ts';
import type { Kernels } from '../forms/kernels.ts';
import type { Clock, Environment } from '../model/schema.ts';
import { commandLine } from './machine.ts';

/** Programs whose versions decide what is measured. */
const programs = ['gzip', 'lz4', 'mkfs.erofs', 'xz', 'zstd'];

/** The number in what a program says of itself. */
export function versionIn(text: string): string {
  return /\d+\.\d+(?:\.\d+)*/.exec(text)?.[0] ?? text;
}

function sha256(...files: string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** The words of QEMU's command line that decide what the guest is, without the paths of a run. */
function machine(clock: Clock, ramMiB: number | undefined): string {
  const words = testArguments(
    { kernel: '/k', memoryMiB: ramMiB, ...(clock === 'wall' ? {} : { icount: 'no-sleep' }) },
    { consoleLog: '', verdict: '' },
    hostFrom(process.env),
  );
  const wanted = ['-machine', '-accel', '-cpu', ...(ramMiB === undefined ? [] : ['-m']), '-smp', '-icount'];
  return words
    .flatMap((word, index) => (wanted.includes(word) ? [word, words[index + 1] ?? ''] : []))
    .join(' ');
}

/**
 * Returns the kernel's release, from its image: on x86 the boot protocol's header points to the text (boot.rst,
 * kernel_version), and an image that is not compressed has it after "Linux version".
 */
export function releaseOf(image: Uint8Array): string {
  const banner = Buffer.from(image.buffer, image.byteOffset, image.byteLength).indexOf('Linux version ');
  if (banner >= 0)
    return (
      Buffer.from(image)
        .toString('latin1', banner, banner + 60)
        .split(' ')[2] ?? ''
    );
  const at = Buffer.from(image.buffer, image.byteOffset, image.byteLength).readUInt16LE(0x20e) + 0x200;
  const end = image.indexOf(0, at);
  return Buffer.from(image.subarray(at, end)).toString('latin1').split(' ')[0] ?? '';
}

/** All that somebody has to have the same of to get the same figures. Without `ramMiB` it says nothing of the RAM. */
export async function environment(
  command: string,
  kernels: Kernels,
  clock: Clock,
  missing: Readonly<Record<string, string>>,
  ramMiB: number | undefined,
  words = commandLine,
): Promise<Environment> {
  const versions = await Promise.all(
    programs.map(async (name) => [name, versionIn(await versionOf(name))] as const),
  );
  const compiler = /^CONFIG_CC_VERSION_TEXT="(.*)"$/m.exec(
    readFileSync(join(dirname(kernels.patched), '.config'), 'utf8'),
  );
  return {
    command,
    kernelRelease: releaseOf(readFileSync(kernels.patched)),
    configSha256: {
      patched: sha256(join(dirname(kernels.patched), '.config')),
      stock: sha256(join(dirname(kernels.stock), '.config')),
    },
    seriesSha256: sha256(...seriesPatches()),
    qemu: versionIn(await versionOf(hostFrom(process.env).qemu, '--version')),
    machine: machine(clock, ramMiB),
    commandLine: wholeCommandLine({ append: words }),
    tools: { ...Object.fromEntries(versions), compiler: compiler?.[1] ?? 'unknown' },
    missing: { ...missing },
  };
}
