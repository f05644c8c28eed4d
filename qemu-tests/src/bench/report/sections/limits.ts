// SPDX-License-Identifier: GPL-2.0-only
import type { Results } from '../../model/schema.ts';
import type { Section } from './section.ts';

export function limitsSection({ clock, plan }: Results): Section {
  return {
    name: 'limits',
    title: 'What this does not show',
    parts: [
      {
        list: [
          ...(clock === 'instructions'
            ? [
                'Cache misses and memory bandwidth: the clock counts instructions, each as long as any other. What copies or decompresses much is slower on hardware than it looks here.',
                'Real hardware: firmware, boot loader and devices are those of QEMU.',
              ]
            : [
                'Instruction counts: this is the time of one host, with what else ran on it, and must not be mixed with counted instructions.',
                "Other hardware: firmware, boot loader and devices are those of QEMU, the processor is the host's.",
              ]),
          'More than one processor: there the kernel unpacks a cpio beside other work (initramfs_async), which hides a part of it; here, with one, it could hide nothing, and initramfs_async=0 only puts it in one place.',
          'Exact figures of ways with a disk (*): the clock waits for the host there, and they do not repeat exactly.',
          ...(plan === 'full'
            ? []
            : ['All of it: this is a selection; the full run has more sizes, shares and ways.']),
        ],
      },
    ],
  };
}
