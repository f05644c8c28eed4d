// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds out who has the pages of the initrd. The kernel's log has its addresses, and
 * /proc/kpageflags has a word for each page frame (Documentation/admin-guide/mm/pagemap.rst). A
 * free page in a per-CPU list looks there like one that nobody will ever free, so each page has to
 * prove that it is free.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent.h"
#include "hold.h"

/* Only the kernel's own header has it, as a flag for kernel hackers; its number stays. */
#define KPF_RESERVED 32
#define BIT(n) (1ULL << (n))
/* The owner of a page with one of these got it from the page allocator. */
#define IN_NEW_HANDS                                                                               \
	(BIT(KPF_SLAB) | BIT(KPF_LRU) | BIT(KPF_ANON) | BIT(KPF_PGTABLE) | BIT(KPF_SWAPBACKED))
/* Far more than the per-CPU lists hold, once they are not allowed to grow with the load. */
#define FILL (16UL << 20)
#define MIN_ROUNDS 3
#define MAX_ROUNDS 30

struct area {
	uint64_t first, pages;
};

/* Reads an address of the boot loader's from the device tree: one cell or two. 0: there is none. */
static uint64_t chosen(const char *name)
{
	unsigned char cells[8];
	uint64_t address = 0;
	char path[80];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/firmware/devicetree/base/chosen/linux,initrd-%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, cells, sizeof(cells));
	for (ssize_t i = 0; i < n; i++)
		address = address << 8 | cells[i];
	if (fd >= 0)
		close(fd);
	return address;
}

/*
 * Finds the addresses of the initrd. x86 tells them in the log, after it has moved the initrd if it
 * had to.
 */
static int find_initrd(struct area *area)
{
	uint64_t start = chosen("start"), end = chosen("end");
	static const char mark[] = "RAMDISK: [mem ";
	char record[8192];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	area->first = start / PAGE;
	area->pages = (end + PAGE - 1) / PAGE - area->first;
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		unsigned long long from, last;
		char *at;

		if (n <= 0) {
			errno = 0;
			continue;
		}
		record[n] = '\0';
		at = strstr(record, mark);
		if (at && sscanf(at + strlen(mark), "%llx-%llx", &from, &last) == 2) {
			area->first = from / PAGE;
			area->pages = last / PAGE + 1 - area->first;
		}
	}
	close(fd);
	return area->pages ? 0 : -ENODATA;
}

static int read_flags(const struct area *area, uint64_t *flags)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	size_t len = area->pages * sizeof(*flags), done = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (done < len &&
	       (n = pread(fd, (char *)flags + done, len - done,
			  area->first * sizeof(*flags) + done)) > 0)
		done += n;
	close(fd);
	return done == len ? 0 : -EIO;
}

static void note_proofs(const uint64_t *flags, size_t pages, bool *proven)
{
	for (size_t i = 0; i < pages; i++)
		if (flags[i] & (BIT(KPF_BUDDY) | IN_NEW_HANDS))
			proven[i] = true;
}

/*
 * Shakes pages out of the lists of the CPUs. A CPU takes the pages in its list next, so this takes
 * many, looks at their owners, and gives them back, which flushes the lists.
 */
static int shake(const struct area *area, uint64_t *flags, bool *proven)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t all, one;
	int result = 0;

	sched_getaffinity(0, sizeof(all), &all);
	for (int cpu = 0; cpu < cpus && !result; cpu++) {
		void *fill;

		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		fill = mmap(NULL, FILL, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (fill == MAP_FAILED)
			return -errno;
		result = read_flags(area, flags);
		note_proofs(flags, area->pages, proven);
		munmap(fill, FILL);
		if (!result)
			result = read_flags(area, flags);
		note_proofs(flags, area->pages, proven);
	}
	sched_setaffinity(0, sizeof(all), &all);
	return result;
}

struct count {
	uint64_t reserved, held, back, unknown;
};

