// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage-init.h"

#define BLOCK_CLASS "/sys/class/block"

/* Milliseconds. The pause between two looks doubles; after PATIENCE a person is told what is waited for. */
#define FIRST_PAUSE 10
#define LAST_PAUSE 1000
#define PATIENCE 3000

/* Properties that identify a device, each with the folder of links that udev has for it. */
static const struct tag {
	const char *name, *folder;
	bool any_case;
} tags[] = {
	{ "UUID", "/dev/disk/by-uuid/", true },
	{ "LABEL", "/dev/disk/by-label/", false },
	{ "PARTUUID", "/dev/disk/by-partuuid/", true },
	{ "PARTLABEL", "/dev/disk/by-partlabel/", false },
};

struct wanted {
	const struct tag *tag; /* NULL: value is the path of a device */
	const char *value;
};

static bool parse(const char *bootfs, struct wanted *wanted)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		size_t name = strlen(tags[i].name), folder = strlen(tags[i].folder);

		wanted->tag = &tags[i];
		wanted->value = bootfs + name + 1;
		if (!strncmp(bootfs, tags[i].name, name) && bootfs[name] == '=')
			return *wanted->value;
		/* No udev runs here to make the link. */
		wanted->value = bootfs + folder;
		if (!strncmp(bootfs, tags[i].folder, folder))
			return *wanted->value;
	}
	wanted->tag = NULL;
	wanted->value = bootfs;
	return *bootfs == '/';
}

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool is_ready(const char *device)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ready = fd >= 0 && !fstat(fd, &st) && S_ISBLK(st.st_mode);

	if (fd >= 0)
		close(fd);
	return ready;
}

static bool matches(const struct wanted *wanted, const char *device)
{
	char *value;
	bool same;

	if (!wanted->tag)
		return !strcmp(wanted->value, device) && is_ready(device);
	value = identity_of(device, wanted->tag->name);
	same = value && !(wanted->tag->any_case ? strcasecmp : strcmp)(value, wanted->value);
	free(value);
	return same;
}

/* Tells whether a device has any sectors. Loop devices exist before they have a file. */
static bool has_content(const char *name)
{
	char path[300];
	long long sectors = 0;
	FILE *file;

	snprintf(path, sizeof(path), BLOCK_CLASS "/%s/size", name);
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%lld", &sectors) != 1)
			sectors = 0;
		fclose(file);
	}
	return sectors > 0;
}

/* Calls look with the path of every block device until it returns true. */
static bool each_device(bool (*look)(const char *device, void *context), void *context)
{
	DIR *directory = opendir(BLOCK_CLASS);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		char device[300];

		if (entry->d_name[0] == '.' || !has_content(entry->d_name))
			continue;
		snprintf(device, sizeof(device), "/dev/%s", entry->d_name);
		/* sysfs writes a slash as `!`. */
		for (char *c = device; *c; c++)
			if (*c == '!')
				*c = '/';
		found = look(device, context);
	}
	if (directory)
		closedir(directory);
	return found;
}

struct search {
	const struct wanted *wanted;
	char *device;
	size_t size;
};

static bool take_match(const char *device, void *context)
{
	struct search *search = context;

	if (!matches(search->wanted, device))
		return false;
	snprintf(search->device, search->size, "%s", device);
	return true;
}

static bool find(const struct settings *settings, struct search *search)
{
	/* A path may be a link, or a node under a name that sysfs does not have. */
	if (!search->wanted->tag)
		return take_match(search->wanted->value, search);
	if (settings->hint && take_match(settings->hint, search))
		return true;
	return each_device(take_match, search);
}

/* Adds a device with its identity, as `/dev/vda ext4`, to the list that a message shows. */
static bool list(const char *device, void *context)
{
	const struct wanted *wanted = ((struct search *)context)->wanted;
	char *text = ((struct search *)context)->device;
	size_t size = ((struct search *)context)->size, length = strlen(text);
	char *identity = identity_of(device, wanted->tag ? wanted->tag->name : "TYPE");

	snprintf(text + length, size - length, "%s%s%s%s", length ? ", " : "", device, identity ? " " : "",
		 identity ?: "");
	free(identity);
	return false;
}

int device_find(const struct settings *settings, char *device, size_t size)
{
	long start = now(), end = start + settings->seconds * 1000L, pause = FIRST_PAUSE;
	char found[600] = "";
	struct wanted wanted;
	struct search search = { &wanted, device, size };
	bool told = false;
	int events;

	if (!parse(settings->bootfs, &wanted))
		return fail(BAD_SETTINGS, "bootfs=%s: want UUID=, LABEL=, PARTUUID= or PARTLABEL=, or the path of a device",
			    settings->bootfs);
	/* The socket is opened before the first look, so that no device comes unseen in between. */
	events = uevents_open();
	while (!find(settings, &search)) {
		long left = settings->seconds ? end - now() : LAST_PAUSE;

		if (left <= 0) {
			close(events);
			search = (struct search){ &wanted, found, sizeof(found) };
			each_device(list, &search);
			return fail(NO_DEVICE, "bootfs=%s did not appear within %u s; there %s%s; check bootfs=, "
				    "and that " MODULES " lists the driver of the device", settings->bootfs,
				    settings->seconds, *found ? "is: " : "is no block device", found);
		}
		if (!told && now() - start >= PATIENCE) {
			told = true;
			if (settings->seconds)
				warning("waiting for bootfs=%s, %u s at most", settings->bootfs, settings->seconds);
			else
				warning("waiting for bootfs=%s", settings->bootfs);
		}
		uevents_wait(events, pause < left ? pause : left);
		pause = pause * 2 < LAST_PAUSE ? pause * 2 : LAST_PAUSE;
	}
	if (events >= 0)
		close(events);
	say("bootfs=%s is %s, after %ld ms", settings->bootfs, device, now() - start);
	return OK;
}
