// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes the files of extra archives to init, as a kernel with the series does: in a tmpfs of
 * their own. This kernel has unpacked them into the same tree as the archive with the image,
 * and that archive's list of its own files tells them apart.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "../common/calls.h"
#include "storage-init.h"

/* First descriptor that is passed (sd_listen_fds(3)). */
#define LISTEN_FDS_START 3
/* Bytes of one sendfile(2). */
#define AT_ONCE (1 << 20)

/* First name of a file that has several. */
struct name {
	struct name *next;
	dev_t device;
	ino_t inode;
	char path[];
};

/* A copy in progress. Trees may be deep, so that the frames of the recursion hold no paths. */
struct copy {
	struct name *linked;
	int root; /* of the copy */
	size_t length;
	char path[PATH_SIZE]; /* of the entry */
	char target[PATH_SIZE];
};

static bool copy_data(int from, int to)
{
	ssize_t count;

	do
		count = sendfile(to, from, NULL, AT_ONCE);
	while (count > 0);
	return !count;
}

/* Makes a copy of anything but a directory. */
static bool copy_leaf(struct copy *copy, int from, int to, const char *name, const struct stat *st)
{
	int in, out, error;
	ssize_t length;
	bool done;

	if (S_ISLNK(st->st_mode)) {
		length = readlinkat(from, name, copy->target, PATH_SIZE - 1);
		if (length < 0)
			return false;
		copy->target[length] = '\0';
		return !symlinkat(copy->target, to, name);
	}
	if (!S_ISREG(st->st_mode))
		return !mknodat(to, name, st->st_mode, st->st_rdev);
	in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	out = in < 0 ? -1 : openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	done = out >= 0 && copy_data(in, out);
	error = errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	errno = error;
	return done;
}

static bool copy_attributes(int to, const char *name, const struct stat *st)
{
	struct timespec times[] = { st->st_atim, st->st_mtim };

	/* chown(2) clears the setuid bit, so the mode comes after it. */
	return !fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) &&
	       (S_ISLNK(st->st_mode) || !fchmodat(to, name, st->st_mode & 07777, 0)) &&
	       !utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

/* Makes a link to the first copy of a file, if it has another name. Returns false if there is none yet. */
static bool copy_link(struct copy *copy, const struct stat *st)
{
	struct name *first = copy->linked;

	while (first && (first->inode != st->st_ino || first->device != st->st_dev))
		first = first->next;
	if (first)
		return !linkat(copy->root, first->path, copy->root, copy->path, 0);
	first = malloc(sizeof(*first) + copy->length + 1);
	if (first) {
		first->next = copy->linked;
		first->device = st->st_dev;
		first->inode = st->st_ino;
		strcpy(first->path, copy->path);
		copy->linked = first;
	}
	return false;
}

static bool copy_below(struct copy *copy, int from, int to);

static bool copy_directory(struct copy *copy, int from, int to, const char *name)
{
	int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int target = mkdirat(to, name, 0700) ? -1 : openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = source >= 0 && target >= 0 && copy_below(copy, source, target);
	int error = errno;

	/* copy_below() closes the source. */
	if (source >= 0 && target < 0)
		close(source);
	if (target >= 0)
		close(target);
	errno = error;
	return done;
}

/* Copies one entry. Returns false, with errno, when it failed. */
static bool copy_entry(struct copy *copy, int from, int to, const char *name)
{
	struct stat st;
	bool done;
	int error;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	if (!S_ISDIR(st.st_mode)) {
		if (own_is(copy->path) || (st.st_nlink > 1 && copy_link(copy, &st)))
			return true;
		if (copy_leaf(copy, from, to, name, &st) && copy_attributes(to, name, &st))
			return true;
		/* A part of a file would pass for the whole of it. */
		error = errno;
		unlinkat(to, name, 0);
		errno = error;
		return false;
	}
	done = copy_directory(copy, from, to, name);
	error = errno;
	if (done && own_needs(copy->path) && !unlinkat(to, name, AT_REMOVEDIR))
		return true;
	/* What a directory has got before a failure stays, and so the directory is as it was. */
	done = copy_attributes(to, name, &st) && done;
	errno = error;
	return done;
}

/* Copies what is in a directory, and closes `from`. */
static bool copy_below(struct copy *copy, int from, int to)
{
	DIR *directory = fdopendir(from);
	size_t length = copy->length;
	struct dirent *entry;
	bool done = true;
	int error;

	if (!directory) {
		close(from);
		return false;
	}
	while (done && (entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		copy->length += snprintf(copy->path + length, PATH_SIZE - length, "%s%s", length ? "/" : "", entry->d_name);
		if (copy->length >= PATH_SIZE) {
			errno = ENAMETOOLONG;
			done = false;
		} else {
			done = copy_entry(copy, from, to, entry->d_name);
		}
		/* After a failure the path stays as it is, for the message. */
		if (done)
			copy->path[copy->length = length] = '\0';
	}
	error = errno;
	closedir(directory);
	errno = error;
	return done;
}

/* Makes a tmpfs that is mounted nowhere, with the options that the series gives it. */
static int make_tmpfs(void)
{
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC), mount = -1, fd;

	if (context < 0)
		return -1;
	if (!fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) &&
	    !fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	close(context);
	if (mount < 0)
		return -1;
	/* Out of the way of the descriptor that init gets. */
	fd = fcntl(mount, F_DUPFD_CLOEXEC, 10);
	close(mount);
	return fd;
}

static int open_root(int fd)
{
	return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_empty(int fd)
{
	DIR *directory = fdopendir(open_root(fd));
	int count = 0;

	while (directory && readdir(directory))
		count++;
	if (directory)
		closedir(directory);
	return count <= 2;
}

int extras_take(const struct settings *settings)
{
	static struct copy copy;
	struct name *next;
	int from, fd;

	if (settings->extra && !strcmp(settings->extra, "off"))
		return -1;
	memset(&copy, 0, sizeof(copy));
	/* A mount of its own shows what the mounts below / hide. */
	from = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	fd = from < 0 ? -1 : make_tmpfs();
	if (fd < 0) {
		warning("cannot make a tmpfs for extra files: %s; init gets none", strerror(errno));
	} else {
		copy.root = fd;
		if (!copy_below(&copy, open_root(from), fd))
			warning("cannot pass all extra files to init: %s; dropped are those from /%s on",
				strerror(errno), copy.path);
		if (is_empty(fd)) {
			close(fd);
			fd = -1;
		}
	}
	if (from >= 0)
		close(from);
	while ((next = copy.linked)) {
		copy.linked = next->next;
		free(next);
	}
	return fd;
}

void extras_pass(int fd)
{
	if (dup2(fd, LISTEN_FDS_START) < 0 || setenv("LISTEN_PID", "1", true) || setenv("LISTEN_FDS", "1", true) ||
	    setenv("LISTEN_FDNAMES", "initrd-extra", true))
		warning("cannot pass the extra files to init: %s", strerror(errno));
	else
		say("extra files passed to init as descriptor %d", LISTEN_FDS_START);
}
