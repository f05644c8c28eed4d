// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { bytes, seconds, way } from './fields.ts';

/** The ways to use a file, as `guest/steps/measure.c` knows them. The first one finds the image untouched. */
export const accessPatterns = ['read', 'map', 'splice', 'sendfile', 'open'] as const;
export type AccessPattern = (typeof accessPatterns)[number];

/** Seconds for using every file of a tree once, by pattern; 64 KiB a call, caches dropped before each pattern. */
export const accessSchema = z.strictObject({
  way,
  treeMB: z.number().int().positive(),
  seconds: z.record(z.enum(accessPatterns), seconds),
});
export type AccessRow = z.infer<typeof accessSchema>;

/** The ways to use files that differ in what they make the kernel decompress; `programs` runs the few programs. */
export const decompressionPatterns = [
  'read 4K',
  'read 64K',
  'read 128K',
  'map',
  'random 4K',
  'programs',
] as const;
export type DecompressionPattern = (typeof decompressionPatterns)[number];

/** Output of the decompressors in one boot, from the start of the kernel until every file was used so. */
export const decompressedSchema = z.strictObject({
  way,
  treeMB: z.number().int().positive(),
  pattern: z.enum(decompressionPatterns),
  calls: z.number().int().nonnegative(),
  bytes,
  /**
   * The bytes that were needed: those of files that are in the page cache afterwards, or of all pclusters that were
   * touched if these are fewer (files that are not compressed get into the page cache, too).
   */
  usedBytes: bytes,
});
export type DecompressedRow = z.infer<typeof decompressedSchema>;
