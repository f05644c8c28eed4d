// SPDX-License-Identifier: GPL-2.0-only
/* Finds init in the new root, where a kernel with the series finds it. */
#include <stddef.h>
#include <string.h>

#include "storage-init.h"

/* The places where the kernel looks in a root that is on a disk. */
static const char *const usual[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };

/* Tells whether the command line names a root other than the initrd. */
static bool has_other_root(const struct settings *settings)
{
	return settings->root && strncmp(settings->root, "/dev/ram", strlen("/dev/ram"));
}

const char *init_find(const struct settings *settings, int root)
{
	static const char own[] = "/init";

	if (find_program(root, own) != NOT_FOUND || has_other_root(settings))
		return own;
	if (settings->init)
		return settings->init;
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (!find_program(root, usual[i]))
			return usual[i];
	return own;
}
