// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists the files of the root that this boot has read: a profile for
 * `initoverlayfs convert --profile`.
 *
 * In a ramfs or tmpfs, which an archive was unpacked into, files tell it by the
 * time of their last access. Over an image they tell it by pages in memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../common/exit-code.h"
#include "../common/message.h"

/* Files that only the initrd of a recording has: this program and its hooks. */
#define OWN "initoverlayfs-profile-record"
#define DEFAULT "/run/initoverlayfs/profile"

/* The size of a block in nearly all images. */
enum { BLOCK = 4096 };

struct entry {
	char *path;
	dev_t device;
	ino_t inode;
};

static struct entry *entries;
static size_t count, room;

void put_message(const char *format, va_list arguments)
{
	fputs("profile-record: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

static bool is_same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A file is changed when it is written: a time of its writing that is another one was set, from an archive. */
static bool has_set_time(const struct stat *st)
{
	return !is_same(&st->st_mtim, &st->st_ctim);
}

/*
 * A kernel that keeps the times of an archive sets both times of a file to that
 * of the archive; reading changes one, maybe to an earlier time, since the clock
 * may not be set yet. A file that has no such time was made in this boot. Other
 * kernels leave a file the time of its making as the last access, and that of its
 * writing, which is not earlier, as the other.
 */
static bool was_read(const struct stat *st, bool times_kept)
{
	const struct timespec *atime = &st->st_atim, *mtime = &st->st_mtim;

	if (times_kept)
		return has_set_time(st) && !is_same(atime, mtime);
	return atime->tv_sec > mtime->tv_sec || (atime->tv_sec == mtime->tv_sec && atime->tv_nsec > mtime->tv_nsec);
}

/*
 * Tells whether the kernel reads a file of an image where it lies, so that its pages
 * do not show. It is one that is not compressed, as all are that fill no block.
 */
static bool leaves_no_trace(const char *path)
{
	struct statx st;

	return !statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) &&
	       (st.stx_attributes_mask & ~st.stx_attributes & STATX_ATTR_COMPRESSED);
}

static bool has_pages(const char *path, off_t size)
{
	size_t page = sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page;
	unsigned char *resident;
	bool found = false;
	void *map;
	int fd;

	if (!size)
		return false;
	if (leaves_no_trace(path))
		return size <= BLOCK;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		warning("%s: %s", path, strerror(errno));
		return false;
	}
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	resident = calloc(pages, 1);
	if (map == MAP_FAILED || !resident || mincore(map, size, resident))
		warning("%s: %s", path, strerror(errno));
	else
		for (size_t i = 0; i < pages && !found; i++)
			found = resident[i] & 1;
	if (map != MAP_FAILED)
		munmap(map, size);
	free(resident);
	close(fd);
	return found;
}

static int add(const char *path, const struct stat *st)
{
	if (count == room) {
		struct entry *more = reallocarray(entries, room += 256, sizeof(*entries));

		if (!more)
			return fail(FAILED, "%s", strerror(ENOMEM));
		entries = more;
	}
	entries[count] = (struct entry){ strdup(path), st->st_dev, st->st_ino };
	if (!entries[count].path)
		return fail(FAILED, "%s", strerror(ENOMEM));
	count++;
	return OK;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int by_inode(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	if (one->device != other->device)
		return one->device < other->device ? -1 : 1;
	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	return by_path(a, b);
}

/* Keeps the first name of each file, and sorts by name. Images have all names of a file in one place. */
static void sort_entries(void)
{
	size_t kept = 0;

	if (!count)
		return;
	qsort(entries, count, sizeof(*entries), by_inode);
	for (size_t i = 1; i < count; i++)
		if (entries[i].device != entries[kept].device || entries[i].inode != entries[kept].inode)
			entries[++kept] = entries[i];
	count = kept + 1;
	qsort(entries, count, sizeof(*entries), by_path);
}

static int collect(bool by_time)
{
	char *roots[] = { "/", NULL };
	/* This program came in an archive. */
	const char *self = (const char *)getauxval(AT_EXECFN);
	struct stat own;
	bool kept = self && !stat(self, &own) && has_set_time(&own);
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int code = OK;

	if (!fts)
		return fail(FAILED, "/: %s", strerror(errno));
	while (!code && (entry = fts_read(fts))) {
		/* The C library joins "/" and a name with a slash. */
		const char *path = entry->fts_path + (entry->fts_path[1] == '/');
		const struct stat *st = entry->fts_statp;

		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
			warning("%s: %s", path, strerror(entry->fts_errno));
		if (entry->fts_info != FTS_F || !S_ISREG(st->st_mode) || strstr(entry->fts_name, OWN))
			continue;
		if (by_time ? was_read(st, kept) : has_pages(path, st->st_size))
			code = add(path, st);
	}
	fts_close(fts);
	sort_entries();
	return code;
}

static void write_path(FILE *file, const char *path)
{
	for (; *path; path++) {
		unsigned char c = *path;

		if (c < 0x20 || c == 0x7f || c == '\\')
			fprintf(file, "\\x%02x", c);
		else
			fputc(c, file);
	}
	fputc('\n', file);
}

static void make_parents(const char *path)
{
	char *copy = strdupa(path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
}

static int write_list(const char *path)
{
	char *temporary;
	FILE *file;
	bool written;

	if (asprintf(&temporary, "%s.new", path) < 0)
		return fail(FAILED, "%s", strerror(ENOMEM));
	make_parents(path);
	file = fopen(temporary, "we");
	if (!file)
		return fail(FAILED, "%s: %s", temporary, strerror(errno));
	for (size_t i = 0; i < count; i++)
		write_path(file, entries[i].path);
	written = !ferror(file);
	if (fclose(file) || !written || rename(temporary, path)) {
		int code = fail(FAILED, "%s: %s", path, strerror(errno));

		unlink(temporary);
		return code;
	}
	return OK;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : DEFAULT;
	struct statfs root;
	bool by_time;
	int code;

	if (argc > 2 || path[0] != '/') {
		fprintf(stderr, "usage: profile-record [FILE]\n");
		return USAGE;
	}
	if (statfs("/", &root))
		return fail(FAILED, "/: %s", strerror(errno));
	by_time = root.f_type == RAMFS_MAGIC || root.f_type == TMPFS_MAGIC;
	if (!by_time && root.f_type != OVERLAYFS_SUPER_MAGIC)
		return fail(FAILED, "/ is no ramfs, tmpfs or overlay, so nothing tells which files were read");
	code = collect(by_time);
	return code ? code : write_list(path);
}
