// SPDX-License-Identifier: GPL-2.0-only
/* Reads the file before the kernel command line, so that a person at the boot prompt has the last word. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "storage-init.h"

#define DEFAULT_TIMEOUT "30"

static const struct {
	const char *name;
	size_t offset;
} keys[] = {
	{ "bootfs", offsetof(struct settings, bootfs) },
	{ "bootfstype", offsetof(struct settings, bootfstype) },
	{ "fs", offsetof(struct settings, fs) },
	{ "fstype", offsetof(struct settings, fstype) },
	{ "hint", offsetof(struct settings, hint) },
	/* initoverlayfs-install writes this name. */
	{ "bootfs_hint", offsetof(struct settings, hint) },
	{ "attach", offsetof(struct settings, attach) },
	{ "initoverlayfs.extra", offsetof(struct settings, extra) },
	{ "init", offsetof(struct settings, init) },
	{ "root", offsetof(struct settings, root) },
	{ "fallback", offsetof(struct settings, fallback) },
	{ "timeout", offsetof(struct settings, timeout) },
};

static char **place_of(struct settings *settings, size_t key)
{
	return (char **)((char *)settings + keys[key].offset);
}

static void clear(char **place)
{
	free(*place);
	*place = NULL;
}

static bool is_attach(const char *value)
{
	return !strcmp(value, "auto") || !strcmp(value, "file") || !strcmp(value, "loop");
}

/* Sets one setting; an empty value clears it. Returns false for an unknown name. */
static bool set(struct settings *settings, const char *name, size_t length, const char *value)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		char **place = place_of(settings, i);

		if (strlen(keys[i].name) != length || strncmp(keys[i].name, name, length))
			continue;
		clear(place);
		if (*value)
			*place = strdup(value);
		return true;
	}
	return false;
}

/* Reads `name value`, as initoverlayfs-install writes it, or `name=value`. `#` begins a comment. */
static void read_line(struct settings *settings, char *line)
{
	char *name = line + strspn(line, " \t"), *value = name, *end = name + strlen(name);
	size_t length;

	while (end > name && isspace((unsigned char)end[-1]))
		*--end = '\0';
	if (!*name || *name == '#')
		return;
	length = strcspn(name, "= \t");
	value = name + length;
	value += strspn(value, " \t");
	if (*value == '=')
		value++;
	value += strspn(value, " \t");
	if (!set(settings, name, length, value))
		say(CONFIG ": %.*s is no setting of storage-init, ignored", (int)length, name);
}

static int read_config(struct settings *settings)
{
	FILE *file = fopen(CONFIG, "re");
	char *line = NULL;
	size_t size = 0;
	int code = OK;

	if (!file)
		return errno == ENOENT ? OK : fail(BAD_SETTINGS, "cannot read " CONFIG ": %s", strerror(errno));
	while (getline(&line, &size, file) >= 0)
		read_line(settings, line);
	if (ferror(file))
		code = fail(BAD_SETTINGS, "cannot read " CONFIG ": %s", strerror(errno));
	free(line);
	fclose(file);
	return code;
}

/* Returns the next word of the kernel command line without its quotes, or NULL at the end. */
static char *next_word(char **rest)
{
	char *from = *rest + strspn(*rest, " \t\n"), *word = from, *to = from;
	bool quoted = false;

	if (!*from)
		return NULL;
	for (; *from && (quoted || !isspace((unsigned char)*from)); from++) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*rest = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

static int read_command_line(struct settings *settings)
{
	FILE *file = fopen("/proc/cmdline", "re");
	char *line = NULL, *rest, *word;
	size_t size = 0;
	ssize_t length;

	if (!file)
		return fail(BAD_SETTINGS, "cannot read /proc/cmdline: %s", strerror(errno));
	/* The boot loader may have put line breaks into it. */
	length = getdelim(&line, &size, '\0', file);
	if (length > 0) {
		/* The last one is of /proc, and would be part of a value whose quote does not end. */
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		rest = line;
		/* Words after `--` are for init. */
		while ((word = next_word(&rest)) && strcmp(word, "--")) {
			char *value = strchr(word, '=');

			if (!value)
				continue;
			set(settings, word, value - word, value + 1);
			if (!strcmp(word, "rd.shell=0"))
				settings->shell = false;
		}
	}
	free(line);
	fclose(file);
	return OK;
}

/* Tells whether the initramfs came in the archive form. A link that leads nowhere has replaced the image then. */
static bool is_archive(void)
{
	struct stat st;

	return !lstat(ARCHIVE_IMAGE, &st);
}

/* The archive form says by its names where the images are. */
static void take_archive(struct settings *settings)
{
	clear(&settings->bootfs);
	free(settings->fs);
	free(settings->fstype);
	settings->fs = strdup(&ARCHIVE_IMAGE[strlen(ARCHIVE)]);
	settings->fstype = strdup("erofs");
	settings->archive = true;
	/* Nothing waits, and other programs have such words, too. */
	clear(&settings->timeout);
	if (settings->attach && !is_attach(settings->attach))
		clear(&settings->attach);
}

/* Fills in the defaults and checks the values. */
static int complete(struct settings *settings)
{
	struct utsname kernel;
	char *end;

	if (is_archive())
		take_archive(settings);
	if (!settings->timeout)
		settings->timeout = strdup(DEFAULT_TIMEOUT);
	if (!settings->fstype)
		settings->fstype = strdup("erofs");
	if (!settings->attach)
		settings->attach = strdup("auto");
	if (!settings->fs) {
		uname(&kernel);
		if (asprintf(&settings->fs, "/initoverlayfs-%s.img", kernel.release) < 0)
			settings->fs = NULL;
	}
	if (!settings->timeout || !settings->fstype || !settings->attach || !settings->fs)
		return fail(BAD_SETTINGS, "no memory for the settings");

	errno = 0;
	settings->seconds = (unsigned int)strtoul(settings->timeout, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*settings->timeout) || strlen(settings->timeout) > 6)
		return fail(BAD_SETTINGS, "timeout=%s: want a number of seconds, or 0 for no limit",
			    settings->timeout);
	if (!is_attach(settings->attach))
		return fail(BAD_SETTINGS, "attach=%s: want auto, file or loop", settings->attach);
	/* No reason not to boot, as in the series. */
	if (settings->extra && strcmp(settings->extra, "fd") && strcmp(settings->extra, "overlay") &&
	    strcmp(settings->extra, "off"))
		warning("initoverlayfs.extra=%s is none of fd, overlay, off", settings->extra);
	return OK;
}

int settings_read(struct settings *settings)
{
	int code;

	/* What the shell has deleted from the file is not set any more. */
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		clear(place_of(settings, i));
	settings->shell = true;
	/* The archive form has no such file, so that it would be that of an extra archive. */
	code = is_archive() ? OK : read_config(settings);
	if (!code)
		code = read_command_line(settings);
	return code ?: complete(settings);
}
