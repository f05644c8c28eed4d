// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../host/cache.ts';
import { versionOf } from '../../host/versions.ts';
import { hostFrom } from '../../machine/qemu.ts';
import type { Form } from '../forms/forms.ts';
import type { InitramfsForm } from '../forms/initramfs-forms.ts';
import type { Kernels, ReleasedKernel } from '../forms/kernels.ts';
import type { SystemForm } from '../forms/system-forms.ts';
import type { WholeForm } from '../forms/whole-forms.ts';
import { accessRow } from '../measure/access.ts';
import { content } from '../measure/content.ts';
import { decompressed } from '../measure/decompressed.ts';
import { initramfsRow } from '../measure/initramfs.ts';
import { kdumpRow } from '../measure/kdump.ts';
import { memory, timing } from '../measure/machine.ts';
import { oneFileRow } from '../measure/one-file.ts';
import { smallestRow } from '../measure/smallest.ts';
import { storageRow } from '../measure/storage.ts';
import { systemRow } from '../measure/systems.ts';
import { wholeRow } from '../measure/whole.ts';
import { wholeSmallest } from '../measure/whole-smallest.ts';
import { idOf, type Point } from '../model/point.ts';
import type { Clock } from '../model/schema.ts';
import type { Way } from '../model/way.ts';
import type { OneFileKernel } from '../model/whole-schema.ts';
import type { Job } from './queue.ts';

/** The files of measure/ that decide how a kind of point is measured. */
const sources: Record<Point['kind'], readonly string[]> = {
  timing: ['machine.ts', 'milestones.ts'],
  memory: ['machine.ts', 'milestones.ts'],
  cpus: ['machine.ts', 'milestones.ts'],
  access: ['access.ts', 'machine.ts'],
  content: ['content.ts', 'machine.ts', 'trace.ts'],
  decompressed: ['decompressed.ts', 'machine.ts', 'trace.ts'],
  smallest: ['smallest.ts', 'load-size.ts', 'machine.ts', 'search.ts'],
  kdump: ['kdump.ts', 'smallest.ts', 'load-size.ts', 'machine.ts', 'search.ts'],
  system: ['systems.ts', 'system-milestones.ts'],
  whole: ['whole.ts', 'milestones.ts'],
  initramfs: ['initramfs.ts', 'milestones.ts'],
  'one-file': ['one-file.ts', 'whole.ts', 'milestones.ts'],
  'whole-smallest': ['whole-smallest.ts', 'whole.ts', 'search.ts'],
  storage: ['storage.ts', 'throttled.ts', 'machine.ts', 'milestones.ts'],
};

/** Everything that points are measured with. */
export interface Equipment {
  readonly clock: Clock;
  readonly kernels: Kernels;
  /** Kernels with probes, by way; of those ways whose decompression is counted. */
  readonly tracing: ReadonlyMap<Way, string>;
  readonly formOf: (treeMB: number, way: Way) => Form;
  readonly systemFormOf: (image: string, way: Way) => SystemForm;
  readonly wholeFormOf: (system: string, way: Way) => WholeForm;
  readonly initramfsFormOf: (system: string, way: Way) => InitramfsForm;
  readonly oneFileOf: (system: string) => WholeForm;
  readonly oneFileKernels: ReadonlyMap<OneFileKernel, ReleasedKernel>;
  /** The root that real systems boot to. */
  readonly root: string;
}

/** Points that are measured on kernels with probes. */
export function wantsTracing({ kind }: Point): boolean {
  return kind === 'content' || kind === 'decompressed';
}

/** Returns what was made for a key. Throws a RangeError when nothing was. */
export function of<K, V>(made: ReadonlyMap<K, V>, key: K): V {
  const found = made.get(key);
  if (found === undefined) throw new RangeError(`${key} was not made`);
  return found;
}

function measureOf(point: Point, equipment: Equipment): () => Promise<unknown> {
  const { clock, kernels, tracing, formOf, systemFormOf, wholeFormOf, oneFileOf, root } = equipment;
  const { initramfsFormOf, oneFileKernels } = equipment;
  const name = `bench ${idOf(point)}`;
  if (point.kind === 'system') return () => systemRow(systemFormOf(point.image, point.way), root, kernels);
  if (point.kind === 'initramfs')
    return () => initramfsRow(initramfsFormOf(point.system, point.way), kernels);
  if (point.kind === 'one-file')
    return () => oneFileRow(oneFileOf(point.system), point.kernel, of(oneFileKernels, point.kernel));
  if ('system' in point) {
    const whole = wholeFormOf(point.system, point.way);
    return () =>
      point.kind === 'whole' ? wholeRow(whole, kernels) : wholeSmallest(whole, point.rootfs, kernels);
  }
  const form = formOf(point.treeMB, point.way);
  switch (point.kind) {
    case 'timing':
      return () => timing(name, form, point.use, kernels, clock);
    case 'memory':
      return () => memory(name, form, point.use, kernels);
    case 'cpus': {
      const { way, treeMB, cpus } = point;
      return async () => ({ way, treeMB, cpus, memory: await memory(name, form, 'few', kernels, { cpus }) });
    }
    case 'access':
      return () => accessRow(form, kernels);
    case 'content':
      return () => content(form, point.use, of(tracing, point.way));
    case 'decompressed':
      return () => decompressed(form, point.pattern, of(tracing, point.way));
    case 'smallest':
      return () => smallestRow(form, point.use, kernels);
    case 'kdump':
      return () => kdumpRow(form, kernels);
    case 'storage':
      return () => storageRow(form, point.use, point.medium, kernels);
  }
}

/** Returns the files that a point boots. */
function filesOf(point: Point, equipment: Equipment): unknown {
  const { formOf, systemFormOf, wholeFormOf, initramfsFormOf, oneFileOf } = equipment;
  if ('image' in point) return systemFormOf(point.image, point.way);
  if (point.kind === 'initramfs') return initramfsFormOf(point.system, point.way);
  if (point.kind === 'one-file') return oneFileOf(point.system);
  if ('system' in point) return wholeFormOf(point.system, point.way);
  const { tree: _tree, ...files } = formOf(point.treeMB, point.way);
  return files;
}

/** Returns how to measure a point, and the hash of what decides its outcome: images and kernels are named by content. */
export async function jobOf(point: Point, equipment: Equipment): Promise<Job> {
  const { clock, kernels, tracing, root } = equipment;
  const key = keyOf([
    ...[idOf(point), clock, await versionOf(hostFrom(process.env).qemu, '--version')],
    ...(point.kind === 'one-file'
      ? [of(equipment.oneFileKernels, point.kernel).image]
      : wantsTracing(point)
        ? [of(tracing, point.way)]
        : [kernels.patched, kernels.stock]),
    JSON.stringify([filesOf(point, equipment), 'image' in point ? root : '']),
    ...sources[point.kind].map((file) => readFileSync(join(import.meta.dirname, '../measure', file))),
  ]);
  return { point, key, measure: measureOf(point, equipment) };
}
