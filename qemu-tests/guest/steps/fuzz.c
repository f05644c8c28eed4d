// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many damaged images in one boot: each is put together from a base image and edits, mounted from memory
 * through the kernel's test device, used, and let go of, by a process of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "exercise.h"

#define MAX_IMAGE (2 << 20)
#define MAX_BASES 64

/* As in the kernel's lib/test_fs_image_uapi.h. */
struct test_fs_image {
	uint64_t addr;
	uint64_t len;
	uint32_t start;
	uint8_t fill;
	uint8_t reserved[3];
	char fstype[32];
};
#define TEST_FS_IMAGE_MOUNT _IOW('I', 0xf0, struct test_fs_image)
#define TEST_FS_IMAGE_COUNT _IO('I', 0xf1)

/* As in src/fuzz/batch.ts; little-endian, without padding. */
struct mutant {
	uint32_t number;
	uint32_t length;
	uint16_t start;
	uint16_t base;
	uint16_t edits;
	uint8_t fill;
	uint8_t sound;
} __attribute__((packed));

struct base {
	const unsigned char *bytes;
	uint32_t len;
};

/* The outcome that the process of a mutant leaves behind. */
struct shared {
	int error;
	struct tally tally;
};

static const unsigned char *batch, *batch_end;
static struct base bases[MAX_BASES];
static unsigned char *image;
static struct shared *shared;
static struct sound sound;
static int device, kmsg, limit;

static bool take_bytes(void *to, size_t len)
{
	if (len > (size_t)(batch_end - batch))
		return false;
	memcpy(to, batch, len);
	batch += len;
	return true;
}

static const unsigned char *skip(size_t len)
{
	const unsigned char *at = batch;

	if (len > (size_t)(batch_end - batch))
		return NULL;
	batch += len;
	return at;
}

static int open_batch(const char *path, uint32_t *mutants)
{
	uint32_t nr;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	batch = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (batch == MAP_FAILED)
		return -errno;
	batch_end = batch + st.st_size;
	if (!take_bytes(&nr, 4) || !take_bytes(mutants, 4) || nr > MAX_BASES)
		return -EBADMSG;
	for (uint32_t i = 0; i < nr; i++)
		if (!take_bytes(&bases[i].len, 4) || bases[i].len > MAX_IMAGE ||
		    !(bases[i].bytes = skip(bases[i].len)))
			return -EBADMSG;
	return 0;
}

/* Reads the edits of a mutant and makes them on a copy of the base if it is wanted. */
static bool put_together(const struct mutant *m, bool wanted)
{
	struct {
		uint32_t at;
		uint32_t len;
	} edit;

	static uint32_t inos[UINT8_MAX];

	sound = (struct sound){ m->sound, inos };
	if (m->length > MAX_IMAGE || !take_bytes(inos, sizeof(inos[0]) * m->sound))
		return false;
	if (wanted) {
		uint32_t len = bases[m->base].len;

		memcpy(image, bases[m->base].bytes, len < m->length ? len : m->length);
		if (len < m->length)
			memset(image + len, 0, m->length - len);
	}
	for (int i = 0; i < m->edits; i++) {
		const unsigned char *bytes;

		if (!take_bytes(&edit, sizeof(edit)) || !(bytes = skip(edit.len)) ||
		    edit.at > m->length || edit.len > m->length - edit.at)
			return false;
		if (wanted)
			memcpy(image + edit.at, bytes, edit.len);
	}
	return true;
}

static void use_image(const struct mutant *m, unsigned char fill)
{
	struct test_fs_image arg = {
		.addr = (uintptr_t)image,
		.len = m->length,
		.start = m->start,
		.fill = fill,
		.fstype = "erofs",
	};
	int root;

	alarm(limit);
	root = ioctl(device, TEST_FS_IMAGE_MOUNT, &arg);
	shared->error = root < 0 ? errno : 0;
	if (root >= 0)
		exercise(root, fill, &sound, &shared->tally);
	_exit(0);
}

static bool ends_within(int pidfd, int seconds)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	return poll(&poll_fd, 1, seconds * 1000) == 1;
}

