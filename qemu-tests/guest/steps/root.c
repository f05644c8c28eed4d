// SPDX-License-Identifier: GPL-2.0-only
/* Steps from one root to the next. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

/* Mounts /proc, /sys and /dev. On a read-only root the mount points have to be in the image. */
void mount_api(void)
{
	static const struct {
		const char *dir, *type;
	} api[] = { { "/proc", "proc" }, { "/sys", "sysfs" }, { "/dev", "devtmpfs" } };

	for (size_t i = 0; i < sizeof(api) / sizeof(api[0]); i++) {
		mkdir(api[i].dir, 0755);
		/* EBUSY: there already, which is as good. */
		if (mount(api[i].type, api[i].dir, api[i].type, 0, NULL) && errno != EBUSY)
			dprintf(1, "agent: cannot mount %s: %s\n", api[i].dir, strerrorname_np(errno));
	}
}

static int copy_self(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	int result = from < 0 || to < 0 ? -errno : 0;
	ssize_t n;

	while (!result && (n = sendfile(to, from, NULL, 1 << 20)) != 0)
		if (n < 0)
			result = -errno;
	close(from);
	close(to);
	return result;
}

/* newroot,DIR: mounts a tmpfs with nothing in it but the agent and mount points. */
int step_newroot(struct step *s)
{
	static const char *const dirs[] = { "proc", "sys", "dev", "run" };
	char path[256];

	if (s->argc < 2)
		return -EINVAL;
	if (mkdir(s->argv[1], 0755) && errno != EEXIST)
		return -errno;
	if (mount("newroot", s->argv[1], "tmpfs", 0, "mode=755"))
		return -errno;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->argv[1], dirs[i]);
		if (mkdir(path, 0755))
			return -errno;
	}
	snprintf(path, sizeof(path), "%s/agent", s->argv[1]);
	return copy_self(path);
}

static int execute(char **argv)
{
	execve(argv[0], argv, start.envp);
	return -errno;
}

/* Appends the steps that are left as two arguments for the next program. */
static void hand_on(char **argv, int argc)
{
	static char index[16];

	snprintf(index, sizeof(index), "%d", next_step);
	argv[argc] = (char *)all_steps;
	argv[argc + 1] = index;
	argv[argc + 2] = NULL;
}

/*
 * pivot,DIR: makes the mount at DIR the root, lets go of the old one, and goes on from the agent's
 * copy there. Nothing of this process may hold the old root afterwards: program, console and every
 * passed descriptor are exchanged or closed.
 */
int step_pivot(struct step *s)
{
	char *argv[4] = { "/agent" };
	int console;

	if (s->argc < 2)
		return -EINVAL;
	if (chdir(s->argv[1]) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
	    chdir("/"))
		return -errno;
	mount_api();
	console = open("/dev/console", O_RDWR);
	for (int fd = 0; fd < 3 && console >= 0; fd++)
		dup2(console, fd);
	for (int fd = 3; fd < MAX_FD; fd++)
		if (fd != PIN_READ_FD && fd != PIN_WRITE_FD)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	report_ok();
	hand_on(argv, 1);
	return execute(argv);
}

/* become,PROGRAM,ARG...: executes a program as PID 1, which has to execute the agent in the end. */
int step_become(struct step *s)
{
	char *argv[MAX_WORDS + 3];
	int argc = 0;

	if (s->argc < 2)
		return -EINVAL;
	for (int i = 1; i < s->argc; i++)
		argv[argc++] = s->argv[i];
	hand_on(argv, argc);
	report_ok();
	return execute(argv);
}
