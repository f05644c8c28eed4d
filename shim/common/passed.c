// SPDX-License-Identifier: GPL-2.0-only
/* The descriptor of the extra files, which the kernel passes to PID 1 as sd_listen_fds(3) takes it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "passed.h"

/* First descriptor that is passed, and the name that the kernel gives it. */
#define LISTEN_FDS_START 3
#define LISTEN_NAME "initrd-extra"

/* Returns the whole number in an environment variable, or -1. */
static long number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long number;

	if (!text || !*text)
		return -1;
	errno = 0;
	number = strtol(text, &end, 10);
	return errno || *end ? -1 : number;
}

int passed_descriptor(void)
{
	const char *name = getenv("LISTEN_FDNAMES");
	long pid = number_of("LISTEN_PID"), count = number_of("LISTEN_FDS");

	if (!name || count < 1 || (pid != getpid() && pid != getppid()))
		return -1;
	for (long i = 0; i < count && i < 1024; i++) {
		size_t length = strcspn(name, ":");

		if (length == strlen(LISTEN_NAME) && !strncmp(name, LISTEN_NAME, length))
			return LISTEN_FDS_START + (int)i;
		if (!name[length])
			break;
		name += length + 1;
	}
	return -1;
}

void clear_passed(void)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}
