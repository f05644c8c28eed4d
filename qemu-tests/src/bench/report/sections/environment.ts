// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../../model/schema.ts';
import { allWays, factsOf } from '../../model/way.ts';
import { labelOf } from '../label.ts';
import type { Section } from './section.ts';

export function environmentSection(results: Results): Section {
  const { environment, plan, trees, ...parts } = results;
  const measured = new Set(
    Object.values(parts).flatMap((part) => (Array.isArray(part) ? part.map(({ way }) => way) : [])),
  );
  const missing = [
    ...Object.entries(environment.missing),
    ...allWays
      .filter((way) => plan === 'full' && factsOf(way).family !== 'disk' && !factsOf(way).ownPlan)
      .filter((way) => !measured.has(way) && !(way in environment.missing))
      .map((way) => [way, 'no figures, and no reason given'] as const),
  ];
  const nameOf = (name: string) => {
    const way = allWays.find((each) => each === name);
    return way === undefined ? name : labelOf(way);
  };
  return {
    name: 'environment',
    title: 'Environment',
    parts: [
      {
        list: [
          `kernel: ${environment.kernelRelease}`,
          `SHA-256 of .config, patched: ${environment.configSha256.patched}`,
          `SHA-256 of .config, stock: ${environment.configSha256.stock}`,
          `SHA-256 of the patches: ${environment.seriesSha256}`,
          `QEMU: ${environment.qemu}`,
          `machine: ${environment.machine}`,
          `kernel command line: ${environment.commandLine}`,
          `tools: ${Object.entries(environment.tools)
            .map(([name, version]) => `${name} ${version}`)
            .join(', ')}`,
        ],
      },
      ...(trees.length === 0
        ? []
        : [
            'Trees, and the first 16 digits of the SHA-256 of each as newc:',
            {
              cells: [
                ['MB', 'bytes', 'files', 'SHA-256'],
                ...trees.map((tree) => [
                  String(tree.megabytes),
                  String(tree.bytes),
                  String(tree.files),
                  tree.sha256.slice(0, 16),
                ]),
              ],
            },
          ]),
      'The same again:',
      { verbatim: [environment.command] },
      ...(missing.length === 0
        ? []
        : ['Not measured:', { list: missing.map(([way, why]) => `${nameOf(way)}: ${why}`) }]),
    ],
  };
}
