// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syslog.h>
#include <unistd.h>

#include "storage-init.h"

/* The kernel cuts lines off at LOG_LINE_MAX, 1024 bytes with its prefix. */
#define LINE_SIZE 976
/* Length of `<3>` before a line, which only /dev/kmsg understands. */
#define LEVEL_SIZE 3

/* Tells whether the kernel itself shows a message of this level on the console. */
static bool is_shown(int level)
{
	int console_level = 0;
	FILE *file = fopen("/proc/sys/kernel/printk", "re");

	if (file) {
		if (fscanf(file, "%d", &console_level) != 1)
			console_level = 0;
		fclose(file);
	}
	return level < console_level;
}

static void put(int level, const char *format, va_list arguments)
{
	/* Opened for each line, since the kernel limits the rate of an open file. */
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[LINE_SIZE];
	size_t length = sprintf(line, "<%d>storage-init: ", level);
	bool logged;

	vsnprintf(line + length, sizeof(line) - length - 1, format, arguments);
	/* Names of extra files may have line breaks, or what a terminal obeys. */
	for (char *c = line + length; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	strcat(line, "\n");
	logged = fd >= 0 && write(fd, line, strlen(line)) > 0;
	if (fd >= 0)
		close(fd);
	if (!logged || (level <= LOG_ERR && !is_shown(level)))
		dprintf(STDERR_FILENO, "%s", line + LEVEL_SIZE);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put(LOG_INFO, format, arguments);
	va_end(arguments);
}

void put_message(const char *format, va_list arguments)
{
	put(LOG_ERR, format, arguments);
}
