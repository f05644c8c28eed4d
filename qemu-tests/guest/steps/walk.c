// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent.h"
#include "ways.h"

/* Not a multiple of anything, so that reads straddle pages and pclusters. */
#define CHUNK 61441

static struct sink sink = { .take = take_crc };

static const struct {
	char letter;
	const char *name;
	way_fn run;
} ways[] = {
	{ 'r', "read", way_read },     { 'p', "pread", way_pread }, { 'm', "private", way_private },
	{ 's', "shared", way_shared }, { 'c', "cow", way_cow },	    { 'x', "splice", way_splice },
};

/* Reports the checksum of the bytes, or the errno or signal that kept them from being read. */
static void put_result(const char *key, long long result)
{
	if (result >= 0)
		row_hex(key, sink.crc);
	else if (sink.signal)
		row_text(key, sigabbrev_np(sink.signal) ? sigabbrev_np(sink.signal) : "?");
	else
		row_text(key, strerrorname_np(-result));
}

static void put_content(int fd, size_t size, const char *letters)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!strchr(letters, ways[i].letter))
			continue;
		sink.crc = 0;
		sink.signal = 0;
		put_result(ways[i].name, lseek(fd, 0, SEEK_SET) < 0 ? -errno : ways[i].run(fd, size, &sink));
	}
}

static void put_xattrs(const char *proc_path)
{
	static char names[4096], value[4096];
	ssize_t len = listxattr(proc_path, names, sizeof(names));
	char key[300];

	for (ssize_t at = 0; at < len; at += strlen(names + at) + 1) {
		ssize_t n = getxattr(proc_path, names + at, value, sizeof(value));

		snprintf(key, sizeof(key), "xattr.%s", names + at);
		if (n >= 0)
			row_bytes(key, value, n);
	}
}

struct walk {
	uint64_t mount_id;
	const char *ways;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int walk_children(const struct walk *w, int fd, const char *path);

/* Reports one entry and those below it. Other mounts are left out. */
static int walk_entry(const struct walk *w, int parent, const char *name, const char *path)
{
	char proc_path[64], target[4096];
	struct statx st;
	int result = 0;
	int fd;

	if (statx(parent, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID,
		  &st))
		return -errno;
	if (st.stx_mnt_id != w->mount_id)
		return 0;

	row_begin();
	row_text("path", path);
	row_number("mode", st.stx_mode);
	row_number("uid", st.stx_uid);
	row_number("gid", st.stx_gid);
	row_number("nlink", st.stx_nlink);
	row_number("mtime", st.stx_mtime.tv_sec);
	if (S_ISCHR(st.stx_mode) || S_ISBLK(st.stx_mode)) {
		row_number("major", st.stx_rdev_major);
		row_number("minor", st.stx_rdev_minor);
	}
	if (S_ISLNK(st.stx_mode)) {
		ssize_t len = readlinkat(parent, name, target, sizeof(target));

		row_bytes("target", target, len < 0 ? 0 : len);
		if (len < 0)
			row_text("readlink", strerrorname_np(errno));
	}
	if (S_ISREG(st.stx_mode))
		row_number("size", st.stx_size);

	if (!S_ISREG(st.stx_mode) && !S_ISDIR(st.stx_mode)) {
		row_end();
		return 0;
	}
	fd = *name ? openat(parent, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) :
		     fcntl(parent, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		row_text("open", strerrorname_np(errno));
		row_end();
		return 0;
	}
	snprintf(proc_path, sizeof(proc_path), "/proc/self/fd/%d", fd);
	put_xattrs(proc_path);
	if (S_ISREG(st.stx_mode))
		put_content(fd, sink.most && st.stx_size > sink.most ? sink.most : st.stx_size, w->ways);
	row_end();
	if (S_ISDIR(st.stx_mode))
		result = walk_children(w, fd, path);
	close(fd);
	return result;
}

static int walk_children(const struct walk *w, int fd, const char *path)
{
	/* A descriptor of its own: a passed O_PATH one cannot be read. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;
	char **names = NULL;
	size_t count = 0;
	int result = 0;

	if (!dir) {
		result = -errno;
		goto out;
	}
	errno = 0;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		names = realloc(names, (count + 1) * sizeof(*names));
		names[count++] = strdup(entry->d_name);
	}
	if (errno) {
		result = -errno;
		goto out;
	}
	if (count)
		qsort(names, count, sizeof(*names), compare);
	for (size_t i = 0; i < count && !result; i++) {
		char *child;

		if (asprintf(&child, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
			     names[i]) < 0)
			return -ENOMEM;
		result = walk_entry(w, fd, names[i], child);
		free(child);
	}
out:
	if (result) {
		row_begin();
		row_text("path", path);
		row_text("readdir", strerrorname_np(-result));
		row_end();
		result = 0;
	}
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	if (dir)
		closedir(dir);
	else if (own >= 0)
		close(own);
	return result;
}

/* Opens a path, or `fd:N` for a descriptor that was passed. */
static int open_start(const char *where)
{
	int fd = strncmp(where, "fd:", 3) ? open(where, O_PATH | O_CLOEXEC | O_NOFOLLOW) :
					    fcntl(atoi(where + 3), F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/*
 * walk,WHERE[,WAYS[,MOST]]: reports every entry of a tree, and reads each file, or the first MOST bytes of
 * it, in the ways asked for.
 */
int step_walk(struct step *s)
{
	struct walk w = { .ways = s->argc > 2 ? s->argv[2] : "" };
	struct statx st;
	int fd, result;

	if (s->argc < 2)
		return -EINVAL;
	sink.most = s->argc > 3 ? strtoul(s->argv[3], NULL, 0) : 0;
	crc_init();
	fd = open_start(s->argv[1]);
	if (fd < 0)
		return fd;
	result = sink_open(&sink, CHUNK);
	if (result)
		goto out;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st)) {
		result = -errno;
	} else {
		w.mount_id = st.stx_mnt_id;
		if (S_ISDIR(st.stx_mode))
			result = walk_entry(&w, fd, "", s->argv[1][0] == '/' ? s->argv[1] : "/");
		else
			result = walk_entry(&w, AT_FDCWD, s->argv[1], s->argv[1]);
	}
	sink_close(&sink);
out:
	close(fd);
	return result;
}
