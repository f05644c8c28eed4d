// SPDX-License-Identifier: GPL-2.0-only
/* Steps about mounts and their devices. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#endif
/* <linux/fs.h> has them, but not beside <sys/mount.h>. */
#define FIFREEZE _IOWR('X', 119, int)
#define FITHAW _IOWR('X', 120, int)

/* mount,SOURCE,DIR,TYPE[,ro] */
int step_mount(struct step *s)
{
	unsigned long flags = strcmp(word(s, 4), "ro") ? 0 : MS_RDONLY;

	return done(mount(word(s, 1), word(s, 2), word(s, 3), flags, NULL));
}

int step_bind(struct step *s)
{
	return done(mount(word(s, 1), word(s, 2), NULL, MS_BIND, NULL));
}

/* loop,FILE,DEVICE[,rw]: the device is /dev/loop0 or one that is there. */
int step_loop(struct step *s)
{
	int flags = (s->argc > 3 ? O_RDWR : O_RDONLY) | O_CLOEXEC;
	int file = open(word(s, 1), flags);
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int loop, result;

	/* Tells with EEXIST that it is there. */
	ioctl(control, LOOP_CTL_ADD, 0);
	loop = open(word(s, 2), flags);
	result = file < 0 || loop < 0 ? -errno : done(ioctl(loop, LOOP_SET_FD, file));

	close(control);
	close(file);
	close(loop);
	return result;
}

int step_umount(struct step *s)
{
	return done(umount2(word(s, 1), 0));
}

int step_mounts(struct step *s)
{
	(void)s;
	return put_lines("/proc/self/mountinfo");
}

/* attach,FD,DIR: attaches a detached mount to its place. */
int step_attach(struct step *s)
{
	if (s->argc < 3)
		return -EINVAL;
	if (syscall(SYS_move_mount, atoi(s->argv[1]), "", AT_FDCWD, s->argv[2],
		    MOVE_MOUNT_F_EMPTY_PATH))
		return -errno;
	return 0;
}

static int freeze(struct step *s, unsigned long what)
{
	int fd = s->argc > 1 ? open(s->argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int result = fd < 0 || ioctl(fd, what, 0) ? -errno : 0;

	close(fd);
	return result;
}

/* freeze,DIR: freezes its file system. No write to it ends, nor one to a loop device on it. */
int step_freeze(struct step *s)
{
	return freeze(s, FIFREEZE);
}

/* thaw,DIR */
int step_thaw(struct step *s)
{
	return freeze(s, FITHAW);
}
