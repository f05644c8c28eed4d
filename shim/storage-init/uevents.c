// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "storage-init.h"

/* Multicast group of the kernel. udev has another. */
#define KERNEL_GROUP 1

int uevents_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		say("no uevents (%s): looking for devices at intervals", strerror(errno));
	return fd;
}

void uevents_wait(int fd, long milliseconds)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char event[8192];

	if (poll(&ready, 1, (int)milliseconds) <= 0)
		return;
	/* The content does not matter, since all devices are looked at again. */
	while (recv(fd, event, sizeof(event), 0) > 0 || errno == ENOBUFS)
		errno = 0;
}
