// SPDX-License-Identifier: GPL-2.0-only
import type { KernelVariant } from './kernels.ts';

/** The kernels that the suite can run on: the release and the one with sanitizers. */
const choices = ['patched', 'debug'] as const satisfies KernelVariant[];

function chosen(name: string): (typeof choices)[number] {
  const variant = choices.find((choice) => choice === name);
  if (variant === undefined) {
    throw new RangeError(`KERNEL_VARIANT=${name}: the tests run on ${choices.join(' or ')}`);
  }
  return variant;
}

/** What `kernel()` boots, by `KERNEL_VARIANT`. */
export const suiteVariant = chosen(process.env.KERNEL_VARIANT || 'patched');

/**
 * Whether that is the sanitizer kernel. A test that means nothing there says so and why:
 * `skip(onDebug, 'its guest clock is no figure')`.
 */
export const onDebug = suiteVariant === 'debug';

/** How many times the limits of a release kernel a boot may take: KASAN and lockdep cost about five times. */
export const slowdown = onDebug ? 10 : 1;
