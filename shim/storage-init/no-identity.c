// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "storage-init.h"

/* In place of identity.c: an image in the initrd has no device, and libblkid is half of the program. */
char *identity_of(const char *device, const char *name)
{
	(void)device;
	(void)name;
	return NULL;
}
