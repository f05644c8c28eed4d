// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "storage-init.h"

int boot_mount(const struct settings *settings)
{
	char device[PATH_SIZE];
	char *type;
	int code, error;

	/* The image is in the initramfs itself. */
	if (!settings->bootfs)
		return OK;
	code = device_find(settings, device, sizeof(device));
	if (code)
		return code;
	type = settings->bootfstype ? strdup(settings->bootfstype) : identity_of(device, "TYPE");
	if (!type)
		return fail(NO_BOOT, "%s has no file system that is known; check bootfs=, or say bootfstype=", device);
	if (!make_point(BOOT)) {
		code = fail(FAILED, "cannot make the directory " BOOT ": %s", strerror(errno));
		free(type);
		return code;
	}
	error = mount(device, BOOT, type, MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) ? errno : 0;
	if (error == ENODEV)
		code = fail(NO_BOOT, "cannot mount %s: this kernel knows no file system %s; check bootfstype=, "
			    "or list its module in " MODULES, device, type);
	else if (error)
		code = fail(NO_BOOT, "cannot mount %s as %s: %s; check bootfstype=, or the device", device, type,
			    strerror(error));
	free(type);
	return code;
}
