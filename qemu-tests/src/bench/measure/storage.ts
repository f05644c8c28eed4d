// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { inStep, type Throttle } from '../../machine/qemu.ts';
import type { Form } from '../forms/forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import { media } from '../model/media.ts';
import type { LoadSeconds, Milestones, StorageRow, Use } from '../model/schema.ts';
import { variantOf } from '../model/way.ts';
import { timing } from './machine.ts';
import { inStepTiming } from './throttled.ts';

type Medium = StorageRow['medium'];

/** For a machine that is slowed down, processor and disk alike. Rounding makes 1504 requests a second of 1500, and 6016 of 6000. */
export function slowed({ bytesPerSecond, requestsPerSecond }: Throttle): Throttle {
  return {
    bytesPerSecond: Math.round(bytesPerSecond / inStep),
    requestsPerSecond: Math.round(requestsPerSecond / inStep),
  };
}

/**
 * Returns the seconds that a boot loader takes for kernel and initrd: their bytes over the medium's rate. It reads large
 * files from one end to the other, so requests do not count; that many boot loaders are slower than the bus is left out.
 */
export function loadSeconds(kernels: Kernels): LoadSeconds {
  return (medium, way, { initrdBytes }) =>
    (statSync(kernels[variantOf(way)]).size + initrdBytes) / media[medium].bytesPerSecond;
}

/**
 * Boots a form that has a disk from such storage. (Without a disk nothing is read once the kernel runs, and the boot is
 * like any other.) The boot is measured as always, and the waiting as the difference of two more in a machine that is slowed down, one with the disk throttled and one without. QEMU times throttling by the host's clock,
 * which has to be the guest's then. All three have the disk's image in the host's page cache. Each throttled boot is
 * short of the medium by what QEMU lets through at first, 0.1 s / 32, and by one request, 5 ms at 25 MB/s: reading 25 MB
 * takes 0.998 s, not 1. Requests that go on while the guest computes cost nothing, as on a machine with DMA.
 *
 * Throws an Error when the host was too busy for the two clocks to be one.
 */
export async function storageRow(
  form: Form,
  use: Use,
  medium: Medium,
  kernels: Kernels,
): Promise<StorageRow> {
  const { way, tree, files } = form;
  const { usual, free } = await unthrottled(form, use, kernels);
  const throttle = slowed(media[medium]);
  const throttled = await inStepTiming(nameOf(form, use, medium), form, use, kernels, { throttle });
  return {
    ...{ way, medium, treeMB: tree.megabytes, use, files },
    loadSeconds: loadSeconds(kernels)(medium, way, files),
    bootSeconds: usual.used + (throttled.used - free.used) / inStep,
  };
}

interface Unthrottled {
  readonly usual: Milestones;
  /** In step. */
  readonly free: Milestones;
}

/** The two boots that are the same for all media, by what is booted. */
const known = new Map<string, Promise<Unthrottled>>();

function unthrottled(form: Form, use: Use, kernels: Kernels): Promise<Unthrottled> {
  const { way, initrd, disk } = form;
  const key = JSON.stringify([kernels[variantOf(way)], initrd, disk, use]);
  let boots = known.get(key);
  if (boots === undefined) {
    boots = bootUnthrottled(form, use, kernels);
    // What failed can be tried again.
    boots.catch(() => known.delete(key));
    known.set(key, boots);
  }
  return boots;
}

async function bootUnthrottled(form: Form, use: Use, kernels: Kernels): Promise<Unthrottled> {
  const usual = await timing(nameOf(form, use, 'usual'), form, use, kernels);
  return { usual, free: await inStepTiming(nameOf(form, use, 'free'), form, use, kernels) };
}

function nameOf({ way, tree }: Form, use: Use, what: string): string {
  return `bench storage ${way} ${tree.megabytes} ${use} ${what}`;
}
