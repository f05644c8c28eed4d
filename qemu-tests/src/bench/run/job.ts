// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../host/cache.ts';
import { versionOf } from '../../host/versions.ts';
import { hostFrom } from '../../machine/qemu.ts';
import type { Form } from '../forms/forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import { content } from '../measure/content.ts';
import { kdumpRow } from '../measure/kdump.ts';
import { memory, timing } from '../measure/machine.ts';
import { smallestRow } from '../measure/smallest.ts';
import { storageRow } from '../measure/storage.ts';
import { systemRow } from '../measure/systems.ts';
import { idOf, type Point } from '../model/point.ts';
import type { Clock } from '../model/schema.ts';
import type { Way } from '../model/way.ts';
import type { Job } from './queue.ts';

/** The files of measure/ that decide how a kind of point is measured. */
const sources: Record<Point['kind'], readonly string[]> = {
  timing: ['machine.ts', 'milestones.ts'],
  memory: ['machine.ts', 'milestones.ts'],
  content: ['content.ts', 'machine.ts', 'decompressor.ts', 'gdb.ts'],
  smallest: ['smallest.ts', 'load-size.ts', 'machine.ts', 'search.ts'],
  kdump: ['kdump.ts', 'smallest.ts', 'load-size.ts', 'machine.ts', 'search.ts'],
  system: ['systems.ts', '../forms/system-forms.ts', 'system-milestones.ts'],
  storage: ['storage.ts', 'throttled.ts', 'machine.ts', 'milestones.ts'],
};

function measureOf(point: Point, formOf: (treeMB: number, way: Way) => Form, kernels: Kernels, clock: Clock) {
  const name = `bench ${idOf(point)}`;
  if (point.kind === 'system') return () => systemRow(point.image, point.way, kernels);
  const form = formOf(point.treeMB, point.way);
  switch (point.kind) {
    case 'timing':
      return () => timing(name, form, point.use, kernels, clock);
    case 'memory':
      return () => memory(name, form, point.use, kernels);
    case 'content':
      return () => content(form, point.use, kernels);
    case 'smallest':
      return () => smallestRow(form, point.use, kernels);
    case 'kdump':
      return () => kdumpRow(form, kernels);
    case 'storage':
      return () => storageRow(form, point.use, point.medium, kernels);
  }
}

/** What to do for a point, and the hash of what decides its outcome. Images and kernels are named by their content. */
export async function jobOf(
  point: Point,
  formOf: (treeMB: number, way: Way) => Form,
  kernels: Kernels,
  clock: Clock,
): Promise<Job> {
  const form = 'treeMB' in point ? formOf(point.treeMB, point.way) : undefined;
  const key = keyOf([
    ...[
      idOf(point),
      clock,
      await versionOf(hostFrom(process.env).qemu, '--version'),
      kernels.patched,
      kernels.stock,
    ],
    // A system's images are made from what `systems.ts` names, with mkfs.erofs.
    form ? JSON.stringify([form.initrd, form.disk, form.pmem, form.append]) : await versionOf('mkfs.erofs'),
    ...sources[point.kind].map((file) => readFileSync(join(import.meta.dirname, '../measure', file))),
  ]);
  return { point, key, measure: measureOf(point, formOf, kernels, clock) };
}
