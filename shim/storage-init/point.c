// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage-init.h"

bool make_point(const char *path)
{
	struct stat st;

	if (!mkdir(path, 0755))
		return true;
	if (errno != EEXIST || lstat(path, &st))
		return false;
	if (S_ISDIR(st.st_mode))
		return true;
	/* A mount would follow the link, out of the initramfs' own places. */
	warning("%s is no directory, from an extra archive maybe: removed to mount there", path);
	return !unlink(path) && !mkdir(path, 0755);
}
