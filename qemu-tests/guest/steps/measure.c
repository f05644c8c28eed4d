// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures the cost of using every file below a directory, or every listed one, once, in one way of
 * several.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "ways.h"

static struct sink sink;

/* The cost of walking and opening, which is in every other way, too. */
static long long way_open(int fd, size_t size, struct sink *to)
{
	(void)fd;
	(void)to;
	return size;
}

static long long way_sendfile(int fd, size_t size, struct sink *to)
{
	long long sum = 0;
	ssize_t n;

	(void)size;
	while ((n = sendfile(to->null, fd, NULL, to->chunk)) > 0)
		sum += n;
	return n < 0 ? -errno : sum;
}

/* One read of a page's size in every chunk, in an order that no readahead foresees. */
static long long way_random(int fd, size_t size, struct sink *to)
{
	size_t count = (size + to->chunk - 1) / to->chunk;
	long long sum = 0;
	uint32_t x = 1;

	for (size_t i = 0; i < count; i++) {
		ssize_t n;

		x = x * 1664525 + 1013904223;
		n = pread(fd, to->buffer, PAGE, (off_t)((uint64_t)x * ((size + PAGE - 1) / PAGE) >> 32) * PAGE);
		if (n < 0)
			return -errno;
		sum += n;
	}
	return sum;
}

static const struct {
	const char *name;
	way_fn use;
} ways[] = {
	{ "map", way_private }, { "open", way_open },	      { "random", way_random },
	{ "read", way_read },	{ "sendfile", way_sendfile }, { "splice", way_splice },
};

static struct {
	way_fn use;
	long long files, bytes;
	int error;
} sum;

static int use_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	long long n;
	int fd;

	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -errno : sum.use(fd, st->st_size, &sink);
	close(fd);
	if (n < 0) {
		sum.error = -n;
		return 1;
	}
	sum.files++;
	sum.bytes += n;
	return 0;
}

/* Reads the paths in a regular file, a line each. Returns NULL with errno 0 for a directory. */
static char *read_list(const char *path)
{
	char *list = NULL;
	struct stat st;
	size_t size = 0;
	FILE *file;

	if (stat(path, &st))
		return NULL;
	errno = 0;
	if (!S_ISREG(st.st_mode))
		return NULL;
	file = fopen(path, "re");
	if (!file)
		return NULL;
	if (getdelim(&list, &size, '\0', file) < 0) {
		free(list);
		list = feof(file) ? calloc(1, 1) : NULL;
	}
	fclose(file);
	return list;
}

static int use_list(char *list)
{
	for (char *path = strtok(list, "\n"); path; path = strtok(NULL, "\n")) {
		struct stat st;
		int result = lstat(path, &st) ? -1 : use_file(path, &st, FTW_F, NULL);

		if (result)
			return result;
	}
	return 0;
}

/*
 * cost,WAY,PATH,BYTES: uses every regular file below the directory PATH once, or every one that the
 * file PATH names, a line each; BYTES a call. The time includes the walk and opening, but not
 * reading the list.
 */
int step_cost(struct step *s)
{
	struct timespec from, to;
	char *list;
	int result;

	memset(&sum, 0, sizeof(sum));
	for (size_t i = 0; s->argc > 3 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, s->argv[1]))
			sum.use = ways[i].use;
	if (!sum.use)
		return -EINVAL;
	list = read_list(s->argv[2]);
	if (!list && errno)
		return -errno;
	result = sink_open(&sink, strtoul(s->argv[3], NULL, 0));
	if (result)
		return result;

	clock_gettime(CLOCK_MONOTONIC, &from);
	result = list ? use_list(list) : nftw(s->argv[2], use_file, 16, FTW_PHYS);
	clock_gettime(CLOCK_MONOTONIC, &to);

	sink_close(&sink);
	free(list);
	if (result)
		return result < 0 ? -errno : -sum.error;
	row_begin();
	row_number("ns", (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec);
	row_number("files", sum.files);
	row_number("bytes", sum.bytes);
	row_end();
	return 0;
}

static int count_resident(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t pages = (st->st_size + PAGE - 1) / PAGE;
	unsigned char *in = malloc(pages);
	int fd = -1;
	char *map;

	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode) || !pages)
		goto out;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	map = mmap(NULL, st->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED || mincore(map, st->st_size, in)) {
		sum.error = errno;
	} else {
		for (size_t i = 0; i < pages; i++)
			if (in[i] & 1)
				sum.bytes += i + 1 < pages ? PAGE : st->st_size - (off_t)i * PAGE;
		munmap(map, st->st_size);
		sum.files++;
	}
out:
	close(fd);
	free(in);
	return sum.error != 0;
}

/* resident,DIR: reports the number of bytes of the files that are in the page cache. */
int step_resident(struct step *s)
{
	int result;

	memset(&sum, 0, sizeof(sum));
	if (s->argc < 2)
		return -EINVAL;
	result = nftw(s->argv[1], count_resident, 16, FTW_PHYS);
	if (result)
		return result < 0 ? -errno : -sum.error;
	row_begin();
	row_number("files", sum.files);
	row_number("bytes", sum.bytes);
	row_end();
	return 0;
}
