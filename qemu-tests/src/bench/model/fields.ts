// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { allWays, type Way } from './way.ts';

// Fields that many rows of `results.json` have.

export const way = z.enum(allWays as [Way, ...Way[]]);
export const seconds = z.number().positive();
export const bytes = z.number().int().nonnegative();
export const kib = z.number().int().positive();

/** Sizes of the files that the boot loader has to load beside the kernel, and of the image on the disk. */
export const filesSchema = z.strictObject({ initrdBytes: bytes, diskBytes: bytes });
