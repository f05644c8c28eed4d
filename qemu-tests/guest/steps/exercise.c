// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent.h"
#include "exercise.h"
#include "ways.h"

#define MAX_DEPTH 6
#define MAX_ENTRIES 120
/* Not a multiple of anything, so that reads straddle pages and pclusters. */
#define CHUNK 30721
#define HEAD (3 * CHUNK)
#define MAPPED (10 * PAGE)
#define MAX_USED 64
/*
 * The number of failures after which a file is left; each is some hundred lines of the kernel's
 * log.
 */
#define MAX_FAILURES 10
#define NOBODY 65534

#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000U
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

static struct tally *count;
static const struct sound *untouched;
static uint32_t failures_before;
static unsigned char around;
static unsigned char buf[CHUNK + PAGE] __attribute__((aligned(PAGE)));

static bool worked(long result)
{
	if (result < 0)
		count->errors++;
	return result >= 0;
}

static void look(const volatile void *p, size_t len)
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

static void look_if(ssize_t n)
{
	if (worked(n))
		look(buf, n);
}

static void use_xattrs(const char *path)
{
	static char names[65536];
	ssize_t len = llistxattr(path, names, sizeof(names));

	if (!worked(len))
		return;
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		count->xattrs++;
		look_if(lgetxattr(path, name, buf, sizeof(buf)));
		/* A buffer that is too small, on purpose. */
		worked(lgetxattr(path, name, buf, 1));
	}
	worked(lgetxattr(path, "user.not-there", buf, sizeof(buf)));
	worked(lgetxattr(path, "system.posix_acl_access", buf, sizeof(buf)));
	worked(lgetxattr(path, "system.posix_acl_default", buf, sizeof(buf)));
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

static void use_file(int dir, const char *name)
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

/* The inode's number as a file handle has it, and the one after. */
static void use_handle(int dir, const char *name)
{
	union {
		struct file_handle handle;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} h;
	int mount;

	h.handle.handle_bytes = MAX_HANDLE_SZ;
	if (!worked(name_to_handle_at(dir, name, &h.handle, &mount, 0)))
		return;
	for (int i = 0; i < 2; i++) {
		int fd = open_by_handle_at(dir, &h.handle, O_PATH | O_CLOEXEC);

		if (worked(fd))
			close(fd);
		if (h.handle.handle_bytes)
			h.handle.f_handle[0]++;
	}
}

static uint64_t used[MAX_USED];
static int nr_used;

/* Has this inode been used before, maybe under another name? */
static bool is_used(uint64_t ino)
{
	for (int i = 0; i < nr_used; i++)
		if (used[i] == ino)
			return true;
	return false;
}

static bool is_sound(uint64_t ino)
{
	for (uint32_t i = 0; i < untouched->nr; i++)
		if (untouched->inos[i] == ino)
			return true;
	return false;
}

static void walk(int dir, int depth);

static void use_entry(int dir, const char *name, int depth)
{
	char path[300 + NAME_MAX];
	struct statx sx;
	int fd;

	/* Not out of the tree. */
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	if (!worked(statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_ALL | STATX_DIOALIGN, &sx)))
		return;
	/* A tree that damage has tied to itself has no end otherwise. */
	if (is_used(sx.stx_ino))
		return;
	if (nr_used < MAX_USED)
		used[nr_used++] = sx.stx_ino;
	if (is_sound(sx.stx_ino) && !S_ISDIR(sx.stx_mode))
		return;
	use_xattrs(path);
	use_handle(dir, name);
	switch (sx.stx_mode & S_IFMT) {
	case S_IFLNK:
		count->links++;
		look_if(readlinkat(dir, name, (char *)buf, sizeof(buf)));
		worked(faccessat(dir, name, F_OK, 0));
		break;
	case S_IFREG:
		use_file(dir, name);
		break;
	case S_IFDIR:
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (worked(fd)) {
			walk(fd, depth + 1);
			close(fd);
		}
		break;
	}
}

static ssize_t entries(int dir, void *buffer, size_t size)
{
	return syscall(SYS_getdents64, dir, buffer, size);
}

static void walk(int dir, int depth)
{
	const off_t places[] = { 1, 13, PAGE - 1, PAGE, LLONG_MAX - 1 };
	char *dents = malloc(PAGE);
	ssize_t len;

	count->dirs++;
	while (dents && depth < MAX_DEPTH && (len = entries(dir, dents, PAGE)) != 0) {
		if (!worked(len))
			break;
		for (ssize_t at = 0; at < len;) {
			const struct dirent64 *entry = (void *)(dents + at);

			if (count->entries++ >= MAX_ENTRIES)
				goto out;
			look(entry->d_name, strlen(entry->d_name));
			/* One in four of the many names of one file will do. */
			if (count->entries % 4 == 0 || !is_used(entry->d_ino))
				use_entry(dir, entry->d_name, depth);
			at += entry->d_reclen;
		}
	}
	/* Offsets that readdir(3) has never given out. */
	for (size_t i = 0; dents && i < sizeof(places) / sizeof(places[0]); i++)
		if (worked(lseek(dir, places[i], SEEK_SET)))
			worked(entries(dir, dents, PAGE));
	worked(faccessat(dir, "!", F_OK, 0));
	worked(faccessat(dir, "not-there", F_OK, 0));
	worked(faccessat(dir, "\377\377", F_OK, 0));
out:
	free(dents);
}

void exercise(int root, unsigned char fill, const struct sound *sound, struct tally *tally)
{
	struct statfs fs;
	char path[64];

	count = tally;
	untouched = sound;
	around = fill;
	catch_faults();
	worked(fstatfs(root, &fs));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", root);
	use_xattrs(path);
	walk(root, 0);
}
