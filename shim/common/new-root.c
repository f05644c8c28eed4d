// SPDX-License-Identifier: GPL-2.0-only
/* Makes a mount the root and lets go of the old root, so that its memory returns. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "exit-code.h"
#include "message.h"
#include "mount-root.h"
#include "new-root.h"

int find_program(int root, const char *program)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	struct stat st;
	bool executable;
	int fd = (int)syscall(SYS_openat2, root, program, &how, sizeof(how));

	if (fd < 0)
		return NOT_FOUND;
	executable = !fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & 0111);
	close(fd);
	return executable ? OK : NOT_EXECUTABLE;
}

int check_new_root(int root, const char *new_root, const char *init)
{
	if (!is_mount_root(root, ""))
		return fail(FAILED, "%s is not a mount point", new_root);
	switch (find_program(root, init)) {
	case NOT_FOUND:
		return fail(NOT_FOUND, "no %s in %s: %s", init, new_root, strerror(errno));
	case NOT_EXECUTABLE:
		return fail(NOT_EXECUTABLE, "%s in %s is not a file that can be executed", init, new_root);
	}
	return OK;
}

/* util-linux moves the same four; klibc leaves it to the script that calls run-init. */
void move_mounts(const char *new_root)
{
	static const char *const places[] = { "/dev", "/proc", "/sys", "/run" };
	char target[4096];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (!is_mount_root(AT_FDCWD, places[i]) ||
		    (size_t)snprintf(target, sizeof(target), "%s%s", new_root, places[i]) >= sizeof(target) ||
		    is_mount_root(AT_FDCWD, target))
			continue;
		if (mount(places[i], target, NULL, MS_MOVE, NULL))
			warning("cannot move %s to %s: %s", places[i], target, strerror(errno));
	}
}

/* Deletes everything below a directory without leaving its file system, and closes fd. */
static void delete_below(int fd, dev_t device)
{
	DIR *directory = fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!directory) {
		close(fd);
		return;
	}
	while ((entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || st.st_dev != device)
			continue;
		if (S_ISDIR(st.st_mode) && !is_mount_root(fd, entry->d_name)) {
			int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (below >= 0)
				delete_below(below, device);
			unlinkat(fd, entry->d_name, AT_REMOVEDIR);
		} else if (!S_ISDIR(st.st_mode)) {
			unlinkat(fd, entry->d_name, 0);
		}
	}
	closedir(directory);
}

/*
 * Returns a descriptor of / if its files are to be deleted: those of an unpacked cpio, which may stay in
 * use, by the console of init for one, or cannot be unmounted at all.
 */
static int open_unpacked(bool keep_files)
{
	struct statfs fs;

	if (keep_files || statfs("/", &fs) || (fs.f_type != RAMFS_MAGIC && fs.f_type != TMPFS_MAGIC))
		return -1;
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Deletes the files of an unpacked cpio, and closes it. */
static void delete_unpacked(int fd)
{
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st))
		delete_below(fd, st.st_dev);
}

/* Moves the new root, which is the working directory, over a root that cannot be left by pivot_root(2). */
static int switch_over(const char *new_root, int unpacked)
{
	struct stat old, new;

	if (stat("/", &old) || stat(".", &new))
		return fail(FAILED, "cannot look at / and %s: %s", new_root, strerror(errno));
	if (old.st_dev == new.st_dev)
		return fail(FAILED, "%s is on the file system of /", new_root);
	delete_unpacked(unpacked);
	if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
		return fail(FAILED, "cannot move %s to /: %s", new_root, strerror(errno));
	return OK;
}

int enter_new_root(const char *new_root, bool keep_files)
{
	int unpacked = open_unpacked(keep_files);
	struct stat old, new;

	if (chdir(new_root))
		return fail(FAILED, "cannot enter %s: %s", new_root, strerror(errno));
	/* A folder of the old root that is mounted on itself would be deleted with it. */
	if (unpacked >= 0 && (fstat(unpacked, &old) || stat(".", &new) || old.st_dev == new.st_dev)) {
		close(unpacked);
		unpacked = -1;
	}
	/* pivot_root(2), NOTES: the old root is stacked on the new one, and is unmounted from there. */
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		delete_unpacked(unpacked);
		if (umount2(".", MNT_DETACH))
			warning("cannot unmount the old root, its memory stays in use: %s", strerror(errno));
	} else if (errno == EINVAL) {
		int code = switch_over(new_root, unpacked);

		if (code)
			return code;
	} else {
		return fail(FAILED, "cannot make %s the root: %s", new_root, strerror(errno));
	}
	if (chdir("/"))
		return fail(FAILED, "cannot enter the new root: %s", strerror(errno));
	return OK;
}

void open_console(const char *console)
{
	int fd = open(console, O_RDWR | O_NOCTTY);

	if (fd < 0) {
		warning("cannot open the console %s: %s", console, strerror(errno));
		return;
	}
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}
