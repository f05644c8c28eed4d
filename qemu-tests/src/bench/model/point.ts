// SPDX-License-Identifier: GPL-2.0-only

import type { SystemSize } from '../../debian/system.ts';
import type { DecompressionPattern } from './access-schema.ts';
import type { StorageRow, SystemRow, Use } from './schema.ts';
import { factsOf, type Way } from './way.ts';
import type { OneFileKernel, RootfsType } from './whole-schema.ts';

/** One thing to measure: a boot, or a search that takes several. */
export type Point =
  | {
      readonly kind: 'timing';
      readonly way: Way;
      readonly treeMB: number;
      readonly use: Use;
      readonly run: number;
    }
  | {
      readonly kind: 'memory' | 'content' | 'smallest';
      readonly way: Way;
      readonly treeMB: number;
      readonly use: Use;
    }
  | { readonly kind: 'kdump' | 'access'; readonly way: Way; readonly treeMB: number }
  | {
      readonly kind: 'decompressed';
      readonly way: Way;
      readonly treeMB: number;
      readonly pattern: DecompressionPattern;
    }
  | { readonly kind: 'cpus'; readonly way: Way; readonly treeMB: number; readonly cpus: number }
  | { readonly kind: 'system'; readonly way: Way; readonly image: SystemRow['image'] }
  | { readonly kind: 'whole'; readonly way: Way; readonly system: SystemSize }
  | { readonly kind: 'initramfs'; readonly way: Way; readonly system: SystemSize }
  | {
      readonly kind: 'whole-smallest';
      readonly way: Way;
      readonly system: SystemSize;
      readonly rootfs: RootfsType;
    }
  | {
      readonly kind: 'one-file';
      readonly way: Way;
      readonly system: SystemSize;
      readonly kernel: OneFileKernel;
    }
  | {
      readonly kind: 'storage';
      readonly way: Way;
      readonly treeMB: number;
      readonly use: Use;
      readonly medium: StorageRow['medium'];
    };

/** Returns the name of what is booted: an initramfs, a whole system, or a tree. */
export function subjectOf(point: Point): string {
  if ('image' in point) return point.image;
  return 'system' in point ? point.system : String(point.treeMB);
}

/** A name that tells it from all others: `timing/100/kernel-none/few/1`. */
export function idOf(point: Point): string {
  const parts = [
    point.kind,
    subjectOf(point),
    point.way,
    ...('rootfs' in point ? [point.rootfs] : []),
    ...('kernel' in point ? [point.kernel] : []),
    ...('cpus' in point ? [point.cpus] : []),
    ...('use' in point ? [point.use] : []),
    ...('run' in point ? [point.run] : []),
    ...('medium' in point ? [point.medium] : []),
    ...('pattern' in point ? [point.pattern.replace(' ', '-')] : []),
  ];
  return parts.join('/');
}

/**
 * Returns whether the clock of the point waits for the host, so that nothing else may run beside it. The searches for
 * memory have no clock; boots that are counted alone take one processor.
 */
export function wantsQuiet(point: Point): boolean {
  // The root that it leads to is on a disk.
  if (point.kind === 'initramfs') return true;
  const kinds: Point['kind'][] = ['timing', 'system', 'storage', 'whole'];
  return kinds.includes(point.kind) && factsOf(point.way).disk === true;
}

/** Seconds for a megabyte of a cpio archive, on a machine of 2026 under TCG; only their proportions matter. */
const unpacking: Partial<Record<Way, number>> = {
  'cpio-none': 0.01,
  'cpio-lz4': 0.02,
  'cpio-zstd-3': 0.03,
  'cpio-zstd-19': 0.03,
  'cpio-gzip': 0.06,
  'cpio-xz': 0.25,
};

/** About how long it takes, in seconds: for the estimate of what is left. */
export function weightOf(point: Point): number {
  if (point.kind === 'system') return 80;
  if ('system' in point)
    return { small: 1, medium: 2, large: 4 }[point.system] * (point.kind === 'whole-smallest' ? 360 : 60);
  const boot =
    3 + point.treeMB * ((unpacking[point.way] ?? 0.005) + ('use' in point && point.use === 100 ? 0.02 : 0));
  const boots = {
    timing: 1,
    memory: 1.5,
    cpus: 3,
    content: 3,
    smallest: 8,
    kdump: 16,
    storage: 2,
    access: 3,
    decompressed: 3,
  };
  return boot * boots[point.kind];
}
