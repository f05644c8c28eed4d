// SPDX-License-Identifier: GPL-2.0-only

/** The kernels that can be built, as `make kernel` names them; `kernel-patch/build-kernel` says what each is. */
export type KernelVariant = 'patched' | 'stock' | 'off' | 'debug' | 'clang';

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

/** The number by which limits of a release kernel are multiplied: KASAN and lockdep cost about five times as much. */
export const slowdown = onDebug ? 10 : 1;

/** Returns a limit in seconds times `QEMU_TIMEOUT_FACTOR`, for slow machines, and more on the sanitizer kernel. */
export function scaled(seconds: number): number {
  const factor = Number(process.env.QEMU_TIMEOUT_FACTOR || 1);
  if (!(factor > 0)) throw new RangeError('QEMU_TIMEOUT_FACTOR: a number greater than 0 is needed');
  return seconds * factor * slowdown;
}
