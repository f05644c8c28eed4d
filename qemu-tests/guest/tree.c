// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent.h"

#define PAGE 4096
/* Not a multiple of anything, so that reads straddle pages and pclusters. */
#define CHUNK 61441

static uint32_t crc_table[4][256];

void crc_init(void)
{
	if (crc_table[0][1])
		return;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		crc_table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 4; k++)
			crc_table[k][i] = crc_table[k - 1][i] >> 8 ^
					  crc_table[0][crc_table[k - 1][i] & 0xff];
}

/* CRC-32 as in zlib, four bytes at a time: a guest under emulation is slow. */
uint32_t crc32(uint32_t crc, const volatile unsigned char *p, size_t len)
{
	crc = ~crc;
	for (; len >= 4; len -= 4, p += 4) {
		crc ^= *(const volatile uint32_t *)p;
		crc = crc_table[3][crc & 0xff] ^ crc_table[2][crc >> 8 & 0xff] ^
		      crc_table[1][crc >> 16 & 0xff] ^ crc_table[0][crc >> 24];
	}
	while (len--)
		crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

static sigjmp_buf on_fault;

static void fault(int signal)
{
	siglongjmp(on_fault, signal);
}

/* Each way of reading puts the checksum into *crc, or returns a negative errno or a signal. */
typedef int (*way_fn)(int fd, size_t size, uint32_t *crc);

static int by_read(int fd, size_t size, uint32_t *crc)
{
	static unsigned char buf[CHUNK];
	ssize_t n;

	(void)size;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		*crc = crc32(*crc, buf, n);
	return n < 0 ? -errno : 0;
}

/* From the end to the start, so that no readahead helps. */
static int by_pread(int fd, size_t size, uint32_t *crc)
{
	unsigned char *buf = malloc(size + 1);
	int result = buf ? 0 : -ENOMEM;
	size_t end = size;

	while (!result && end) {
		size_t begin = (end - 1) / PAGE * PAGE;
		ssize_t n = pread(fd, buf + begin, end - begin, begin);

		if (n < 0)
			result = -errno;
		else if ((size_t)n != end - begin)
			result = -ENODATA;
		end = begin;
	}
	if (!result)
		*crc = crc32(0, buf, size);
	free(buf);
	return result;
}

static int by_map(int fd, size_t size, uint32_t *crc, int prot, int flags)
{
	volatile unsigned char *map;
	int signal;

	if (!size)
		return 0;
	map = mmap(NULL, size, prot, flags, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	signal = sigsetjmp(on_fault, 1);
	if (!signal) {
		if (prot & PROT_WRITE)
			for (size_t i = 0; i < size; i += PAGE)
				map[i] = ~map[i];
		else
			*crc = crc32(0, map, size);
	}
	munmap((void *)map, size);
	return signal;
}

static int by_private_map(int fd, size_t size, uint32_t *crc)
{
	return by_map(fd, size, crc, PROT_READ, MAP_PRIVATE);
}

static int by_shared_map(int fd, size_t size, uint32_t *crc)
{
	return by_map(fd, size, crc, PROT_READ, MAP_SHARED);
}

/* Writes into private copies of every page: what the file holds must not change. */
static int by_cow(int fd, size_t size, uint32_t *crc)
{
	int result = by_map(fd, size, crc, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	return result ? result : by_private_map(fd, size, crc);
}

static int by_splice(int fd, size_t size, uint32_t *crc)
{
	static unsigned char buf[CHUNK];
	loff_t offset = 0;
	ssize_t n = 0;
	int ends[2];
	int result = 0;

	(void)size;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	while (!result && (n = splice(fd, &offset, ends[1], NULL, sizeof(buf), 0)) > 0) {
		size_t left = n;

		while (left) {
			n = read(ends[0], buf, left);
			if (n <= 0)
				break;
			*crc = crc32(*crc, buf, n);
			left -= n;
		}
		if (left)
			result = -EPIPE;
	}
	if (n < 0)
		result = -errno;
	close(ends[0]);
	close(ends[1]);
	return result;
}

static const struct way {
	char letter;
	const char *name;
	way_fn run;
} ways[] = {
	{ 'r', "read", by_read },	    { 'p', "pread", by_pread },
	{ 'm', "private", by_private_map }, { 's', "shared", by_shared_map },
	{ 'c', "cow", by_cow },		    { 'x', "splice", by_splice },
};

static void put_result(const char *key, int result, uint32_t crc)
{
	if (result > 0)
		row_text(key, sigabbrev_np(result) ? sigabbrev_np(result) : "?");
	else if (result)
		row_text(key, strerrorname_np(-result));
	else
		row_hex(key, crc);
}

static void put_content(int fd, size_t size, const char *letters)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		uint32_t crc = 0;
		int result;

		if (!strchr(letters, ways[i].letter))
			continue;
		result = ways[i].run(fd, size, &crc);
		put_result(ways[i].name, result, crc);
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

/* One entry, and what is below it. Other mounts are left out. */
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
		put_content(fd, st.stx_size, w->ways);
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

static void catch_faults(void)
{
	struct sigaction action = { .sa_handler = fault };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

/* A path, or `fd:N` for a descriptor that was passed. */
static int open_start(const char *where)
{
	int fd = strncmp(where, "fd:", 3) ? open(where, O_PATH | O_CLOEXEC | O_NOFOLLOW) :
					    fcntl(atoi(where + 3), F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* walk,WHERE[,WAYS]: every entry of a tree, each file's content read in the ways asked for. */
int step_walk(struct step *s)
{
	struct walk w = { .ways = s->argc > 2 ? s->argv[2] : "" };
	struct statx st;
	int fd, result;

	if (s->argc < 2)
		return -EINVAL;
	crc_init();
	catch_faults();
	fd = open_start(s->argv[1]);
	if (fd < 0)
		return fd;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st)) {
		result = -errno;
	} else {
		w.mount_id = st.stx_mnt_id;
		if (S_ISDIR(st.stx_mode))
			result = walk_entry(&w, fd, "", s->argv[1][0] == '/' ? s->argv[1] : "/");
		else
			result = walk_entry(&w, AT_FDCWD, s->argv[1], s->argv[1]);
	}
	close(fd);
	return result;
}

/* beyond,FILE: the first byte of the first page that lies wholly behind the file's end. */
int step_beyond(struct step *s)
{
	volatile unsigned char *map;
	struct stat st;
	volatile size_t dirty = 0;
	size_t end;
	int fd, signal;

	if (s->argc < 2)
		return -EINVAL;
	fd = open(s->argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		close(fd);
		return -errno;
	}
	catch_faults();
	end = (st.st_size + PAGE - 1) / PAGE * PAGE;
	map = mmap(NULL, end + PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	signal = sigsetjmp(on_fault, 1);
	if (!signal)
		(void)map[end];
	for (size_t i = st.st_size; i < end; i++)
		dirty += map[i] != 0;
	munmap((void *)map, end + PAGE);
	row_begin();
	row_text("access", signal ? sigabbrev_np(signal) : "data");
	row_number("tailNonZero", dirty);
	row_end();
	return 0;
}

/* pin,FILE,PAGES: mapped pages of a file into a pipe, which outlives the mapping and the root. */
int step_pin(struct step *s)
{
	size_t len = (s->argc > 2 ? atoi(s->argv[2]) : 1) * PAGE;
	struct iovec iov = { .iov_len = len };
	ssize_t n;
	int ends[2];
	int fd;

	if (s->argc < 2)
		return -EINVAL;
	fd = open(s->argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	iov.iov_base = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (iov.iov_base == MAP_FAILED || pipe(ends))
		return -errno;
	fcntl(ends[1], F_SETPIPE_SZ, len);
	n = vmsplice(ends[1], &iov, 1, SPLICE_F_NONBLOCK);
	if (n < 0)
		return -errno;
	munmap(iov.iov_base, len);
	if (dup2(ends[0], PIN_READ_FD) < 0 || dup2(ends[1], PIN_WRITE_FD) < 0)
		return -errno;
	close(ends[0]);
	close(ends[1]);
	row_begin();
	row_number("bytes", n);
	row_end();
	return 0;
}

/* unpin: what the pipe holds, then no pipe. */
int step_unpin(struct step *s)
{
	static unsigned char buf[PAGE];
	uint32_t crc = 0;
	size_t total = 0;
	ssize_t n;

	(void)s;
	crc_init();
	close(PIN_WRITE_FD);
	while ((n = read(PIN_READ_FD, buf, sizeof(buf))) > 0) {
		crc = crc32(crc, buf, n);
		total += n;
	}
	if (n < 0)
		return -errno;
	close(PIN_READ_FD);
	row_begin();
	row_number("bytes", total);
	row_hex("crc", crc);
	row_end();
	return 0;
}
