// SPDX-License-Identifier: GPL-2.0-only
/* Calls on files other than reads. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "ways.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000
#endif

static void put_call(const char *call, long result)
{
	row_begin();
	row_text("call", call);
	row_text("result", result < 0 ? strerrorname_np(errno) : "ok");
	row_end();
}

static long read_all(const char *path)
{
	static char buf[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	close(fd);
	return n;
}

static long write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long result = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return result;
}

/* Writes as a debugger does, past the protection of the mapping. */
static long force_write(const volatile char *address)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char turned = ~*address;
	long result = fd < 0 ? -1 : pwrite(fd, &turned, 1, (off_t)(uintptr_t)address);

	close(fd);
	return result;
}

static void probe_mapping(const char *name, char *map, size_t size)
{
	static const struct {
		const char *name;
		int advice;
	} advices[] = {
		{ "willneed", MADV_WILLNEED }, { "cold", MADV_COLD },	      { "pageout", MADV_PAGEOUT },
		{ "hugepage", MADV_HUGEPAGE }, { "collapse", MADV_COLLAPSE }, { "dontneed", MADV_DONTNEED },
	};
	unsigned char *resident = malloc(size / 4096 + 1);
	volatile char touched = 0;

	row_begin();
	row_text("mapping", name);
	row_end();
	for (size_t i = 0; i < size; i += 4096)
		touched += map[i];
	put_call("mincore", mincore(map, size, resident));
	put_call("mlock", mlock(map, size));
	put_call("smaps", read_all("/proc/self/smaps"));
	put_call("clear_refs", write_text("/proc/self/clear_refs", "1"));
	put_call("compact", write_text("/proc/sys/vm/compact_memory", "1"));
	put_call("munlock", munlock(map, size));
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		put_call(advices[i].name, madvise(map, size, advices[i].advice));
		touched += map[0];
	}
	put_call("force write", force_write(map));
	if (!fork()) {
		for (size_t i = 0; i < size; i += 4096)
			touched += map[i];
		_exit(0);
	}
	wait(NULL);
	put_call("mremap", mremap(map, size, size / 2, 0) == MAP_FAILED ? -1 : 0);
	munmap(map, size);
	free(resident);
}

/*
 * probe,FILE: makes calls other than reads on a file and reports their results. More important is
 * that the kernel survives them and that the file reads the same afterwards.
 */
int step_probe(struct step *s)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extents[16];
	} fiemap = { .map = { .fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = 16 } };
	struct statx st;
	int fd, direct, block = 0, flags = 0;
	char *map;

	if (s->argc < 2)
		return -EINVAL;
	fd = open(s->argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	put_call("statx", statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_DIOALIGN, &st));
	put_call("fiemap", ioctl(fd, FS_IOC_FIEMAP, &fiemap));
	fiemap.map.fm_start = st.stx_size / 2;
	put_call("fiemap middle", ioctl(fd, FS_IOC_FIEMAP, &fiemap));
	put_call("fibmap", ioctl(fd, FIBMAP, &block));
	put_call("getflags", ioctl(fd, FS_IOC_GETFLAGS, &flags));
	put_call("seek data", lseek(fd, 0, SEEK_DATA));
	put_call("seek hole", lseek(fd, 0, SEEK_HOLE));
	put_call("seek middle", lseek(fd, st.stx_size / 2, SEEK_DATA));
	put_call("seek behind", lseek(fd, st.stx_size + 1, SEEK_DATA));
	put_call("fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED) ? -1 : 0);
	put_call("readahead", readahead(fd, 0, st.stx_size));
	put_call("sync", syncfs(fd));
	put_call("read behind", pread(fd, &flags, sizeof(flags), st.stx_size + 4096));
	direct = open(s->argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
	put_call("open direct", direct);
	if (direct >= 0) {
		void *buffer = aligned_alloc(4096, 65536);

		put_call("read direct", pread(direct, buffer, 65536, 0));
		free(buffer);
		close(direct);
	}
	map = mmap(NULL, st.stx_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map != MAP_FAILED)
		probe_mapping("private", map, st.stx_size);
	map = mmap(NULL, st.stx_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		probe_mapping("shared", map, st.stx_size);
	map = mmap(NULL, st.stx_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	put_call("map writable", map == MAP_FAILED ? -1 : 0);
	close(fd);
	return 0;
}

/* beyond,FILE: reads the first byte of the first page that lies wholly after the file's end. */
int step_beyond(struct step *s)
{
	volatile unsigned char *map;
	struct stat st;
	volatile size_t dirty = 0;
	size_t end;
	int fd, signal;

	if (s->argc < 2)
		return -EINVAL;
	fd = open(s->argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		close(fd);
		return -errno;
	}
	catch_faults();
	end = (st.st_size + PAGE - 1) / PAGE * PAGE;
	map = mmap(NULL, end + PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	signal = sigsetjmp(on_fault, 0);
	if (!signal)
		(void)map[end];
	for (size_t i = st.st_size; i < end; i++)
		dirty += map[i] != 0;
	munmap((void *)map, end + PAGE);
	row_begin();
	row_text("access", signal ? sigabbrev_np(signal) : "data");
	row_number("tailNonZero", dirty);
	row_end();
	return 0;
}
