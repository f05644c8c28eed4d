// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { expectWholeSystem, wholeSystemWords } from '../expect/whole-system.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { seriesLog } from '../log/series-log.ts';
import { wholeSystem } from './system.ts';
import { systemInitrd } from './system-initrd.ts';
import { systemBoot } from './system-report.ts';

needs('INITOVERLAYFS', 'CGROUPS', 'UNIX', 'INOTIFY_USER', 'NAMESPACES', 'USER_NS', 'PID_NS');

// The forms and the size of a whole system that src/series/whole-system.test.ts does not boot.

test.each([
  ['not compressed', 'small', ['--compress', 'none'], 1024],
  ['raw', 'small', ['--form', 'raw'], 1024],
  ['of 800 MB', 'medium', [], 2048],
  ['of 1.8 GB', 'large', [], 4096],
] as const)('a whole Debian works as an image, %s', async (name, size, options, memoryMiB) => {
  const system = await wholeSystem(size);
  await systemBoot(
    {
      name: `system ${name}`,
      kernel: await kernel(),
      initrd: await systemInitrd(system, ...options),
      append: wholeSystemWords('read,write'),
      memoryMiB,
      timeoutSeconds: 600,
    },
    (report) => {
      expectWholeSystem(system, report);
      expect(seriesLog(report.log).mounted).toMatchObject({ images: 1 });
    },
  );
});
