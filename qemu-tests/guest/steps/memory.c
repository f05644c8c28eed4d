// SPDX-License-Identifier: GPL-2.0-only
/* Counts free memory, and puts pressure on it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define STRIDE (64 * PAGE)

static void pause_ms(int ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000 * 1000 };

	nanosleep(&t, NULL);
}

struct pages {
	long long free, per_cpu, managed;
};

/* Counts free pages in the buddy lists and in the per-CPU lists apart: only the sum is steady. */
static int count_pages(struct pages *p)
{
	char line[256];
	long long n;
	FILE *file = fopen("/proc/zoneinfo", "re");

	if (!file)
		return -errno;
	memset(p, 0, sizeof(*p));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " nr_free_pages %lld", &n) == 1)
			p->free += n;
		else if (sscanf(line, " count: %lld", &n) == 1)
			p->per_cpu += n;
		else if (sscanf(line, " managed %lld", &n) == 1)
			p->managed += n;
	}
	fclose(file);
	return 0;
}

void poke(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		errno = 0;
	close(fd);
}

long long meminfo_kib(const char *name)
{
	char line[128];
	long long value = -1;
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = atoll(line + strlen(name) + 1);
	fclose(file);
	return value;
}

/* memory[,keep]: drops caches unless they are to be kept, and samples until two samples agree. */
int step_memory(struct step *s)
{
	struct pages now = { 0 }, before;
	int samples = 0;
	int result;

	if (s->argc < 2 || strcmp(s->argv[1], "keep")) {
		sync();
		poke("/proc/sys/vm/drop_caches", "3");
		poke("/proc/sys/vm/compact_memory", "1");
	}
	do {
		before = now;
		pause_ms(100);
		result = count_pages(&now);
		if (result)
			return result;
	} while (now.free + now.per_cpu != before.free + before.per_cpu && ++samples < 30);

	row_begin();
	row_number("freePages", now.free + now.per_cpu);
	row_number("perCpuPages", now.per_cpu);
	row_number("managedPages", now.managed);
	row_number("memTotalKiB", meminfo_kib("MemTotal"));
	row_number("memFreeKiB", meminfo_kib("MemFree"));
	row_number("memAvailableKiB", meminfo_kib("MemAvailable"));
	row_number("samples", samples);
	row_end();
	return 0;
}

/* physical,ADDRESS,BYTES: reports a few bytes of memory as they are there. */
int step_physical(struct step *s)
{
	unsigned char bytes[64];
	char text[2 * sizeof(bytes) + 1] = "";
	size_t len = strtoul(word(s, 2), NULL, 10);
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pread(fd, bytes, len < sizeof(bytes) ? len : sizeof(bytes), strtoull(word(s, 1), NULL, 0));
	if (n < 0)
		return done(n);
	close(fd);
	for (ssize_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	row_begin();
	row_text("hex", text);
	row_end();
	return 0;
}

static pid_t pressers[2];

static void write_or_exit(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(1);
	close(fd);
}

/* Takes memory until no more than this is left, for a moment, again and again. */
static void fill(long long keep_kib)
{
	/* If there is not enough for all, this process is killed. */
	write_or_exit("/proc/self/oom_score_adj", "1000");
	for (;;) {
		size_t size = meminfo_kib("MemTotal") * 1024, taken = 0;
		unsigned char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (map == MAP_FAILED)
			_exit(1);
		for (; taken + STRIDE <= size && meminfo_kib("MemAvailable") > keep_kib;
		     taken += STRIDE)
			for (int i = 0; i < STRIDE; i += PAGE)
				map[taken + i] = 1;
		pause_ms(50);
		munmap(map, size);
	}
}

static void drop_and_compact(void)
{
	/* This keeps the kernel from logging each time. */
	write_or_exit("/proc/sys/vm/drop_caches", "4");
	for (;;) {
		write_or_exit("/proc/sys/vm/drop_caches", "3");
		write_or_exit("/proc/sys/vm/compact_memory", "1");
		/* The other processes need the processor, too. */
		pause_ms(100);
	}
}

/*
 * press,KIB: starts processes that take all available memory but KIB, drop caches and compact
 * memory all the time.
 */
int step_press(struct step *s)
{
	if (s->argc < 2)
		return -EINVAL;
	for (int i = 0; i < 2; i++) {
		pressers[i] = fork();
		if (pressers[i] < 0)
			return -errno;
		if (pressers[i])
			continue;
		setpgid(0, 0);
		for (;;) {
			pid_t worker = fork();

			if (!worker && i)
				drop_and_compact();
			if (!worker)
				fill(atoll(s->argv[1]));
			/* Killed for want of memory: once more. */
			waitpid(worker, NULL, 0);
			pause_ms(20);
		}
	}
	return 0;
}

/* relax: ends the pressure. */
int step_relax(struct step *s)
{
	(void)s;
	for (int i = 0; i < 2; i++) {
		if (!pressers[i])
			return -ENOENT;
		/* It may not have made its group yet. */
		while (kill(-pressers[i], SIGKILL) && errno == ESRCH)
			pause_ms(10);
		waitpid(pressers[i], NULL, 0);
	}
	/* The workers fall to PID 1. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return 0;
}
