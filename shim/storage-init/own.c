// SPDX-License-Identifier: GPL-2.0-only
/* Knows which files of the initramfs are those of the archive with the image: its list has them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage-init.h"

static struct name {
	struct name *next;
	bool intact; /* has the mode and size that the list says */
	char path[];
} *own;

/* Names that are left out: early-boot data, as with the series, and what every kernel has built in. */
static const char *const besides[] = {
	"early_cpio", "kernel/x86/microcode/*", "kernel/firmware/acpi/*", "dev/console", &ARCHIVE_FILES[1],
};

/* Directories that are left out if they are empty: usr/default_cpio_list has the first, the others are our own. */
static const char *const folders[] = { "root", "proc", "sys", "run/storage-init", "run/storage-init/*" };

static bool add(const char *path, bool intact)
{
	struct name *name = malloc(sizeof(*name) + strlen(path) + 1);

	if (!name)
		return false;
	name->intact = intact;
	strcpy(name->path, path);
	name->next = own;
	own = name;
	return true;
}

static void forget(void)
{
	while (own) {
		struct name *next = own->next;

		free(own);
		own = next;
	}
}

/* Tells whether a path is this name. `*` at the end of the name stands for everything below it. */
static bool matches(const char *path, const char *name)
{
	size_t length = strlen(name);

	return name[length - 1] == '*' ? !strncmp(path, name, length - 1) : !strcmp(path, name);
}

static bool leads_to(const char *path, const char *name)
{
	size_t length = strlen(path);

	return !strncmp(path, name, length) && name[length] == '/';
}

/* Tells whether the path passes a test with one of the names that are left out. */
static bool any(const char *path, bool (*test)(const char *, const char *))
{
	for (size_t i = 0; i < sizeof(besides) / sizeof(*besides); i++)
		if (test(path, besides[i]))
			return true;
	for (const struct name *name = own; name; name = name->next)
		if (test(path, name->path))
			return true;
	return false;
}

bool own_is(const char *path)
{
	return any(path, matches);
}

bool own_needs(const char *path)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (matches(path, folders[i]) || leads_to(path, folders[i]))
			return true;
	return any(path, leads_to);
}

/* Tells whether a file of the archive with the image is still what the archive has, and says if it is not. */
static bool check(int root, const char *name, mode_t mode, unsigned long long size)
{
	struct stat st;

	if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW))
		warning("/%s is missing: not all of the initrd was unpacked, for want of memory or by a fault in it", name);
	else if (st.st_mode != mode || (S_ISREG(mode) && (unsigned long long)st.st_size != size))
		warning("/%s has mode %o and %lld bytes, not %o and %llu: an archive after it has replaced it, or not "
			"all of it was unpacked", name, st.st_mode, (long long)st.st_size, mode, size);
	else
		return true;
	return false;
}

bool own_is_intact(const char *path)
{
	for (const struct name *name = own; name; name = name->next)
		if (!strcmp(path + 1, name->path))
			return name->intact;
	return false;
}

/* Opens the list. Another archive can put a fifo or a device there, which would never end. */
static FILE *open_list(int root)
{
	int fd = openat(root, &ARCHIVE_FILES[1], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	FILE *file;

	if (fd >= 0 && !fstat(fd, &st) && !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		file = NULL;
	} else {
		file = fd < 0 ? NULL : fdopen(fd, "r");
	}
	if (fd >= 0 && !file)
		close(fd);
	return file;
}

bool own_read(void)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	FILE *file = open_list(root);
	bool done = file;
	char *line = NULL;
	size_t length = 0;
	int error;

	forget();
	while (done && getline(&line, &length, file) >= 0) {
		unsigned long long size;
		unsigned int mode;
		int start = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%o %llu %n", &mode, &size, &start) < 2 || !start || !line[start])
			warning(ARCHIVE_FILES ": \"%s\" is no mode, size and name", line);
		else
			done = add(line + start, check(root, line + start, mode, size));
	}
	done = done && !ferror(file);
	error = errno;
	free(line);
	if (file)
		fclose(file);
	if (root >= 0)
		close(root);
	errno = error;
	return done;
}
