// SPDX-License-Identifier: GPL-2.0-only
/* Knows which files of the initramfs are those of the archive with the image: its list has them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "storage-init.h"

static struct name {
	struct name *next;
	char path[];
} *own;

/* Names that are left out: early-boot data, as with the series, and what every kernel has built in. */
static const char *const besides[] = {
	"early_cpio", "kernel/x86/microcode/*", "kernel/firmware/acpi/*", "dev/console", ARCHIVE_FILES + 1,
};

/* Directories that are left out if they are empty: usr/default_cpio_list has the first, the others are our own. */
static const char *const folders[] = { "root", "proc", "sys", "run/storage-init", "run/storage-init/*" };

static bool add(const char *path)
{
	struct name *name = malloc(sizeof(*name) + strlen(path) + 1);

	if (!name)
		return false;
	strcpy(name->path, path);
	name->next = own;
	own = name;
	return true;
}

void own_forget(void)
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

/* Says if a file of the archive with the image is no longer what the archive has. */
static void check(int root, const char *name, mode_t mode, unsigned long long size)
{
	struct stat st;

	if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW))
		warning("/%s is missing: not all of the initrd was unpacked, for want of memory or by a fault in it", name);
	else if (st.st_mode != mode || (S_ISREG(mode) && (unsigned long long)st.st_size != size))
		warning("/%s has mode %o and %lld bytes, not %o and %llu: an archive after it has replaced it, or not "
			"all of it was unpacked", name, st.st_mode, (long long)st.st_size, mode, size);
}

bool own_read(int root)
{
	FILE *file = fopen(ARCHIVE_FILES, "re");
	char *line = NULL;
	size_t length = 0;

	if (!file)
		return false;
	while (getline(&line, &length, file) >= 0) {
		unsigned long long size;
		unsigned int mode;
		int start = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%o %llu %n", &mode, &size, &start) < 2 || !start || !line[start])
			warning(ARCHIVE_FILES ": \"%s\" is no mode, size and name", line);
		else if (add(line + start))
			check(root, line + start, mode, size);
	}
	free(line);
	fclose(file);
	return true;
}
