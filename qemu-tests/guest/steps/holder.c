// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process of the step `hold`: it takes pages of a file and answers questions about them until it
 * is to let go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "hold.h"

/* Finds the page frames of a mapping of this process; 0 for a page without one. */
static int page_frames(const void *address, size_t pages, uint64_t *frames)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t len = pages * sizeof(*frames);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pread(fd, frames, len, (uintptr_t)address / PAGE * sizeof(*frames));
	close(fd);
	if (n != (ssize_t)len)
		return n < 0 ? -errno : -EIO;
	/* Bit 63: present; bits 0 to 54: the frame. */
	for (size_t i = 0; i < pages; i++)
		frames[i] = frames[i] >> 63 ? frames[i] & ((1ULL << 55) - 1) : 0;
	return 0;
}

static struct {
	const char *how;
	size_t first, pages;
	unsigned char *map;
	uint64_t *frames;
	int pipe[2], copy[2], socket[2];
	aio_context_t aio;
	struct iocb iocb;
} own;

static int make_pipe(int *ends)
{
	if (pipe(ends))
		return -errno;
	if (fcntl(ends[1], F_SETPIPE_SZ, own.pages * PAGE) < 0)
		return -errno;
	return 0;
}

static int into_pipe(void)
{
	struct iovec iov = { .iov_base = own.map, .iov_len = own.pages * PAGE };
	int result = make_pipe(own.pipe);

	if (!result)
		result = make_pipe(own.copy);
	if (result)
		return result;
	if (vmsplice(own.pipe[1], &iov, 1, SPLICE_F_NONBLOCK) != (ssize_t)iov.iov_len)
		return errno ? -errno : -EIO;
	return 0;
}

/* Moves pages from a pipe into the receive queue of a socket: network code has them then. */
static int into_socket(void)
{
	size_t left = own.pages * PAGE;
	int room = 2 * left + (1 << 20);
	int result = into_pipe();

	if (result)
		return result;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, own.socket))
		return -errno;
	setsockopt(own.socket[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	while (left) {
		ssize_t n = splice(own.pipe[0], NULL, own.socket[1], NULL, left, 0);

		if (n <= 0)
			return n ? -errno : -EIO;
		left -= n;
	}
	close(own.pipe[0]);
	close(own.pipe[1]);
	return 0;
}

/* Starts a direct write: the block layer has the pages until the device has written them. */
static int into_flight(void)
{
	struct iocb *one = &own.iocb;

	own.iocb = (struct iocb){
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = TARGET_FD,
		.aio_buf = (uintptr_t)own.map,
		.aio_nbytes = own.pages * PAGE,
	};
	if (syscall(SYS_io_setup, 1, &own.aio))
		return -errno;
	return syscall(SYS_io_submit, own.aio, 1, &one) == 1 ? 0 : -errno;
}

/* Takes the pages. All of the mapping is read first, so that all of it is mapped. */
static int take_hold(void)
{
	volatile unsigned char touched = 0;
	int result = 0;

	if (!strcmp(own.how, "fd"))
		return 0;
	own.map = mmap(NULL, own.pages * PAGE, PROT_READ, MAP_PRIVATE, FILE_FD, own.first * PAGE);
	if (own.map == MAP_FAILED)
		return -errno;
	close(FILE_FD);
	for (size_t i = 0; i < own.pages; i++)
		touched += own.map[i * PAGE];
	own.frames = calloc(own.pages, sizeof(*own.frames));
	result = page_frames(own.map, own.pages, own.frames);
	if (result || !strcmp(own.how, "map"))
		return result;
	if (!strcmp(own.how, "lock"))
		return mlock(own.map, own.pages * PAGE) ? -errno : 0;

	if (!strcmp(own.how, "pipe"))
		result = into_pipe();
	else if (!strcmp(own.how, "socket"))
		result = into_socket();
	else if (!strcmp(own.how, "flight"))
		result = into_flight();
	else
		result = -EINVAL;
	munmap(own.map, own.pages * PAGE);
	return result;
}

/* Reads the held pages without letting go of them. */
static int look(uint32_t *crc)
{
	size_t len = own.pages * PAGE;
	unsigned char *buf = malloc(len);
	ssize_t n = len;

	*crc = 0;
	if (!strcmp(own.how, "map") || !strcmp(own.how, "lock"))
		memcpy(buf, own.map, len);
	else if (!strcmp(own.how, "fd"))
		n = pread(FILE_FD, buf, len, own.first * PAGE);
	else if (!strcmp(own.how, "pipe"))
		n = tee(own.pipe[0], own.copy[1], len, 0) < 0 ? -1 : read(own.copy[0], buf, len);
	else if (!strcmp(own.how, "socket"))
		n = recv(own.socket[0], buf, len, MSG_PEEK);
	else /* a write in flight cannot be read before its end */
		len = n = 0;
	if (n == (ssize_t)len)
		*crc = crc32(0, buf, len);
	free(buf);
	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
}

/* Waits for the end of the write and reads the bytes that have arrived. */
static int land(uint32_t *crc)
{
	size_t len = own.pages * PAGE;
	unsigned char *buf = aligned_alloc(PAGE, len);
	struct io_event event;

	if (syscall(SYS_io_getevents, own.aio, 1, 1, &event, NULL) != 1)
		return -errno;
	if (event.res != (long long)len)
		return event.res < 0 ? event.res : -EIO;
	if (pread(TARGET_FD, buf, len, 0) != (ssize_t)len)
		return -EIO;
	*crc = crc32(0, buf, len);
	free(buf);
	return 0;
}

static void send_answer(int error, uint32_t crc)
{
	struct answer a = { .pages = own.frames ? own.pages : 0, .crc = crc, .error = error, .pid = getpid() };

	strncpy(a.how, own.how, sizeof(a.how) - 1);
	if (write(CONTROL_FD, &a, sizeof(a)) < 0 ||
	    write(CONTROL_FD, own.frames, a.pages * sizeof(*own.frames)) < 0)
		_exit(1);
}

/* holder HOW FIRST PAGES: the program of the forked process. */
int holder_main(char **argv)
{
	uint32_t crc = 0;
	char request;
	int error;

	crc_init();
	own.how = argv[1];
	own.first = strtoul(argv[2], NULL, 10);
	own.pages = strtoul(argv[3], NULL, 10);
	for (int fd = 0; fd < CONTROL_FD; fd++)
		close(fd);
	for (int fd = TARGET_FD + 1; fd < HOLDER_FD + MAX_HOLDERS; fd++)
		close(fd);
	error = take_hold();
	if (!error)
		error = look(&crc);
	send_answer(error, crc);
	while (read(CONTROL_FD, &request, 1) == 1) {
		bool flight = !strcmp(own.how, "flight");

		error = request == DROP && flight ? land(&crc) : look(&crc);
		send_answer(error, crc);
		if (request == DROP)
			return 0;
	}
	return 1;
}

