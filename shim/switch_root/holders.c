// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/message.h"
#include "holders.h"

/* The setup header of x86 in boot_params: ramdisk_size, and its upper half (Documentation/arch/x86/zero-page.rst). */
#define BOOT_PARAMS "/sys/kernel/boot_params/data"
#define RAMDISK_SIZE 0x21c
#define EXT_RAMDISK_SIZE 0x0c4

/* Addresses of the initrd in a device tree (Documentation/devicetree/usage-model.rst): a cell, or two. */
#define CHOSEN "/sys/firmware/devicetree/base/chosen/linux,initrd-"

/* Returns an address of the device tree, or 0 where there is none. */
static uint64_t address(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char cells[sizeof(uint64_t)];
	ssize_t length = fd < 0 ? 0 : read(fd, cells, sizeof(cells));
	uint64_t value = 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < length; i++)
		value = value << 8 | cells[i];
	return value;
}

/* Returns the size of the initrd in bytes as the boot loader said it, or 0 where the kernel does not tell. */
static uint64_t initrd_size(void)
{
	uint32_t low = 0, high = 0;
	int fd = open(BOOT_PARAMS, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return address(CHOSEN "end") - address(CHOSEN "start");
	if (pread(fd, &low, sizeof(low), RAMDISK_SIZE) != sizeof(low) ||
	    pread(fd, &high, sizeof(high), EXT_RAMDISK_SIZE) != sizeof(high))
		low = high = 0;
	close(fd);
	return (uint64_t)high << 32 | low;
}

static bool is_on(int fd, const char *path, dev_t device)
{
	struct stat st;

	return !fstatat(fd, path, &st, 0) && st.st_dev == device;
}

/* Returns what a process uses there, or NULL. `process` is its folder in /proc. */
static const char *use_of(int process, dev_t device)
{
	static const char *const links[] = { "exe", "cwd", "root" };
	const char *use = NULL;
	struct dirent *entry;
	DIR *files;
	int fd;

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (is_on(process, links[i], device))
			return links[i];
	fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	files = fd < 0 ? NULL : fdopendir(fd);
	if (!files) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	while (!use && (entry = readdir(files)))
		if (isdigit((unsigned char)*entry->d_name) && is_on(fd, entry->d_name, device))
			use = "an open file";
	closedir(files);
	return use;
}

static void report(int process, const char *id, const char *use)
{
	unsigned int megabytes = (unsigned int)((initrd_size() + 500000) / 1000000);
	char name[32] = "", size[48] = "";
	int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);

	if (fd >= 0)
		close(fd);
	name[length > 0 ? length : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	if (megabytes > 0)
		snprintf(size, sizeof(size), ", up to %u MB", megabytes);
	warning("process %s (%s) still uses the old root (%s), so its image stays in memory%s", id, name, use, size);
}

void report_holders(dev_t device)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && (entry = readdir(processes))) {
		const char *use;
		int process;

		/* PID 1 executes another program next. */
		if (!isdigit((unsigned char)*entry->d_name) || atoi(entry->d_name) == getpid())
			continue;
		process = openat(dirfd(processes), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		use = use_of(process, device);
		if (use)
			report(process, entry->d_name, use);
		close(process);
	}
	if (processes)
		closedir(processes);
}
