// SPDX-License-Identifier: GPL-2.0-only
/* Mappings that are collapsed or forked, and advice on files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define HUGE (2UL << 20)

static void put_result(const char *call, int error)
{
	row_begin();
	row_text("call", call);
	row_text("result", error ? strerrorname_np(error) : "ok");
	row_end();
}

/* advise,FILE: direct reads, and all advice that there is and some that there is not. */
int step_advise(struct step *s)
{
	static const struct {
		const char *name;
		int advice;
		off_t len;
	} advices[] = {
		{ "normal", POSIX_FADV_NORMAL, 0 },	    { "random", POSIX_FADV_RANDOM, 0 },
		{ "sequential", POSIX_FADV_SEQUENTIAL, 0 }, { "willneed", POSIX_FADV_WILLNEED, 0 },
		{ "dontneed", POSIX_FADV_DONTNEED, 0 },	    { "noreuse", POSIX_FADV_NOREUSE, 0 },
		{ "unknown advice", 6, 0 },		    { "negative advice", -1, 0 },
		{ "negative length", POSIX_FADV_NORMAL, -1 },
	};
	void *buffer = aligned_alloc(PAGE, PAGE);
	int fd;

	if (s->argc < 2)
		return -EINVAL;
	fd = open(s->argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
	put_result("open direct", fd < 0 ? errno : 0);
	if (fd >= 0) {
		put_result("read direct", pread(fd, buffer, PAGE, 0) < 0 ? errno : 0);
		close(fd);
	}
	free(buffer);
	fd = open(s->argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		put_result(advices[i].name, posix_fadvise(fd, 0, advices[i].len, advices[i].advice));
	close(fd);
	return 0;
}

/*
 * collapse,FILE: has the kernel make a huge page of the first 2 MiB of a file, all of them mapped at an address
 * that suits it, and reports whether they read the same afterwards.
 */
int step_collapse(struct step *s)
{
	char *room = mmap(NULL, 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *map;
	int fd = s->argc < 2 ? -1 : open(s->argv[1], O_RDONLY | O_CLOEXEC);
	uint32_t before;

	if (fd < 0 || room == MAP_FAILED)
		return -errno;
	map = (char *)(((uintptr_t)room + HUGE - 1) & ~(HUGE - 1));
	if (mmap(map, HUGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
		return -errno;
	close(fd);
	before = crc32(0, (unsigned char *)map, HUGE);
	put_result("collapse", madvise(map, HUGE, MADV_COLLAPSE) ? errno : 0);
	row_begin();
	row_bool("same", before == crc32(0, (unsigned char *)map, HUGE));
	row_end();
	munmap(room, 2 * HUGE);
	return 0;
}

static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* A child and the mapping: its own copy of what it writes, and what the parent wrote before. */
static int child_sees(volatile char *map, size_t size, char first)
{
	bool right = map[0] == (char)~first;

	for (size_t i = 0; i < size; i += PAGE)
		map[i] ^= 0x55;
	return right && map[0] == (char)(~first ^ 0x55) ? 0 : 1;
}

/* fork,FILE,COUNT: forks with a private mapping of the file that parent and child write to, and tells how long it took. */
int step_fork(struct step *s)
{
	int fd = s->argc < 3 ? -1 : open(s->argv[1], O_RDONLY | O_CLOEXEC), status, wrong = 0;
	volatile char *map, touched = 0;
	long long start;
	struct stat st;
	char first;

	if (fd < 0 || fstat(fd, &st))
		return -EINVAL;
	map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	close(fd);
	for (off_t i = 0; i < st.st_size; i += PAGE)
		touched += map[i];
	first = map[0];
	map[0] = ~first;
	start = nanoseconds();
	for (int i = atoi(s->argv[2]); i > 0; i--) {
		pid_t child = fork();

		if (child == 0)
			_exit(child_sees(map, st.st_size, first));
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			wrong++;
	}
	start = nanoseconds() - start;
	row_begin();
	row_number("wrong", wrong);
	row_bool("own", map[0] == (char)~first);
	row_number("nanoseconds", start);
	row_end();
	munmap((char *)map, st.st_size);
	return 0;
}

/* protect,FILE: makes a mapping of a file executable that was not. */
int step_protect(struct step *s)
{
	int fd = s->argc < 2 ? -1 : open(s->argv[1], O_RDONLY | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	close(fd);
	put_result("mprotect", mprotect(map, PAGE, PROT_READ | PROT_EXEC) ? errno : 0);
	munmap(map, PAGE);
	return 0;
}
