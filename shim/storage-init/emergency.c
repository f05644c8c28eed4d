// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage-init.h"

static const struct {
	const char *path, *name;
} shells[] = { { "/bin/sh", "sh" }, { "/usr/bin/sh", "sh" }, { "/bin/busybox", "sh" } };

/* Starts the shell in a session with a controlling terminal, so that Ctrl-C works. */
static void become_shell(const char *path, const char *name)
{
	setsid();
	open_console("/dev/console");
	ioctl(STDIN_FILENO, TIOCSCTTY, 1);
	execl(path, name, "-i", (char *)NULL);
	_exit(NOT_EXECUTABLE);
}

bool emergency_shell(void)
{
	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
		pid_t child, ended;
		int status = 0;

		if (access(shells[i].path, X_OK))
			continue;
		warning("starting an emergency shell; when it ends, everything is tried again");
		child = fork();
		if (child < 0) {
			warning("cannot start a process: %s", strerror(errno));
			return false;
		}
		if (!child)
			become_shell(shells[i].path, shells[i].name);
		/* PID 1 inherits the processes that the shell leaves, so it waits for all of them. */
		do
			ended = wait(&status);
		while (ended != child && (ended > 0 || errno == EINTR));
		if (ended == child && WIFEXITED(status) && WEXITSTATUS(status) == NOT_EXECUTABLE)
			continue;
		return ended == child;
	}
	return false;
}
