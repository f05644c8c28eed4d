/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WAYS_H
#define WAYS_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The destination of the bytes of a file, with the buffers and descriptors of the ways to read
 * them.
 */
struct sink {
	/* Gets the bytes in their order; NULL: they need only be there. */
	void (*take)(struct sink *sink, const volatile unsigned char *bytes, size_t len);
	uint32_t crc;
	int signal; /* the signal of a mapping in place of bytes, with -EFAULT */
	unsigned char *buffer;
	size_t chunk; /* bytes a call */
	size_t most; /* bytes of a file that are used; 0: all */
	int null, pipe[2];
};

int sink_open(struct sink *sink, size_t chunk);
void sink_close(struct sink *sink);
void take_crc(struct sink *sink, const volatile unsigned char *bytes, size_t len);

/* Reads a file of this size from its start, and returns the number of bytes or a negative errno. */
typedef long long (*way_fn)(int fd, size_t size, struct sink *sink);

long long way_read(int fd, size_t size, struct sink *sink);
long long way_pread(int fd, size_t size, struct sink *sink);
long long way_private(int fd, size_t size, struct sink *sink);
long long way_shared(int fd, size_t size, struct sink *sink);
long long way_cow(int fd, size_t size, struct sink *sink);
long long way_splice(int fd, size_t size, struct sink *sink);

/* After catch_faults(), SIGBUS and SIGSEGV return their number from sigsetjmp(on_fault, 0). */
extern sigjmp_buf on_fault;
void catch_faults(void);

#endif
