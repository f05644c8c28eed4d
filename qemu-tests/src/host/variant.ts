// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from 'node:path';
import { execaSync } from 'execa';

/** The kernels that can be built, as `make kernel` names them; `kernel-patch/build-kernel` says what each is. */
export type KernelVariant = 'patched' | 'stock' | 'off' | 'debug' | 'clang' | 'lsm';

/** The kernels that the suite can run on: the release and the one with sanitizers. */
const choices = ['patched', 'debug'] as const satisfies KernelVariant[];

function chosen(name: string): (typeof choices)[number] {
  const variant = choices.find((choice) => choice === name);
  if (variant === undefined) {
    throw new RangeError(`KERNEL_VARIANT=${name}: the tests run on ${choices.join(' or ')}`);
  }
  return variant;
}

/** The kernel that `kernel()` boots, by `KERNEL_VARIANT`. */
export const suiteVariant = chosen(process.env.KERNEL_VARIANT || 'patched');

/**
 * True on the sanitizer kernel. A test that means nothing there says so and why: `skip(onDebug, 'its guest clock is
 * no figure')`.
 */
export const onDebug = suiteVariant === 'debug';

function defaultSeries(): string {
  const program = resolve(import.meta.dirname, '../../../kernel-patch/fetch-source');
  const { stdout } = execaSync(program, ['series'], { stderr: 'inherit' });
  return stdout.split(' ')[0] ?? '';
}

let series: string | undefined;

/** Returns the series that the kernels are built with, by `KERNEL_SERIES`, or by what `kernel-patch/` chooses. */
export function kernelSeries(): string {
  series ??= process.env.KERNEL_SERIES || defaultSeries();
  return series;
}

/** The number by which limits of a release kernel are multiplied: KASAN and lockdep cost about five times as much. */
export const slowdown = onDebug ? 10 : 1;

/** Returns a limit in seconds times `QEMU_TIMEOUT_FACTOR`, for slow machines, and more on the sanitizer kernel. */
export function scaled(seconds: number): number {
  const factor = Number(process.env.QEMU_TIMEOUT_FACTOR || 1);
  if (!(factor > 0)) throw new RangeError('QEMU_TIMEOUT_FACTOR: a number greater than 0 is needed');
  return seconds * factor * slowdown;
}
