// SPDX-License-Identifier: GPL-2.0-only

/**
 * Warning of a directory over a symlink, mostly of two trees of which one has `lib -> usr/lib`: the kernel removes the
 * symlink and makes the directory, so that what was found through the symlink no longer is.
 */
export const overSymlink = 'a directory takes the place of a symlink, and what it led to is not found there';
