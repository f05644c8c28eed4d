// SPDX-License-Identifier: GPL-2.0-only
/* Uses everything in a tree, which may be nonsense. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent.h"
#include "exercise.h"
#include "use.h"
#include "ways.h"

#define MAX_DEPTH 6
#define MAX_ENTRIES 120
#define MAX_USED 64

#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000U
#endif

static const struct sound *untouched;

static void use_xattrs(const char *path)
{
	static char names[65536];
	ssize_t len = llistxattr(path, names, sizeof(names));

	if (!worked(len))
		return;
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		count->xattrs++;
		look_if(lgetxattr(path, name, buf, sizeof(buf)));
		/* A buffer that is too small, on purpose. */
		worked(lgetxattr(path, name, buf, 1));
	}
	worked(lgetxattr(path, "user.not-there", buf, sizeof(buf)));
	worked(lgetxattr(path, "system.posix_acl_access", buf, sizeof(buf)));
	worked(lgetxattr(path, "system.posix_acl_default", buf, sizeof(buf)));
}

/* The inode's number as a file handle has it, and the one after. */
static void use_handle(int dir, const char *name)
{
	union {
		struct file_handle handle;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} h;
	int mount;

	h.handle.handle_bytes = MAX_HANDLE_SZ;
	if (!worked(name_to_handle_at(dir, name, &h.handle, &mount, 0)))
		return;
	for (int i = 0; i < 2; i++) {
		int fd = open_by_handle_at(dir, &h.handle, O_PATH | O_CLOEXEC);

		if (worked(fd))
			close(fd);
		if (h.handle.handle_bytes)
			h.handle.f_handle[0]++;
	}
}

static uint64_t used[MAX_USED];
static int nr_used;

/* Has this inode been used before, maybe under another name? */
static bool is_used(uint64_t ino)
{
	for (int i = 0; i < nr_used; i++)
		if (used[i] == ino)
			return true;
	return false;
}

static bool is_sound(uint64_t ino)
{
	for (uint32_t i = 0; i < untouched->nr; i++)
		if (untouched->inos[i] == ino)
			return true;
	return false;
}

static void walk(int dir, int depth);

static void use_entry(int dir, const char *name, int depth)
{
	char path[300 + NAME_MAX];
	struct statx sx;
	int fd;

	/* Not out of the tree. */
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	if (!worked(statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_ALL | STATX_DIOALIGN, &sx)))
		return;
	/* A tree that damage has tied to itself has no end otherwise. */
	if (is_used(sx.stx_ino))
		return;
	if (nr_used < MAX_USED)
		used[nr_used++] = sx.stx_ino;
	if (is_sound(sx.stx_ino) && !S_ISDIR(sx.stx_mode))
		return;
	use_xattrs(path);
	use_handle(dir, name);
	switch (sx.stx_mode & S_IFMT) {
	case S_IFLNK:
		count->links++;
		look_if(readlinkat(dir, name, (char *)buf, sizeof(buf)));
		worked(faccessat(dir, name, F_OK, 0));
		break;
	case S_IFREG:
		use_file(dir, name);
		break;
	case S_IFDIR:
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (worked(fd)) {
			walk(fd, depth + 1);
			close(fd);
		}
		break;
	}
}

static ssize_t entries(int dir, void *buffer, size_t size)
{
	return syscall(SYS_getdents64, dir, buffer, size);
}

static void walk(int dir, int depth)
{
	const off_t places[] = { 1, 13, PAGE - 1, PAGE, LLONG_MAX - 1 };
	char *dents = malloc(PAGE);
	ssize_t len;

	count->dirs++;
	while (dents && depth < MAX_DEPTH && (len = entries(dir, dents, PAGE)) != 0) {
		if (!worked(len))
			break;
		for (ssize_t at = 0; at < len;) {
			const struct dirent64 *entry = (void *)(dents + at);

			if (count->entries++ >= MAX_ENTRIES)
				goto out;
			look(entry->d_name, strlen(entry->d_name));
			/* One in four of the many names of one file will do. */
			if (count->entries % 4 == 0 || !is_used(entry->d_ino))
				use_entry(dir, entry->d_name, depth);
			at += entry->d_reclen;
		}
	}
	/* Offsets that readdir(3) has never given out. */
	for (size_t i = 0; dents && i < sizeof(places) / sizeof(places[0]); i++)
		if (worked(lseek(dir, places[i], SEEK_SET)))
			worked(entries(dir, dents, PAGE));
	worked(faccessat(dir, "!", F_OK, 0));
	worked(faccessat(dir, "not-there", F_OK, 0));
	worked(faccessat(dir, "\377\377", F_OK, 0));
out:
	free(dents);
}

void exercise(int root, unsigned char fill, const struct sound *sound, struct tally *tally)
{
	struct statfs fs;
	char path[64];

	count = tally;
	untouched = sound;
	around = fill;
	catch_faults();
	worked(fstatfs(root, &fs));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", root);
	use_xattrs(path);
	walk(root, 0);
}
