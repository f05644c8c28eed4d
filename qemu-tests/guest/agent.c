// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's side of a test boot. Runs as PID 1, takes the steps named in its first
 * argument (`-- step;step,word,word` on the kernel's command line) and reports each on a
 * virtio-serial port as JSON lines. The last line is {"done":true}.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

struct start start;
const char *all_steps;
int next_step;

static int done(int result)
{
	return result < 0 ? -errno : 0;
}

static const char *word(struct step *s, int i)
{
	return i < s->argc ? s->argv[i] : "";
}

static int step_mkdir(struct step *s)
{
	return done(mkdir(word(s, 1), s->argc > 2 ? strtoul(s->argv[2], NULL, 8) : 0755));
}

static int put(const char *path, int flags, const char *text)
{
	int fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return done(close(fd));
}

static int step_write(struct step *s)
{
	return put(word(s, 1), O_CREAT | O_TRUNC, word(s, 2));
}

static int step_append(struct step *s)
{
	return put(word(s, 1), O_APPEND, word(s, 2));
}

static int step_chmod(struct step *s)
{
	return done(chmod(word(s, 1), strtoul(word(s, 2), NULL, 8)));
}

static int step_unlink(struct step *s)
{
	return done(unlink(word(s, 1)));
}

static int step_rename(struct step *s)
{
	return done(rename(word(s, 1), word(s, 2)));
}

/* mount,SOURCE,DIR,TYPE[,ro] */
static int step_mount(struct step *s)
{
	unsigned long flags = strcmp(word(s, 4), "ro") ? 0 : MS_RDONLY;

	return done(mount(word(s, 1), word(s, 2), word(s, 3), flags, NULL));
}

static int step_bind(struct step *s)
{
	return done(mount(word(s, 1), word(s, 2), NULL, MS_BIND, NULL));
}

/* loop,FILE,DEVICE[,rw] */
static int step_loop(struct step *s)
{
	int flags = (s->argc > 3 ? O_RDWR : O_RDONLY) | O_CLOEXEC;
	int file = open(word(s, 1), flags);
	int loop = open(word(s, 2), flags);
	int result = file < 0 || loop < 0 ? -errno : done(ioctl(loop, LOOP_SET_FD, file));

	close(file);
	close(loop);
	return result;
}

static int step_umount(struct step *s)
{
	return done(umount2(word(s, 1), 0));
}

/* sleep,SECONDS */
static int step_sleep(struct step *s)
{
	sleep(atoi(word(s, 1)));
	return 0;
}

/*
 * Words cannot hold blanks: `_` stands for one. A line without its end could go on, so readers
 * of the log would not get it before the next one.
 */
static int step_say(struct step *s)
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

static int step_hang(struct step *s)
{
	(void)s;
	for (;;)
		pause();
	return 0;
}

/* PID 1 ends: the kernel panics. */
static int step_exit(struct step *s)
{
	exit(atoi(word(s, 1)));
	return 0;
}

/* The machine goes away without a last line. */
static int step_vanish(struct step *s)
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

/* run,PATH,ARG...: a program to its end; its standard output is in the row. */
static int step_run(struct step *s)
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

/* shell,PATH: an interactive shell on the console, until it ends. */
static int step_shell(struct step *s)
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

static const struct {
	const char *name;
	step_fn run;
} table[] = {
	{ "append", step_append }, { "attach", step_attach }, { "become", step_become },
	{ "beyond", step_beyond }, { "bind", step_bind }, { "cat", step_cat },
	{ "chmod", step_chmod }, { "cost", step_cost }, { "crash", step_crash },
	{ "drop", step_drop }, { "exit", step_exit }, { "fds", step_fds },
	{ "freeze", step_freeze },
	{ "fuzz", step_fuzz }, { "hang", step_hang }, { "hold", step_hold },
	{ "initrd", step_initrd }, { "kexec", step_kexec },
	{ "kmsg", step_kmsg }, { "loop", step_loop }, { "memory", step_memory },
	{ "mkdir", step_mkdir }, { "mount", step_mount }, { "mounts", step_mounts },
	{ "newroot", step_newroot }, { "pid1", step_pid1 }, { "pin", step_pin },
	{ "pivot", step_pivot }, { "press", step_press }, { "probe", step_probe },
	{ "relax", step_relax }, { "rename", step_rename }, { "resident", step_resident },
	{ "run", step_run }, { "say", step_say }, { "shell", step_shell }, { "sleep", step_sleep },
	{ "statfs", step_statfs }, { "thaw", step_thaw }, { "umount", step_umount },
	{ "unlink", step_unlink }, { "unpin", step_unpin }, { "vanish", step_vanish }, { "walk", step_walk },
	{ "write", step_write },
};

static void take(struct step *s)
{
	report_step(next_step - 1, s->argv[0]);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int result;

		if (strcmp(table[i].name, s->argv[0]))
			continue;
		result = table[i].run(s);
		if (result < 0)
			report_error(-result);
		else
			report_ok();
		return;
	}
	report_fail("the agent knows no such step");
}

static void split(struct step *s, char *text)
{
	s->argc = 0;
	for (char *w; s->argc < MAX_WORDS && (w = strsep(&text, ","));)
		s->argv[s->argc++] = w;
	s->argv[s->argc] = NULL;
}

int main(int argc, char **argv, char **envp)
{
	char *steps, *text;
	int index = 0;

	start.argv = argv;
	start.envp = envp;
	for (int fd = 0; fd < MAX_FD; fd++)
		start.open[fd] = fcntl(fd, F_GETFD) >= 0;

	if (getpid() != 1) {
		const char *name = strrchr(argv[0], '/');

		if (!strcmp(argv[0], "holder"))
			return holder_main(argv);
		/* As /sbin/modprobe: what the kernel's own helpers find, and as what root. */
		if (name && !strcmp(name, "/modprobe"))
			return put("/modprobe.ran", O_CREAT | O_APPEND, argv[argc - 1]) ? 1 : 0;
		/* A program to execute from the tree under test. */
		puts("agent");
		return 0;
	}
	mount_api();
	if (report_open()) {
		dprintf(1, "agent: no virtio port named %s\n", PORT_NAME);
		reboot(RB_AUTOBOOT);
	}
	all_steps = argc > 1 ? argv[1] : "";
	next_step = argc > 2 ? atoi(argv[2]) : 0;

	steps = strdup(all_steps);
	while ((text = strsep(&steps, ";"))) {
		struct step s;

		if (!*text || index++ < next_step)
			continue;
		next_step = index;
		split(&s, text);
		take(&s);
	}
	report_done();
	/* With QEMU's -no-reboot this ends the machine, and needs no ACPI in the kernel. */
	reboot(RB_AUTOBOOT);
	return 1;
}
