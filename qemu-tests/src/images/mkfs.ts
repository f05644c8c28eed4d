// SPDX-License-Identifier: GPL-2.0-only
import { type ErofsOptions, Failure, file } from '@initoverlayfs/tools';
import { erofs } from './initrd.ts';

/**
 * Returns the reason that the installed mkfs.erofs cannot make an image with these options, or undefined when it can.
 */
export async function mkfsRefusal(options: ErofsOptions): Promise<string | undefined> {
  try {
    await erofs({ probe: file(Buffer.alloc(9000)) }, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `the installed mkfs.erofs refuses: ${error.problem}`;
  }
}
