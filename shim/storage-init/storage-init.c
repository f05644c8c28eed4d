// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boots an image of an initramfs as /init of a small one: finds the image on a disk,
 * or in the small initramfs, mounts it under an overlay, makes that the root, and
 * executes its init. An initrd in the archive form is such a small initramfs, too.
 * containers/initoverlayfs does the same with systemd and dracut.
 *
 * README.md has the settings and the exit codes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common/calls.h"
#include "storage-init.h"

static int mount_api(void)
{
	static const struct {
		const char *place, *type;
		unsigned long flags;
		const char *data;
	} mounts[] = {
		/* The first, for messages of the others. */
		{ "/dev", "devtmpfs", MS_NOSUID, "mode=0755" },
		{ "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
		{ "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		/* EBUSY: it is mounted already. */
		if (!make_point(mounts[i].place) ||
		    (mount(mounts[i].type, mounts[i].place, mounts[i].type, mounts[i].flags, mounts[i].data) &&
		     errno != EBUSY))
			return fail(FAILED, "cannot mount %s: %s", mounts[i].place, strerror(errno));
	}
	return OK;
}

/* Unmounts what only the way to the new root needed. The overlay keeps its layers in use. */
static void unmount_work(void)
{
	char point[PATH_SIZE];

	umount2(EXTRA, MNT_DETACH);
	umount2(SPACE, MNT_DETACH);
	for (unsigned int i = 0; i < IMAGES_MAX; i++) {
		image_point(i, point, sizeof(point));
		umount2(point, MNT_DETACH);
	}
	umount2(BOOT, MNT_DETACH);
}

/*
 * Takes extra files. Sets `extra` to a descriptor for init, or to a negative number. Returns
 * true if they are a layer of the root instead.
 */
static bool take_extras(const struct settings *settings, int *extra)
{
	*extra = settings->archive ? extras_take(settings) : -1;
	if (*extra < 0 || !settings->extra || strcmp(settings->extra, "overlay"))
		return false;
	if (move_mount(*extra, "", AT_FDCWD, EXTRA, MOVE_MOUNT_F_EMPTY_PATH)) {
		warning("cannot mount the extra files: %s; init gets them as a descriptor", strerror(errno));
		return false;
	}
	close(*extra);
	*extra = -1;
	return true;
}

static int mount_root(const struct settings *settings, int *extra, const char **init)
{
	static const char *const points[] = { "/run", WORK, IMAGE, SPACE, EXTRA, NEW_ROOT };
	unsigned int images;
	int code, root;

	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		if (!make_point(points[i]))
			return fail(FAILED, "cannot make the directory %s: %s", points[i], strerror(errno));
	code = boot_mount(settings);
	if (!code)
		code = images_attach(settings, &images);
	if (!code)
		code = overlay_mount(settings, images, take_extras(settings, extra));
	if (code)
		return code;
	root = open(NEW_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail(FAILED, "cannot open the new root: %s", strerror(errno));
	*init = init_find(settings, root);
	code = check_new_root(root, "the image", *init);
	close(root);
	return code;
}

/* Returns an exit code if it fails before the small initramfs is deleted. */
static int boot(const struct settings *settings, char **argv)
{
	const char *init = "/init";
	int code, extra = -1;

	if (settings->archive && !own_read())
		return fail(NO_IMAGE, "cannot read " ARCHIVE_FILES ": %s; make the initrd again", strerror(errno));
	modules_load(settings);
	code = mount_root(settings, &extra, &init);
	unmount_work();
	if (code) {
		if (extra >= 0)
			close(extra);
		umount2(NEW_ROOT, MNT_DETACH);
		return code;
	}

	move_mounts(NEW_ROOT);
	code = enter_new_root(NEW_ROOT, false);
	if (!code) {
		/* The console of the old root, if it had one, is deleted by now. */
		open_console("/dev/console");
		argv[0] = (char *)init;
		if (extra >= 0)
			extras_pass(extra);
		execv(init, argv);
		code = fail(errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE,
			    "cannot execute %s of the image: %s; is there what it is linked with or interpreted by?", init,
			    strerror(errno));
	}
	/* The initramfs is deleted, so there is no shell to go back to: the kernel panics. */
	_exit(code);
}

int main(int argc, char **argv)
{
	struct settings settings = { 0 };
	int code;

	(void)argc;
	if (getpid() != 1) {
		fputs("storage-init: must be PID 1, as /init of an initramfs\n", stderr);
		return USAGE;
	}
	code = mount_api();
	/* The kernel opened no console if the initramfs has no node for it. */
	if (!code && fcntl(STDERR_FILENO, F_GETFD) < 0)
		open_console("/dev/console");
	mount(NULL, "/", NULL, MS_PRIVATE, NULL);
	if (!code)
		code = settings_read(&settings);
	do {
		if (!code)
			code = boot(&settings, argv);
		if (settings.fallback) {
			warning("executing %s, which fallback= names", settings.fallback);
			argv[0] = settings.fallback;
			execv(settings.fallback, argv);
			warning("cannot execute %s, which fallback= names: %s", settings.fallback, strerror(errno));
		}
		if (!settings.shell || !emergency_shell())
			break;
		code = settings_read(&settings);
	} while (true);
	warning("stopping with exit code %d; the kernel panics, and its parameter panic= decides what then", code);
	return code;
}
