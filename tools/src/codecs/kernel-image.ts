// SPDX-License-Identifier: GPL-2.0-only
import type { Source } from '../host/source.ts';
import { hasBytes } from './bytes.ts';

/** Magics of kernels that are no EFI programs, or not only: their offsets, and what they are. */
const magics: [offset: number, magic: string, name: string][] = [
  // Documentation/arch/x86/boot.rst in Linux
  [0x202, 'HdrS', 'an x86 kernel'],
  // Documentation/arch/arm64/booting.rst
  [0x38, 'ARM\x64', 'an arm64 kernel'],
  // Documentation/arch/riscv/boot-image-header.rst
  [0x38, 'RSC\x05', 'a RISC-V kernel'],
  // arch/arm/boot/compressed/head.S
  [0x24, '\x18\x28\x6f\x01', 'an arm kernel'],
  [0, '\x7fELF', 'an ELF file, as vmlinux is'],
];

/** Names the kernel that a file is, or returns undefined for another file. */
export function describeKernel(source: Source): string | undefined {
  const found = magics.find(([offset, magic]) => hasBytes(source, offset, magic));
  return found && `${found[2]}, and no initrd; name the initrd that belongs to it`;
}

/** Offset after which no magic of a kernel begins. */
export const kernelMagicEnd = Math.max(...magics.map(([offset]) => offset));
