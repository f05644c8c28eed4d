// SPDX-License-Identifier: GPL-2.0-only
/* Uses one file, which may be nonsense, in every way. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "use.h"
#include "ways.h"

#define HEAD (3 * CHUNK)
#define MAPPED (10 * PAGE)
/*
 * The number of failures after which a file is left; each is some hundred lines of the kernel's
 * log.
 */
#define MAX_FAILURES 10
#define NOBODY 65534

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

struct tally *count;
unsigned char around;
unsigned char buf[CHUNK + MAX_PAGE] __attribute__((aligned(MAX_PAGE)));
static uint32_t failures_before;

bool worked(long result)
{
	if (result < 0)
		count->errors++;
	return result >= 0;
}

void look(const volatile void *p, size_t len)
{
	const volatile uint64_t *word = (const volatile void *)(((uintptr_t)p + 7) & ~7UL);
	const volatile uint64_t *end = (const volatile void *)(((uintptr_t)p + len) & ~7UL);
	const uint64_t pattern = 0x0101010101010101 * around;

	count->bytes += len;
	/*
	 * A word that looks like the bytes around the image, maybe by chance: the caller has to
	 * make sure.
	 */
	for (; word < end; word++)
		if (*word == pattern)
			count->outside = true;
}

static bool enough(void)
{
	return count->errors + count->faults - failures_before > MAX_FAILURES;
}

void look_if(ssize_t n)
{
	if (worked(n))
		look(buf, n);
}

static void use_reads(int fd, off_t size)
{
	const off_t tail = size > 5000 ? size - 5000 : 0;
	const off_t places[] = { tail, size / 2, size - 1, size, size + PAGE, LLONG_MAX - PAGE };
	ssize_t n;

	for (size_t done = 0; done < HEAD; done += n) {
		n = read(fd, buf, CHUNK);
		look_if(n);
		if (n <= 0)
			break;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !enough(); i++)
		look_if(pread(fd, buf, 2 * PAGE, places[i]));
}

static void touch(volatile unsigned char *map, size_t len, bool write)
{
	/* A fault in the last page must not keep the next from being tried. */
	for (volatile size_t at = 0; at < len && !enough(); at += PAGE) {
		if (sigsetjmp(on_fault, 0)) {
			count->faults++;
			continue;
		}
		if (write)
			map[at] = ~map[at];
		else
			look(map + at, PAGE);
	}
}

static void use_map(int fd, off_t from, size_t len, int prot, int flags)
{
	void *map = mmap(NULL, len, prot, flags, fd, from);

	if (map == MAP_FAILED) {
		count->errors++;
		return;
	}
	worked(madvise(map, len, MADV_WILLNEED));
	touch(map, len, prot & PROT_WRITE);
	if (!enough()) {
		worked(madvise(map, len, MADV_DONTNEED));
		worked(madvise(map, len, MADV_POPULATE_READ));
	}
	munmap(map, len);
}

static void use_maps(int fd, off_t size)
{
	off_t last = size > 0 ? (size - 1) / PAGE * PAGE : 0;
	size_t head = size < MAPPED ? last + PAGE : MAPPED;

	/* One page more than the file has. */
	use_map(fd, 0, head + PAGE, PROT_READ, MAP_SHARED);
	/* In turn, for faults take most of the time. */
	if (count->files % 2)
		use_map(fd, 0, head, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	else
		use_map(fd, 0, head, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	if (last >= MAPPED)
		use_map(fd, last - PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE);
}

static void use_splice(int fd, off_t size)
{
	loff_t places[] = { 0, size / 2, size > 3 ? size - 3 : 0, size };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		ssize_t n = splice(fd, &places[i], ends[1], NULL, 2 * CHUNK, SPLICE_F_NONBLOCK);

		worked(n);
		for (; n > 0; n -= CHUNK)
			look_if(read(ends[0], buf, CHUNK));
	}
	close(ends[0]);
	close(ends[1]);
}

static void use_extents(int fd, off_t size)
{
	static struct {
		struct fiemap map;
		struct fiemap_extent extents[32];
	} f;

	memset(&f, 0, sizeof(f));
	f.map.fm_length = FIEMAP_MAX_OFFSET;
	f.map.fm_extent_count = 32;
	worked(ioctl(fd, FS_IOC_FIEMAP, &f));
	memset(&f, 0, sizeof(f));
	f.map.fm_length = size;
	worked(ioctl(fd, FS_IOC_FIEMAP, &f));
	worked(lseek(fd, 0, SEEK_HOLE));
	worked(lseek(fd, size / 2, SEEK_DATA));
	worked(lseek(fd, size, SEEK_HOLE));
	worked(posix_fadvise(fd, 0, MAPPED, POSIX_FADV_WILLNEED));
	worked(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	worked(readahead(fd, size / 2, MAPPED));
}

static void use_direct(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_DIRECT);

	if (!worked(fd))
		return;
	look_if(pread(fd, buf, PAGE, 0));
	look_if(pread(fd, buf, PAGE, 2 * PAGE));
	close(fd);
}

/* Nonsense is executed as nobody, for a second at most. */
static void use_program(int fd)
{
	static char *const argv[] = { "program", NULL }, *const envp[] = { NULL };
	pid_t child = fork();

	if (child == 0) {
		const struct rlimit none = { 0, 0 }, second = { 1, 1 }, some = { 64 << 20, 64 << 20 };

		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		setrlimit(RLIMIT_CORE, &none);
		setrlimit(RLIMIT_CPU, &second);
		setrlimit(RLIMIT_AS, &some);
		alarm(5);
		if (syscall(SYS_setgroups, 0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(126);
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		_exit(127);
	}
	if (child > 0 && waitpid(child, NULL, 0) == child)
		count->programs++;
}

void use_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (!worked(fd))
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		count->files++;
		failures_before = count->errors + count->faults;
		use_extents(fd, st.st_size);
		use_maps(fd, st.st_size);
		use_reads(fd, st.st_size);
		if (!enough())
			use_splice(fd, st.st_size);
		use_direct(dir, name);
		if (st.st_mode & 0111)
			use_program(fd);
	}
	close(fd);
}
