// SPDX-License-Identifier: GPL-2.0-only
export type Architecture = 'x86_64' | 'arm64';

/** Returns the architecture that `KERNEL_ARCH` names, by the names that the kernel and uname have for it. */
export function architectureFrom(environment: NodeJS.ProcessEnv): Architecture {
  const name = environment.KERNEL_ARCH || 'x86_64';
  if (name === 'x86' || name === 'x86_64') return 'x86_64';
  if (name === 'arm64' || name === 'aarch64') return 'arm64';
  throw new RangeError(`KERNEL_ARCH=${name}: want x86_64 or arm64`);
}

/** The architecture of the guests. */
export const architecture = architectureFrom(process.env);
