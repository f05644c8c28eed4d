// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage-init.h"

#define UPPER SPACE "/upper"
#define LAYERS "lowerdir=" IMAGE ",upperdir=" UPPER ",workdir=" SPACE "/work"

/* Makes the upper layer's root like the image's: the overlay shows the attributes of the upper one. */
static bool copy_root(void)
{
	struct stat st;

	if (stat(IMAGE, &st) || mkdir(UPPER, 0755) || chown(UPPER, st.st_uid, st.st_gid) ||
	    chmod(UPPER, st.st_mode & 07777))
		return false;
	return !utimensat(AT_FDCWD, UPPER, (struct timespec[]){ st.st_atim, st.st_mtim }, 0);
}

int overlay_mount(void)
{
	static const char *const points[] = { NEW_ROOT "/dev", NEW_ROOT "/proc", NEW_ROOT "/sys" };
	int error;

	if (mount("storage-init", SPACE, "tmpfs", 0, "mode=0700"))
		return fail(NO_OVERLAY, "cannot mount a tmpfs for the overlay: %s", strerror(errno));
	if (!copy_root() || mkdir(SPACE "/work", 0700))
		return fail(NO_OVERLAY, "cannot prepare the tmpfs for the overlay: %s", strerror(errno));
	/* A tmpfs needs no sync. Kernels before 5.10 do not know the option. */
	error = mount("overlay", NEW_ROOT, "overlay", 0, LAYERS ",volatile") ? errno : 0;
	if (error == EINVAL)
		error = mount("overlay", NEW_ROOT, "overlay", 0, LAYERS) ? errno : 0;
	if (error == ENODEV)
		return fail(NO_OVERLAY, "cannot mount the overlay: this kernel has none; list the module overlay in "
			    MODULES);
	if (error)
		return fail(NO_OVERLAY, "cannot mount the overlay: %s", strerror(error));
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		mkdir(points[i], 0755);
	return OK;
}