/* Runs a mutant and returns a verdict on its process: NULL if it just ended. */
static const char *run(const struct mutant *m, unsigned char fill)
{
	const char *verdict = NULL;
	int pidfd, status;
	pid_t child;

	memset(shared, 0, sizeof(*shared));
	child = fork();
	if (!child)
		use_image(m, fill);
	pidfd = child < 0 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
	if (pidfd < 0)
		return "the agent cannot fork";
	if (!ends_within(pidfd, 2 * limit)) {
		kill(child, SIGKILL);
		if (!ends_within(pidfd, limit)) {
			close(pidfd);
			return "stuck";
		}
	}
	close(pidfd);
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		verdict = WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGKILL ? "slow" : "killed";
	return verdict;
}

/*
 * Counts the images whose memory is still in use; the last reference may be put a moment after the
 * process is gone.
 */
static int left_over(void)
{
	int nr = 0;

	for (int i = 0; i < 2000; i++) {
		nr = ioctl(device, TEST_FS_IMAGE_COUNT);
		if (nr <= 0)
			break;
		usleep(1000);
	}
	return nr;
}

/*
 * Reports the first lines of the kernel's log since the last mutant, without those of EROFS about
 * damage.
 */
static void row_kernel_log(void)
{
	static char record[8192];
	char lines[1024];
	size_t used = 0;
	ssize_t n;

	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		char *text;
		size_t len;

		if (n <= 0)
			continue;
		record[n] = 0;
		text = strchr(record, ';');
		if (!text || (atoi(record) & 7) > 4 || !strncmp(text + 1, "erofs", 5))
			continue;
		len = strcspn(++text, "\n");
		if (used + len + 1 > sizeof(lines))
			continue;
		memcpy(lines + used, text, len);
		used += len;
		lines[used++] = '\n';
	}
	if (used)
		row_bytes("kernel", lines, used);
}

static void row_mutant(const struct mutant *m, const char *verdict)
{
	const struct tally *t = &shared->tally;
	const char *error = shared->error ? strerrorname_np(shared->error) : NULL;
	int left = left_over();

	row_begin();
	row_number("mutant", m->number);
	row_text("mount", shared->error ? error ? error : "?" : "mounted");
	row_number("entries", t->entries);
	row_number("dirs", t->dirs);
	row_number("files", t->files);
	row_number("links", t->links);
	row_number("xattrs", t->xattrs);
	row_number("programs", t->programs);
	row_number("errors", t->errors);
	row_number("faults", t->faults);
	row_number("bytes", t->bytes);
	if (verdict)
		row_text("process", verdict);
	if (left)
		row_number("leaked", left);
	if (t->outside)
		row_bool("outside", true);
	row_kernel_log();
	row_end();
}

static void *shared_memory(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/*
 * fuzz,BATCH,FIRST,SECONDS: runs the mutants of the file from the number FIRST on, for at most
 * SECONDS each.
 */
int step_fuzz(struct step *s)
{
	uint32_t mutants = 0, first;
	int result;

	if (s->argc < 4)
		return -EINVAL;
	limit = atoi(s->argv[3]);
	first = strtoul(s->argv[2], NULL, 10);
	result = open_batch(s->argv[1], &mutants);
	if (result)
		return result;
	device = open("/dev/test_fs_image", O_RDONLY | O_CLOEXEC);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (device < 0 || kmsg < 0)
		return -errno;
	lseek(kmsg, 0, SEEK_END);
	image = shared_memory(MAX_IMAGE);
	shared = shared_memory(sizeof(*shared));
	if (image == MAP_FAILED || shared == MAP_FAILED)
		return -errno;

	/* A kernel that dies before this has not died of a mutant. */
	row_begin();
	row_number("mutants", mutants);
	row_end();

	for (uint32_t i = 0; i < mutants; i++) {
		struct mutant m;
		const char *verdict;

		if (!take_bytes(&m, sizeof(m)) || m.base >= MAX_BASES || !bases[m.base].bytes ||
		    !put_together(&m, m.number >= first))
			return -EBADMSG;
		if (m.number < first)
			continue;
		verdict = run(&m, m.fill);
		/*
		 * The image may have such bytes itself, by chance: then they do not change with
		 * those around it.
		 */
		if (!verdict && shared->tally.outside)
			verdict = run(&m, ~m.fill);
		row_mutant(&m, verdict);
		/* The effects of this mutant could not be told from those of the next. */
		if (verdict && !strcmp(verdict, "stuck"))
			return -EDEADLK;
	}
	return 0;
}
