/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NEW_ROOT_H
#define NEW_ROOT_H

#include <stdbool.h>

/*
 * Looks for a program in the root that a descriptor is of; absolute links are followed inside it.
 * Returns OK, NOT_FOUND or NOT_EXECUTABLE.
 */
int find_program(int root, const char *program);

/* Checks what can be known before anything is changed. `root` is a descriptor of the new root. */
int check_new_root(int root, const char *new_root, const char *init);

/* Moves /dev, /proc, /sys and /run to the same places below new_root, where they are mounts. */
void move_mounts(const char *new_root);

/* Makes new_root the root and the working directory, and lets go of the old root. */
int enter_new_root(const char *new_root, bool keep_files);

/* Opens a console as the three standard descriptors. */
void open_console(const char *console);

#endif