static void count_pages(const uint64_t *flags, const bool *held, const bool *proven, size_t pages,
			struct count *c)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < pages; i++) {
		if (flags[i] & BIT(KPF_RESERVED))
			c->reserved++;
		else if (held[i])
			c->held++;
		else if (proven[i])
			c->back++;
		else
			c->unknown++;
	}
}

static bool in_area(const struct area *area, uint64_t frame)
{
	return frame >= area->first && frame < area->first + area->pages;
}

/* Marks the frames of the initrd that holders have. Returns the number of holders. */
static int ask_holders(const struct area *area, struct holding *holdings, bool *held)
{
	int n = 0;

	while (n < MAX_HOLDERS && !ask_holder(n, &holdings[n])) {
		const struct holding *holding = &holdings[n++];

		for (size_t i = 0; i < holding->pages; i++)
			if (in_area(area, holding->frames[i]))
				held[holding->frames[i] - area->first] = true;
	}
	return n;
}

/* Reports the pages of a holder and their states. */
static void put_holder(const struct area *area, const uint64_t *flags, const bool *proven,
		       const struct holding *holding)
{
	size_t inside = 0, reserved = 0, freed = 0, mapped = 0;

	for (size_t i = 0; i < holding->pages; i++) {
		size_t at = holding->frames[i] - area->first;

		if (!in_area(area, holding->frames[i]))
			continue;
		inside++;
		reserved += !!(flags[at] & BIT(KPF_RESERVED));
		freed += proven[at];
		mapped += !!(flags[at] & BIT(KPF_MMAP));
	}
	row_begin();
	row_text("holder", holding->how);
	row_number("pages", holding->pages);
	row_number("inside", inside);
	row_number("reserved", reserved);
	row_number("freed", freed);
	row_number("mapped", mapped);
	row_hex("crc", holding->crc);
	row_end();
}

static void put_count(const struct count *count, size_t pages)
{
	row_begin();
	row_number("pages", pages);
	row_number("reserved", count->reserved);
	row_number("held", count->held);
	row_number("back", count->back);
	row_number("unknown", count->unknown);
	row_end();
}

/*
 * initrd[,PAGES]: reports the pages of the initrd. `reserved` ones were never given to the page
 * allocator, `held` ones belong to the holders alone, `back` ones were seen free or with a new
 * owner, and `unknown` ones were not: they are of images in use, of which PAGES are expected, or
 * lost.
 */
int step_initrd(struct step *s)
{
	struct holding holdings[MAX_HOLDERS];
	struct area area;
	struct count count;
	uint64_t *flags;
	/* A page that was back once counts as back, whoever takes it by the next look. */
	static bool *proven;
	bool *held;
	int holders = 0, result = find_initrd(&area);
	uint64_t in_use = s->argc > 1 ? strtoull(s->argv[1], NULL, 10) : 0;

	if (result)
		return result;
	flags = calloc(area.pages, sizeof(*flags));
	held = calloc(area.pages, sizeof(*held));
	if (!proven)
		proven = calloc(area.pages, sizeof(*proven));
	if (flags && held && proven)
		holders = ask_holders(&area, holdings, held);
	else
		result = -ENOMEM;
	poke("/proc/sys/vm/percpu_pagelist_high_fraction", "1000000");
	for (int i = 0; i < MAX_ROUNDS && !result; i++) {
		result = shake(&area, flags, proven);
		count_pages(flags, held, proven, area.pages, &count);
		/* In some rounds, too, pages that somebody has are to be seen not to become free. */
		if (count.unknown <= in_use &&
		    (i >= MIN_ROUNDS || (!count.held && !in_use)))
			break;
		/*
		 * Batches of the CPUs, for the LRU and for mlock, hold pages, too. This empties
		 * them. It comes after the first look, because it starts kernel threads, whose
		 * stacks have no flags.
		 */
		poke("/proc/sys/vm/compact_memory", "1");
	}
	for (int i = 0; i < holders; i++) {
		if (!result)
			put_holder(&area, flags, proven, &holdings[i]);
		free_holding(&holdings[i]);
	}
	if (!result)
		put_count(&count, area.pages);
	free(flags);
	free(held);
	return result;
}
