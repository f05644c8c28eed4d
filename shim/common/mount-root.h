/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MOUNT_ROOT_H
#define MOUNT_ROOT_H

#include <stdbool.h>

/* Tells whether a mount begins at path below fd, or at fd itself where path is empty. */
bool is_mount_root(int fd, const char *path);

#endif
