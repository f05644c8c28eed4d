// SPDX-License-Identifier: GPL-2.0-only
/* PID 1 itself, its children, and the kernel's log. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

int step_pid1(struct step *s)
{
	(void)s;
	for (char **arg = start.argv; *arg; arg++) {
		row_begin();
		row_text("arg", *arg);
		row_end();
	}
	for (char **env = start.envp; *env; env++) {
		row_begin();
		row_text("env", *env);
		row_end();
	}
	return 0;
}

/* Reports the descriptors that were open when PID 1 started. */
int step_fds(struct step *s)
{
	(void)s;
	for (int fd = 0; fd < MAX_FD; fd++) {
		char link[64], target[512];
		struct statfs fs;
		struct stat st;
		ssize_t len;

		if (!start.open[fd] || fstat(fd, &st) || fstatfs(fd, &fs))
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, target, sizeof(target));
		row_begin();
		row_number("fd", fd);
		row_bytes("target", target, len < 0 ? 0 : len);
		row_bool("cloexec", fcntl(fd, F_GETFD) & FD_CLOEXEC);
		row_number("mode", st.st_mode);
		put_statfs(&fs);
		row_end();
	}
	return 0;
}

/* kmsg: reports every record of the kernel's log, with its guest time in microseconds. */
int step_kmsg(struct step *s)
{
	char record[8192];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	(void)s;
	if (fd < 0)
		return -errno;
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		unsigned int priority;
		long long microseconds;
		char *text;

		if (n <= 0) {
			errno = 0;
			continue;
		}
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text || sscanf(record, "%u,%*u,%lld", &priority, &microseconds) != 2)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		row_begin();
		row_number("us", microseconds);
		row_number("level", priority & 7);
		row_text("text", text);
		row_end();
	}
	close(fd);
	return 0;
}

/* sleep,SECONDS */
int step_sleep(struct step *s)
{
	sleep(atoi(word(s, 1)));
	return 0;
}

/*
 * A word cannot have blanks: `_` stands for one. A line without its end could go on, so readers of
 * the log would not get it before the next one.
 */
int step_say(struct step *s)
{
	char *text;
	int result;

	if (asprintf(&text, "%s\n", word(s, 1)) < 0)
		return -ENOMEM;
	for (char *c = text; *c; c++)
		if (*c == '_')
			*c = ' ';
	result = put("/dev/kmsg", 0, text);
	free(text);
	return result;
}

int step_hang(struct step *s)
{
	(void)s;
	for (;;)
		pause();
	return 0;
}

/* Ends PID 1, so that the kernel panics. */
int step_exit(struct step *s)
{
	exit(atoi(word(s, 1)));
	return 0;
}

/* Resets the machine without a last line. */
int step_vanish(struct step *s)
{
	(void)s;
	return done(reboot(RB_AUTOBOOT));
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	row_begin();
	row_number("status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

/* run,PATH,ARG...: runs a program to its end and reports its output. */
int step_run(struct step *s)
{
	static char out[4096];
	size_t len = 0;
	ssize_t n;
	pid_t child;
	int ends[2];
	int result;

	if (s->argc < 2)
		return -EINVAL;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (!child) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execv(s->argv[1], s->argv + 1);
		dprintf(1, "%s: %s\n", s->argv[1], strerrorname_np(errno));
		_exit(127);
	}
	close(ends[1]);
	while (len < sizeof(out) && (n = read(ends[0], out + len, sizeof(out) - len)) > 0)
		len += n;
	close(ends[0]);
	result = wait_for(child);
	if (result)
		return result;
	row_bytes("out", out, len);
	row_end();
	return 0;
}

/* shell,PATH: runs an interactive shell on the console until it ends. */
int step_shell(struct step *s)
{
	pid_t child = fork();
	int result;

	if (child < 0)
		return -errno;
	if (!child) {
		int fd;

		setsid();
		fd = open("/dev/ttyS0", O_RDWR);
		if (fd < 0)
			fd = open("/dev/ttyAMA0", O_RDWR);
		if (fd < 0)
			_exit(126);
		ioctl(fd, TIOCSCTTY, 1);
		for (int i = 0; i < 3; i++)
			dup2(fd, i);
		execl(word(s, 1), word(s, 1), "-i", (char *)NULL);
		_exit(127);
	}
	result = wait_for(child);
	if (result)
		return result;
	row_end();
	return 0;
}
