// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

/* Reads the command line of this boot and appends the number of the next step. */
static int next_command_line(char *line, size_t size)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, size - 1);

	if (n < 0)
		return -errno;
	close(fd);
	line[n] = '\0';
	n = strcspn(line, "\n");
	snprintf(line + n, size - n, " %d", next_step);
	return 0;
}

static int load(struct step *s, unsigned long flags)
{
	char line[2048];
	int kernel, initrd, result;

	if (s->argc < 3)
		return -EINVAL;
	kernel = open(s->argv[1], O_RDONLY | O_CLOEXEC);
	initrd = open(s->argv[2], O_RDONLY | O_CLOEXEC);
	result = kernel < 0 || initrd < 0 ? -errno : next_command_line(line, sizeof(line));
	if (!result && syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, flags))
		result = -errno;
	close(kernel);
	close(initrd);
	return result;
}

/* kexec,KERNEL,INITRD: boots them. The steps that are left are taken there. */
int step_kexec(struct step *s)
{
	int result = load(s, 0);

	if (result)
		return result;
	report_ok();
	reboot(LINUX_REBOOT_CMD_KEXEC);
	return -errno;
}

/* crash,KERNEL,INITRD: loads them as crash kernel, and panics. The steps that are left are taken there. */
int step_crash(struct step *s)
{
	int result = load(s, KEXEC_FILE_ON_CRASH);
	int fd;

	if (result)
		return result;
	fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	report_ok();
	if (fd < 0 || write(fd, "c", 1) < 0)
		return -errno;
	return -EIO;
}
