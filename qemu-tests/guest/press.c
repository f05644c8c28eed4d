// SPDX-License-Identifier: GPL-2.0-only
/* Memory pressure behind the agent's back, until it is relaxed. */
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

#define PAGE 4096
#define STRIDE (64 * PAGE)

static pid_t pressers[2];

static void pause_ms(int ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000 * 1000 };

	nanosleep(&t, NULL);
}

static void write_or_exit(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(1);
	close(fd);
}

/* Takes memory until there is not that much left, for a moment, again and again. */
static void fill(long long keep_kib)
{
	/* If there is not enough for all, this is what goes. */
	write_or_exit("/proc/self/oom_score_adj", "1000");
	for (;;) {
		size_t size = meminfo_kib("MemTotal") * 1024, taken = 0;
		unsigned char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (map == MAP_FAILED)
			_exit(1);
		for (; taken + STRIDE <= size && meminfo_kib("MemAvailable") > keep_kib;
		     taken += STRIDE)
			for (size_t i = 0; i < STRIDE; i += PAGE)
				map[taken + i] = 1;
		pause_ms(50);
		munmap(map, size);
	}
}

static void drop_and_compact(void)
{
	/* No line in the log for each time. */
	write_or_exit("/proc/sys/vm/drop_caches", "4");
	for (;;) {
		write_or_exit("/proc/sys/vm/drop_caches", "3");
		write_or_exit("/proc/sys/vm/compact_memory", "1");
		/* Whoever is to suffer from it needs a processor, too. */
		pause_ms(100);
	}
}

/*
 * press,KIB: processes that take all available memory but that much, and that drop caches and compact
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

/* relax: the end of the pressure. */
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
