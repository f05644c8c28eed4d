// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

int step_pid1(struct step *s)
{
	(void)s;
	for (char **arg = start.argv; *arg; arg++) {
		row_begin();
		row_text("arg", *arg);
		row_end();
	}
	for (char **env = start.envp; *env; env++) {
		row_begin();
		row_text("env", *env);
		row_end();
	}
	return 0;
}

static void put_statfs(const struct statfs *fs)
{
	row_hex("type", (unsigned long)fs->f_type);
	row_bool("readonly", fs->f_flags & ST_RDONLY);
	row_bool("nosuid", fs->f_flags & ST_NOSUID);
	row_bool("nodev", fs->f_flags & ST_NODEV);
	row_number("blocks", fs->f_blocks);
	row_number("bsize", fs->f_bsize);
}

/* The descriptors that were open when PID 1 started. */
int step_fds(struct step *s)
{
	(void)s;
	for (int fd = 0; fd < MAX_FD; fd++) {
		char link[64], target[512];
		struct statfs fs;
		struct stat st;
		ssize_t len;

		if (!start.open[fd] || fstat(fd, &st) || fstatfs(fd, &fs))
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, target, sizeof(target));
		row_begin();
		row_number("fd", fd);
		row_bytes("target", target, len < 0 ? 0 : len);
		row_bool("cloexec", fcntl(fd, F_GETFD) & FD_CLOEXEC);
		row_number("mode", st.st_mode);
		put_statfs(&fs);
		row_end();
	}
	return 0;
}

static int put_lines(const char *path)
{
	char line[4096];
	FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		row_begin();
		row_text("line", line);
		row_end();
	}
	fclose(file);
	return 0;
}

int step_mounts(struct step *s)
{
	(void)s;
	return put_lines("/proc/self/mountinfo");
}

int step_cat(struct step *s)
{
	return s->argc > 1 ? put_lines(s->argv[1]) : -EINVAL;
}

int step_statfs(struct step *s)
{
	struct statfs fs;

	if (s->argc < 2)
		return -EINVAL;
	if (statfs(s->argv[1], &fs))
		return -errno;
	row_begin();
	put_statfs(&fs);
	row_end();
	return 0;
}

struct pages {
	long long free, per_cpu, managed;
};

/* Free pages in the buddy lists and in the per-CPU lists apart: only the sum is steady. */
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

	/* Not every kernel under test has the file. */
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

/* memory[,keep]: caches dropped or kept, then sampled until two samples agree. */
int step_memory(struct step *s)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
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
		nanosleep(&pause, NULL);
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

/* kmsg: every record of the kernel's log, with its guest time in microseconds. */
int step_kmsg(struct step *s)
{
	char record[8192];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	(void)s;
	if (fd < 0)
		return -errno;
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		unsigned int priority;
		long long microseconds;
		char *text;

		if (n <= 0) {
			errno = 0;
			continue;
		}
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text || sscanf(record, "%u,%*u,%lld", &priority, &microseconds) != 2)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		row_begin();
		row_number("us", microseconds);
		row_number("level", priority & 7);
		row_text("text", text);
		row_end();
	}
	close(fd);
	return 0;
}
