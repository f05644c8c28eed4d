// SPDX-License-Identifier: GPL-2.0-only

// Records of the kernel's log that tell how far a boot has come.

/** The kernel hands over to userspace. */
export const runInit = /^Run (\S+) as init process$/;

/** The first line of systemd as PID 1, in an initrd or in the real root. */
export const systemdStart = /^systemd\[1\]: systemd \S+ running in system mode/;

/** The last user of an image is gone, and its pages go back to the page allocator. */
export const released = /^initoverlayfs: released (\d+) pages/;
