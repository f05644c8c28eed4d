/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NEW_ROOT_H
#define NEW_ROOT_H

#include <stdbool.h>

/* Exit codes that mean the same in every program; README.md lists all of them. */
enum { OK = 0, FAILED = 1, USAGE = 2, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* Each program says in its own way what failed, and gets back its code. 0: goes on all the same. */
__attribute__((format(printf, 2, 3))) int fail(int code, const char *format, ...);

bool is_mount_root(int fd, const char *path);

/* What can be known before anything is changed. `root` is the new root. */
int check_new_root(int root, const char *new_root, const char *init);

/* /dev, /proc, /sys and /run, those that are mounts, to the same places below new_root. */
void move_mounts(const char *new_root);

/* new_root becomes the root and the working directory; the old root is let go. */
int enter_new_root(const char *new_root, bool keep_files);

/* The three standard descriptors. */
void open_console(const char *console);

#endif
