// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's side of a test boot. Runs as PID 1, takes the steps named in its first
 * argument (`-- step;step,word,word` on the kernel's command line) and reports each on a
 * virtio-serial port as JSON lines. The last line is {"done":true}.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agent.h"

struct start start;
const char *all_steps;
int next_step;

int done(int result)
{
	return result < 0 ? -errno : 0;
}

const char *word(struct step *s, int i)
{
	return i < s->argc ? s->argv[i] : "";
}

int put(const char *path, int flags, const char *text)
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

static const struct {
	const char *name;
	int (*run)(struct step *s);
} table[] = {
#define ENTRY(name) { #name, step_##name },
	STEPS(ENTRY)
#undef ENTRY
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
		/*
		 * As /sbin/modprobe: shows that the kernel's own helpers find the programs of the
		 * image.
		 */
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
