// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storage-init.h"

/* Most attempts to get a loop device that is free. */
#define LOOP_TRIES 100

/* Returns the name that messages have for the place of the image. */
static const char *place(const struct settings *settings)
{
	return settings->archive ? "the initrd's " ARCHIVE : settings->bootfs ?: "the initramfs' " BOOT;
}

void image_point(unsigned int number, char *point, size_t size)
{
	if (number)
		snprintf(point, size, IMAGE ".%u", number);
	else
		snprintf(point, size, IMAGE);
}

/* Returns the end of a message about an image that is not there. */
static const char *check(const struct settings *settings)
{
	return settings->archive ? "" : "; check fs=";
}

/* Refuses an image of the archive that is not what the list says, since another archive can replace it. */
static int check_listed(const char *path)
{
	if (own_is_intact(path))
		return OK;
	return fail(NO_IMAGE, "the image %s is not the one that " ARCHIVE_FILES " lists; leave out the archive that replaces "
		    "it, or make the initrd again", path);
}

/* Opens the image. Absolute links in the boot file system are followed inside it. */
static int open_image(const struct settings *settings, int *image)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int boot = open(settings->archive ? ARCHIVE : BOOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	*image = boot < 0 ? -1 : (int)syscall(SYS_openat2, boot, settings->fs, &how, sizeof(how));
	if (*image < 0) {
		int error = errno;

		if (boot >= 0)
			close(boot);
		return fail(NO_IMAGE, "cannot open the image %s in %s: %s%s", settings->fs, place(settings),
			    strerror(error), check(settings));
	}
	close(boot);
	if (fstat(*image, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(*image);
		return fail(NO_IMAGE, "the image %s in %s is %s%s", settings->fs, place(settings),
			    S_ISREG(st.st_mode) ? "empty" : "no regular file", check(settings));
	}
	return OK;
}

/*
 * Attaches the image to a loop device, which goes away with its last user. Returns
 * a descriptor to be kept until the mount, or a negative errno.
 */
static int attach_loop(const struct settings *settings, int image, char *device, size_t size)
{
	struct loop_config config = { .fd = (__u32)image, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int error = 0, fd = -1, tries = LOOP_TRIES;

	if (control < 0)
		return -errno;
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", settings->fs);
	do {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0) {
			error = errno;
			break;
		}
		snprintf(device, size, "/dev/loop%d", number);
		fd = open(device, O_RDONLY | O_CLOEXEC);
		error = fd < 0 || ioctl(fd, LOOP_CONFIGURE, &config) ? errno : 0;
		if (error && fd >= 0)
			close(fd);
		/* EBUSY: another process took this device first, or keeps it without a file. */
	} while (error == EBUSY && --tries);
	close(control);
	return error ? -error : fd;
}

/* Says why the image could not be mounted, as far as the error tells. */
static int explain(const struct settings *settings, const char *image, int error)
{
	char *type;
	int code;

	if (error == ENODEV)
		return fail(NO_IMAGE, "cannot mount the image %s: this kernel knows no file system %s; %s%s", settings->fs,
			    settings->fstype, settings->archive ? "" : "check fstype=, or ", modules_advice(settings));
	if (error == ENOTBLK)
		return fail(NO_IMAGE, "cannot mount the image %s without a loop device: this kernel or the file system "
			    "that it is on cannot do it; take attach=auto", settings->fs);
	type = identity_of(image, "TYPE");
	code = type && strcmp(type, settings->fstype) ?
		       fail(NO_IMAGE, "cannot mount the image %s as %s: %s; it is %s: say fstype=%s", settings->fs,
			    settings->fstype, strerror(error), type, type) :
		       fail(NO_IMAGE, "cannot mount the image %s as %s: %s; it is damaged, or its features are none "
			    "of this kernel", settings->fs, settings->fstype, strerror(error));
	free(type);
	return code;
}

/* Mounts EROFS from its file (Linux 6.12). ENOTBLK: this kernel, or the file system of the file, cannot. */
static int mount_file(const struct settings *settings, const char *image, const char *point)
{
	/* Mount tables show the path that is given here. */
	char path[PATH_SIZE];
	ssize_t length = readlink(image, path, sizeof(path) - 1);

	if (length < 0)
		return errno;
	path[length] = '\0';
	return mount(path, point, settings->fstype, MS_RDONLY, NULL) ? errno : 0;
}

static int mount_loop(const struct settings *settings, int fd, const char *image, const char *point)
{
	char device[64] = "";
	int loop = attach_loop(settings, fd, device, sizeof(device));
	int error, code = OK;

	if (loop < 0)
		return fail(NO_IMAGE, "cannot attach the image %s to a loop device: %s; if the module loop is missing, %s",
			    settings->fs, strerror(-loop), modules_advice(settings));
	error = mount(device, point, settings->fstype, MS_RDONLY, NULL) ? errno : 0;
	if (error)
		code = explain(settings, image, error);
	else
		say("%s (%s) is attached to %s", settings->fs, settings->fstype, device);
	close(loop);
	return code;
}

static int attach(const struct settings *settings, const char *point)
{
	bool only_file = !strcmp(settings->attach, "file");
	int fd, code, error = ENOTBLK;
	char image[64];

	code = open_image(settings, &fd);
	if (code)
		return code;
	snprintf(image, sizeof(image), "/proc/self/fd/%d", fd);
	if (only_file || (strcmp(settings->attach, "loop") && !strcmp(settings->fstype, "erofs"))) {
		error = mount_file(settings, image, point);
		if (!error)
			say("%s (%s) is read from its file", settings->fs, settings->fstype);
		else if (only_file || error != ENOTBLK)
			code = explain(settings, image, error);
	}
	if (error == ENOTBLK && !only_file)
		code = mount_loop(settings, fd, image, point);
	close(fd);
	return code;
}

int images_attach(const struct settings *settings, unsigned int *count)
{
	struct settings one = *settings;
	char name[64], point[PATH_SIZE];
	int code = settings->archive ? check_listed(ARCHIVE_IMAGE) : OK;

	if (!code)
		code = attach(settings, IMAGE);
	*count = 1;
	for (one.fs = name; !code && settings->archive && *count < IMAGES_MAX; (*count)++) {
		snprintf(name, sizeof(name), ARCHIVE "/root.%u.erofs", *count);
		/* An image of another archive is an extra file. */
		if (!own_is(name + 1))
			break;
		code = check_listed(name);
		if (code)
			break;
		snprintf(name, sizeof(name), "/root.%u.erofs", *count);
		image_point(*count, point, sizeof(point));
		if (!make_point(point))
			return fail(FAILED, "cannot make the directory %s: %s", point, strerror(errno));
		code = attach(&one, point);
	}
	return code;
}
