// SPDX-License-Identifier: GPL-2.0-only
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { type WholeSystem, wholeSystem } from '../debian/system.ts';
import { systemInitrd } from '../debian/system-initrd.ts';
import { systemBoot } from '../debian/system-report.ts';
import { expectWholeSystem, wholeSystemWords } from '../expect/whole-system.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import { seriesLog } from '../log/series-log.ts';
import { storageLog } from '../log/storage-log.ts';

needs('INITOVERLAYFS', 'CGROUPS', 'UNIX', 'INOTIFY_USER', 'NAMESPACES', 'USER_NS', 'PID_NS');

// A whole Debian in the initrd that is never left, as `initoverlayfs build` makes it of a tar archive: what its users
// try first works, on a kernel with the series and on one without.

let system: WholeSystem;
let initrd: string;

beforeAll(async () => {
  if (onDebug) return;
  system = await wholeSystem('small');
  initrd = await systemInitrd(system);
});

beforeEach(({ skip }) => skip(onDebug, 'it takes the better part of an hour there'));

test.each([
  ['in place', undefined, true, 'read,write'],
  ['on a kernel without the series', 'stock', false, 'write'],
] as const)('a whole Debian works %s', async (name, variant, inPlace, parts) => {
  await systemBoot(
    {
      name: `whole system ${name}`,
      kernel: await kernel(variant),
      initrd,
      append: wholeSystemWords(parts),
      memoryMiB: 1024,
      timeoutSeconds: 600,
    },
    (report) => {
      expectWholeSystem(system, report);
      expect(seriesLog(report.log).mounted?.images).toBe(inPlace ? 1 : undefined);
      expect(storageLog(report.log).length > 0).toBe(!inPlace);
    },
  );
});
