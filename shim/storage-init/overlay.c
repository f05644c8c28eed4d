// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage-init.h"

#define UPPER SPACE "/upper"

/* Makes the upper layer's root like the image's: the overlay shows the attributes of the upper one. */
static bool copy_root(const char *image)
{
	struct stat st;

	if (stat(image, &st) || mkdir(UPPER, 0755) || chown(UPPER, st.st_uid, st.st_gid) ||
	    chmod(UPPER, st.st_mode & 07777))
		return false;
	return !utimensat(AT_FDCWD, UPPER, (struct timespec[]){ st.st_atim, st.st_mtim }, 0);
}

/* Writes the options that every kernel takes, and the later ones over the earlier images. */
static void put_layers(char *options, size_t size, unsigned int images, bool extra)
{
	size_t used = snprintf(options, size, "upperdir=" UPPER ",workdir=" SPACE "/work,lowerdir=%s",
			       extra ? EXTRA ":" : "");

	while (images--) {
		char point[PATH_SIZE];

		image_point(images, point, sizeof(point));
		used += snprintf(options + used, size - used, "%s%s", point, images ? ":" : "");
	}
}

int overlay_mount(const struct settings *settings, unsigned int images, bool extra)
{
	static const char *const points[] = { NEW_ROOT "/dev", NEW_ROOT "/proc", NEW_ROOT "/sys" };
	char layers[PATH_SIZE / 2], options[PATH_SIZE], top[PATH_SIZE];
	int error;

	image_point(images - 1, top, sizeof(top));
	put_layers(layers, sizeof(layers), images, extra);
	/* Files then have the device number of the root, as with the series: switch_root finds who holds it. */
	snprintf(options, sizeof(options), "%s,volatile,xino=on", layers);
	if (mount("storage-init", SPACE, "tmpfs", 0, "mode=0700"))
		return fail(NO_OVERLAY, "cannot mount a tmpfs for the overlay: %s", strerror(errno));
	if (!copy_root(top) || mkdir(SPACE "/work", 0700))
		return fail(NO_OVERLAY, "cannot prepare the tmpfs for the overlay: %s", strerror(errno));
	/* A tmpfs needs no sync. Kernels before 5.10 do not know the option. */
	error = mount("overlay", NEW_ROOT, "overlay", 0, options) ? errno : 0;
	if (error == EINVAL)
		error = mount("overlay", NEW_ROOT, "overlay", 0, layers) ? errno : 0;
	if (error == ENODEV)
		return fail(NO_OVERLAY, "cannot mount the overlay: this kernel has none; %s", modules_advice(settings));
	if (error)
		return fail(NO_OVERLAY, "cannot mount the overlay: %s", strerror(error));
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		mkdir(points[i], 0755);
	return OK;
}
