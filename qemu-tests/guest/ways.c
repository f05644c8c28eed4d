// SPDX-License-Identifier: GPL-2.0-only
/* The ways in which programs read whole files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent.h"
#include "ways.h"

sigjmp_buf on_fault;

static void fault(int signal)
{
	siglongjmp(on_fault, signal);
}

void catch_faults(void)
{
	/* The signal stays unblocked, so that no jump has to restore a mask. */
	struct sigaction action = { .sa_handler = fault, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

int sink_open(struct sink *sink, size_t chunk)
{
	catch_faults();
	sink->chunk = chunk;
	sink->buffer = calloc(1, chunk > MAX_PAGE ? chunk : MAX_PAGE);
	sink->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!sink->buffer || sink->null < 0 || pipe2(sink->pipe, O_CLOEXEC))
		return -errno;
	/* Touched here, so that no read pays for it. */
	memset(sink->buffer, 1, chunk);
	fcntl(sink->pipe[1], F_SETPIPE_SZ, chunk);
	return 0;
}

void sink_close(struct sink *sink)
{
	close(sink->pipe[0]);
	close(sink->pipe[1]);
	close(sink->null);
	free(sink->buffer);
}

void take_crc(struct sink *sink, const volatile unsigned char *bytes, size_t len)
{
	sink->crc = crc32(sink->crc, bytes, len);
}

/* Returns the bytes that the next call may ask for: none, when enough of the file has been used. */
static size_t next_call(const struct sink *sink, size_t sum)
{
	return sink->most && sink->most - sum < sink->chunk ? sink->most - sum : sink->chunk;
}

long long way_read(int fd, size_t size, struct sink *sink)
{
	long long sum = 0;
	ssize_t n;

	(void)size;
	while ((n = read(fd, sink->buffer, next_call(sink, sum))) > 0) {
		if (sink->take)
			sink->take(sink, sink->buffer, n);
		sum += n;
	}
	return n < 0 ? -errno : sum;
}

/* Reads from the end to the start, so that no readahead helps. */
long long way_pread(int fd, size_t size, struct sink *sink)
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
	if (!result && sink->take)
		sink->take(sink, buf, size);
	free(buf);
	return result ? result : (long long)size;
}

static void touch(const volatile unsigned char *map, size_t size)
{
	volatile char touched = 0;

	for (size_t at = 0; at < size; at += PAGE)
		touched += map[at];
}

static long long by_map(int fd, size_t size, struct sink *sink, int prot, int flags)
{
	volatile unsigned char *map;

	if (!size)
		return 0;
	map = mmap(NULL, size, prot, flags, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	sink->signal = sigsetjmp(on_fault, 0);
	if (!sink->signal) {
		if (prot & PROT_WRITE)
			for (size_t i = 0; i < size; i += PAGE)
				map[i] = ~map[i];
		else if (sink->take)
			sink->take(sink, map, size);
		else
			touch(map, size);
	}
	munmap((void *)map, size);
	return sink->signal ? -EFAULT : (long long)size;
}

long long way_private(int fd, size_t size, struct sink *sink)
{
	return by_map(fd, size, sink, PROT_READ, MAP_PRIVATE);
}

long long way_shared(int fd, size_t size, struct sink *sink)
{
	return by_map(fd, size, sink, PROT_READ, MAP_SHARED);
}

/* Writes into private copies of every page first: what the file holds must not change. */
long long way_cow(int fd, size_t size, struct sink *sink)
{
	long long result = by_map(fd, size, sink, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	return result < 0 ? result : way_private(fd, size, sink);
}

/* Empties the pipe of this many bytes, into the sink or to nowhere. */
static int drain(struct sink *sink, size_t left)
{
	while (left) {
		ssize_t n = sink->take ? read(sink->pipe[0], sink->buffer, left) :
					 splice(sink->pipe[0], NULL, sink->null, NULL, left, 0);

		if (n <= 0)
			return n ? -errno : -EPIPE;
		if (sink->take)
			sink->take(sink, sink->buffer, n);
		left -= n;
	}
	return 0;
}

long long way_splice(int fd, size_t size, struct sink *sink)
{
	long long sum = 0;
	ssize_t n;

	(void)size;
	while ((n = splice(fd, NULL, sink->pipe[1], NULL, next_call(sink, sum), 0)) > 0) {
		int result = drain(sink, n);

		if (result)
			return result;
		sum += n;
	}
	return n < 0 ? -errno : sum;
}
