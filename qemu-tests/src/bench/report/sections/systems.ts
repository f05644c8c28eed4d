// SPDX-License-Identifier: GPL-2.0-only

import type { Results, SystemRow } from '../../model/schema.ts';
import { mb, mib, significant } from '../figure.ts';
import { clockText, labelOf } from '../label.ts';
import { inOrder } from '../rows.ts';
import type { Part, Section } from './section.ts';

export function systemSection({ systems, clock }: Results): Section[] {
  const images = [...new Set(systems.map(({ image }) => image))];
  if (images.length === 0) return [];
  const parts = images.flatMap((image): Part[] => {
    const rows = inOrder(systems.filter((row) => row.image === image).map(({ way }) => way)).flatMap((way) =>
      systems.filter((row) => row.image === image && row.way === way).slice(0, 1),
    );
    const figure = (value: number) => significant(value, 3);
    // No finer than a millisecond.
    const duration = (value: number) => (value < 0.1 ? value.toFixed(3) : figure(value));
    const times = ({ way, at }: SystemRow) => [
      labelOf(way),
      duration(at.initrdEnd - at.initrdStart),
      ...[at.runInit, at.init, at.systemd, at.left, at.multiUser].map(figure),
    ];
    return [
      `${image}, times:`,
      { cells: [['way', 'work', 'run', 'init', 'systemd', 'left', 'multi-user'], ...rows.map(times)] },
      `${image}, sizes: MB of the files, MiB of RAM not available in the initrd and in the real root:`,
      {
        cells: [
          ['way', 'initrd MB', 'disk MB', 'in initrd', 'in root'],
          ...rows.map(({ way, files, memory }) => [
            labelOf(way),
            mb(files.initrdBytes),
            mb(files.diskBytes),
            mib(memory.initrd),
            mib(memory.root),
          ]),
        ],
      },
    ];
  });
  return [
    {
      name: 'systems',
      title: "Debian's initramfs, to multi-user",
      parts: [
        `${sentenceCase(clockText(clock))} since the kernel started, one boot each; the root that is reached lies in memory, for with a disk the clock would wait for the host. "work": how long the initrd work takes; the rest is when: "run": Run /init; "init": the distribution's own /init; "systemd": it is PID 1 for the first time; "left": PID 1 of the real root starts.`,
        ...parts,
      ],
    },
  ];
}

const sentenceCase = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
