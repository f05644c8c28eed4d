/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CALLS_H
#define CALLS_H

/* System calls that glibc has functions for, and musl none; statx(2) is in musl 1.2.5. */

#include <sys/mount.h>
#include <sys/stat.h>

#ifndef __GLIBC__
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef STATX_TYPE
#include <linux/stat.h>
#define statx(fd, path, flags, mask, st) ((int)syscall(SYS_statx, fd, path, flags, mask, st))
#elif !defined(STATX_ATTR_MOUNT_ROOT)
/* As in linux/stat.h, which defines the structure again. */
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif
#define open_tree(fd, path, flags) ((int)syscall(SYS_open_tree, fd, path, flags))
#define move_mount(from, from_path, to, to_path, flags) \
	((int)syscall(SYS_move_mount, from, from_path, to, to_path, flags))
#define fsopen(type, flags) ((int)syscall(SYS_fsopen, type, flags))
#define fsconfig(fd, command, key, value, aux) ((int)syscall(SYS_fsconfig, fd, command, key, value, aux))
#define fsmount(fd, flags, attributes) ((int)syscall(SYS_fsmount, fd, flags, attributes))
#endif

#endif
