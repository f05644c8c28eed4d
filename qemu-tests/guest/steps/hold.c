// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts and asks processes that hold pages of a file and outlive its root. Each executes the
 * agent's copy in /newroot, so that it holds nothing else of the old root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "hold.h"

#define HOLDER "/newroot/agent"
static int read_whole(int fd, void *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, (char *)to + done, len - done);

		if (n <= 0)
			return n ? -errno : -EPIPE;
		done += n;
	}
	return 0;
}

static int receive(int fd, struct holding *holding)
{
	struct answer a;
	int result = read_whole(fd, &a, sizeof(a));

	if (result || a.error)
		return result ? result : a.error;
	memcpy(holding->how, a.how, sizeof(holding->how));
	holding->pages = a.pages;
	holding->crc = a.crc;
	holding->pid = a.pid;
	holding->frames = calloc(a.pages + 1, sizeof(*holding->frames));
	return read_whole(fd, holding->frames, a.pages * sizeof(*holding->frames));
}

static int request(int nr, enum request what, struct holding *holding)
{
	char byte = what;

	if (nr >= MAX_HOLDERS || write(HOLDER_FD + nr, &byte, 1) != 1)
		return -ENOENT;
	return receive(HOLDER_FD + nr, holding);
}

int ask_holder(int nr, struct holding *holding)
{
	return request(nr, ASK, holding);
}

void free_holding(struct holding *holding)
{
	free(holding->frames);
}

static void put_holding(const struct holding *holding)
{
	row_begin();
	row_text("holder", holding->how);
	row_number("pages", holding->pages);
	row_hex("crc", holding->crc);
	row_end();
}

/*
 * hold,HOW,FILE,FIRST,PAGES[,TARGET]: starts a process that takes these pages of a file. Processes
 * are numbered from 0.
 */
int step_hold(struct step *s)
{
	struct holding holding;
	int ends[2], file, target = -1, nr = 0, result;

	if (s->argc < 5)
		return -EINVAL;
	while (fcntl(HOLDER_FD + nr, F_GETFD) >= 0)
		nr++;
	file = open(s->argv[2], O_RDONLY | O_CLOEXEC);
	if (s->argc > 5)
		target = open(s->argv[5], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (nr == MAX_HOLDERS || file < 0 || (s->argc > 5 && target < 0) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	if (!fork()) {
		char *argv[] = { "holder", s->argv[1], s->argv[3], s->argv[4], NULL };
		int control = fcntl(ends[1], F_DUPFD, 32);
		int high = fcntl(file, F_DUPFD, 32);

		if (target >= 0)
			target = fcntl(target, F_DUPFD, 32);
		dup2(control, CONTROL_FD);
		dup2(high, FILE_FD);
		if (target >= 0)
			dup2(target, TARGET_FD);
		execv(HOLDER, argv);
		_exit(127);
	}
	close(ends[1]);
	close(file);
	if (target >= 0)
		close(target);
	dup2(ends[0], HOLDER_FD + nr);
	close(ends[0]);
	result = receive(HOLDER_FD + nr, &holding);
	if (result)
		return result;
	put_holding(&holding);
	free_holding(&holding);
	return 0;
}

/* drop: has the last holder let go and end, and reports its pages. */
int step_drop(struct step *s)
{
	struct holding holding;
	int nr = 0, result;

	(void)s;
	while (fcntl(HOLDER_FD + nr, F_GETFD) >= 0)
		nr++;
	if (!nr)
		return -ENOENT;
	result = request(nr - 1, DROP, &holding);
	if (result)
		return result;
	put_holding(&holding);
	free_holding(&holding);
	close(HOLDER_FD + nr - 1);
	waitpid(holding.pid, NULL, 0);
	return 0;
}

/*
 * pin,FILE,PAGES: puts mapped pages of a file into a pipe, which outlives the mapping and the root.
 */
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

/* unpin: reports the content of the pipe and closes it. */
int step_unpin(struct step *s)
{
	static unsigned char buf[MAX_PAGE];
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
