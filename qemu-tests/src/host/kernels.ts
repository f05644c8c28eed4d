// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa, execaSync } from 'execa';
import { architecture } from './architecture.ts';
import { projectRoot } from './artefacts.ts';
import { type KernelVariant, suiteVariant } from './variant.ts';

/** Runs a target of the project's Makefile, which prints the path of what it built as its last line. */
async function make(target: string, variables: readonly string[] = []): Promise<string> {
  const { stdout } = await execa('make', ['-s', '-C', projectRoot, target, ...variables], {
    stderr: 'inherit',
  });
  const path = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (!existsSync(path)) {
    throw new Error(`make -s ${target} ${variables.join(' ')}: its last line names no file: ${path}`);
  }
  return path;
}

const built = new Map<string, Promise<string>>();

function once(key: string, build: () => Promise<string>): Promise<string> {
  let result = built.get(key);
  if (result === undefined) {
    result = build();
    built.set(key, result);
  }
  return result;
}

/**
 * Returns the path of a kernel image, built if it has to be: the one that the suite runs on, or a certain one to
 * compare with. `BZIMAGE` names an image that takes the place of the suite's.
 */
export async function kernel(variant: KernelVariant = suiteVariant): Promise<string> {
  const given = process.env.BZIMAGE;
  if (variant === suiteVariant && given) return resolve(given);
  return once(`kernel ${variant}`, () => make('kernel', [`KERNEL_VARIANT=${variant}`]));
}

/**
 * Builds a kernel with more configuration, `CONFIG_A=y CONFIG_B=m`. A path names a cpio archive to build in as its
 * initramfs.
 */
export function kernelWith(variant: KernelVariant, config: string, initramfs = ''): Promise<string> {
  const variables = [`KERNEL_VARIANT=${variant}`, `KERNEL_CONFIG=${config}`, `KERNEL_INITRAMFS=${initramfs}`];
  return once(variables.join(' '), () => make('kernel', variables));
}

/** Builds a kernel of one series, or the source of that without the series. */
export function kernelOf(series: string, variant: KernelVariant): Promise<string> {
  const variables = [`KERNEL_SERIES=${series}`, `KERNEL_VARIANT=${variant}`];
  return once(variables.join(' '), () => make('kernel', variables));
}

/** Builds Debian packages of the patched kernel on top of a configuration, and returns the path of the image's. */
export function kernelDeb(config: string): Promise<string> {
  return once(`deb ${config}`, () => make('kernel-deb', [`CONFIG=${config}`]));
}

/** Builds a kernel with only the first patches of the series, or only its fixes, and with more configuration. */
export function kernelAt(
  patches: number | 'fixes',
  variant: KernelVariant = 'patched',
  config = '',
): Promise<string> {
  const variables = [`KERNEL_VARIANT=${variant}`, `KERNEL_PATCHES=${patches}`, `KERNEL_CONFIG=${config}`];
  return once(variables.join(' '), () => make('kernel', variables));
}

/** Lists the paths of the patches of the series, the fixes first. */
export function seriesPatches(): string[] {
  const { stdout } = execaSync(join(projectRoot, 'kernel-patch/series'), ['list'], { stderr: 'inherit' });
  return stdout.split('\n').filter((path) => path !== '');
}

/** Returns the folder of the unpatched source that the kernels are built from, fetched if it has to be. */
export async function kernelSource(): Promise<string> {
  const { stdout } = await execa(join(projectRoot, 'kernel-patch/fetch-source'), { stderr: 'inherit' });
  return stdout.trimEnd();
}

/** Builds the shim and returns the folder of its programs. */
export function shim(): Promise<string> {
  return once('shim', () => make('shim'));
}

/** Builds the guest agent and returns its path. */
export function agent(): Promise<string> {
  return once('agent', async () => {
    const cross = architecture === 'x86_64' ? '' : architecture;
    const out = join(projectRoot, 'build/qemu-tests', cross);
    await mkdir(out, { recursive: true });
    // Test files run side by side, and each asks for it.
    const build = ['make', '-s', '-C', join(projectRoot, 'qemu-tests/guest'), `OUT=${out}`];
    if (cross) build.push('CC=aarch64-linux-gnu-gcc');
    await execa('flock', [join(out, 'agent.lock'), ...build], { stderr: 'inherit' });
    return join(out, 'agent');
  });
}
