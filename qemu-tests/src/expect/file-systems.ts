// SPDX-License-Identifier: GPL-2.0-only

/** The types of file systems as the agent's step `statfs` reports them: the magic numbers of <linux/magic.h>. */
export const fileSystems = {
  erofs: 'e0f5e1e2',
  overlay: '794c7630',
  ramfs: '858458f6',
  tmpfs: '1021994',
} as const;
