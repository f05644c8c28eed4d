// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "storage-init.h"

/* include/uapi/linux/module.h since Linux 5.17. */
#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

/* Tells whether a file may be used: one of the archive form must be the archive's own. */
static bool is_ours(const struct settings *settings, const char *path)
{
	return !settings->archive || own_is_intact(path);
}

static void load(const char *list, const char *path, const char *parameters)
{
	size_t length = strlen(path);
	bool plain = length > 3 && !strcmp(path + length - 3, ".ko");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0) {
		warning("cannot open the module %s that %s lists: %s", path, list, strerror(errno));
		return;
	}
	error = syscall(SYS_finit_module, fd, parameters, plain ? 0 : MODULE_INIT_COMPRESSED_FILE) ? errno : 0;
	close(fd);
	/* EEXIST: it is loaded already, or built in. */
	if (!error || error == EEXIST)
		return;
	if (error == ENODEV)
		say("the module %s has found no device", path);
	else if (!plain && (error == EOPNOTSUPP || error == EINVAL))
		warning("cannot load the module %s: this kernel does not decompress modules of this kind; "
			"put it into the initramfs decompressed", path);
	else
		warning("cannot load the module %s: %s; it may be that of another kernel", path, strerror(error));
}

void modules_load(const struct settings *settings)
{
	char list[PATH_SIZE] = MODULES;
	struct utsname kernel;
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	uname(&kernel);
	if (settings->archive)
		snprintf(list, sizeof(list), ARCHIVE_MODULES "/%s/list", kernel.release);
	errno = ENOENT;
	file = is_ours(settings, list) ? fopen(list, "re") : NULL;
	if (!file) {
		if (errno != ENOENT)
			warning("cannot read %s: %s", list, strerror(errno));
		else if (settings->archive && !access(ARCHIVE_MODULES, F_OK))
			say("the initrd has no modules for this kernel, %s", kernel.release);
		return;
	}
	while (getline(&line, &size, file) >= 0) {
		char *rest = line, *path;

		line[strcspn(line, "\n")] = '\0';
		path = strsep(&rest, " ");
		if (!*path || *path == '#')
			continue;
		if (is_ours(settings, path))
			load(list, path, rest ?: "");
		else
			warning("the module %s is not the one that " ARCHIVE_FILES " lists; it is not loaded", path);
	}
	if (ferror(file))
		warning("cannot read %s: %s", list, strerror(errno));
	free(line);
	fclose(file);
}

const char *modules_advice(const struct settings *settings)
{
	static char advice[PATH_SIZE];
	struct utsname kernel;

	if (!settings->archive)
		return "list its module in " MODULES;
	uname(&kernel);
	snprintf(advice, sizeof(advice), "make the initrd with --modules /lib/modules/%s", kernel.release);
	return advice;
}
