// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';

/** PATH_MAX and NAME_MAX of Linux, the first without the NUL. */
export const pathLimit = 4095;
const nameLimit = 255;

/** Bits of a device's numbers in Linux (MINORBITS in include/linux/kdev_t.h). */
const majorLimit = 2 ** 12 - 1;
const minorLimit = 2 ** 20 - 1;

/** Largest user or group in Linux; the number after it stands for none. */
const idLimit = 2 ** 32 - 2;

/** Limit of a file's size in an image: mkfs.erofs reads holes like data, and takes hours for so much. */
const sizeLimit = 2 ** 40;

/** Says why a file of this size gets into no image, or returns undefined if it does. */
export function sizeProblem(size: number): string | undefined {
  if (size <= sizeLimit) return undefined;
  return `a size of ${size} bytes with its holes, which mkfs.erofs reads as well, and at most ${sizeLimit} are taken`;
}

/** Says why Linux has no file of this path, or returns undefined if it can. */
export function nameProblem(path: string): string | undefined {
  if (path.length > pathLimit) return `a path of ${path.length} bytes, and Linux takes ${pathLimit}`;
  if (path.includes('\0')) return 'a NUL in its name, where Linux ends a name';
  const longest = Math.max(...path.split('/').map((part) => part.length));
  return longest > nameLimit ? `a name of ${longest} bytes, and Linux takes ${nameLimit}` : undefined;
}

/**
 * Checks the path that an entry gets when symlinks are followed. The kernel makes deeper ones through symlinks, but no
 * program can name them from the root, nor can they be written below another folder.
 * @param options `offset` is that of the entry.
 * @throws Failure (input) when it is longer than a path of Linux.
 */
export function checkDepth(path: string, { offset }: { offset?: number } = {}): void {
  if (path.length <= pathLimit) return;
  const start = displayName(path.slice(0, 40));
  const problem = `an entry has a path of ${path.length} bytes where no symlink shortens it (${start}...), and Linux takes ${pathLimit}; leave it out`;
  throw new Failure('input', problem, { offset });
}

/** Says why Linux has no symlink with a target of so many bytes, or returns undefined if it can. */
export function targetProblem(size: number): string | undefined {
  if (size === 0) return 'a symlink without a target';
  return size > pathLimit ? `a symlink's target of ${size} bytes, and Linux takes ${pathLimit}` : undefined;
}

/** Says why Linux has no such owner, or returns undefined if it can. */
export function ownerProblem({ uid, gid }: { uid: number; gid: number }): string | undefined {
  for (const [name, id] of Object.entries({ uid, gid }))
    if (id < 0 || id > idLimit) return `a ${name} of ${id}, and Linux takes 0 to ${idLimit}`;
  return undefined;
}

/** Says why Linux has no such device, or returns undefined if it can. */
export function deviceProblem(major: number, minor: number): string | undefined {
  if (major >= 0 && major <= majorLimit && minor >= 0 && minor <= minorLimit) return undefined;
  return `a device ${major}:${minor}, and Linux takes up to ${majorLimit}:${minorLimit}`;
}

/** Returns the numbers that the kernel makes of those in a cpio header (MKDEV, then new_encode_dev). */
export function kernelDevice(major: number, minor: number): { major: number; minor: number } {
  const device = ((major << 20) | minor) >>> 0;
  return { major: device >>> 20, minor: device & minorLimit };
}
