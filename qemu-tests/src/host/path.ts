// SPDX-License-Identifier: GPL-2.0-only

/** An environment that finds programs such as mke2fs and depmod, too: not everybody's PATH leads to /usr/sbin. */
export const withSbin = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
