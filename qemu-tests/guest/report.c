// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

static FILE *port;
static int step_index;
static const char *step_name;

static int open_named_port(void)
{
	char path[300], name[64];
	struct dirent *entry;
	int fd = -1;
	DIR *dir = opendir("/sys/class/virtio-ports");

	if (!dir)
		return -1;
	while (fd < 0 && (entry = readdir(dir))) {
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strncmp(name, PORT_NAME, strlen(PORT_NAME))) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		fclose(file);
	}
	closedir(dir);
	return fd;
}

/* The port's name arrives by a control message some time after the probe: wait for it. */
int report_open(void)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int fd;

	for (int i = 0; (fd = open_named_port()) < 0; i++) {
		if (i == 500)
			return -ENODEV;
		nanosleep(&pause, NULL);
	}
	port = fdopen(fd, "w");
	return port ? 0 : -errno;
}

/* Bytes go out as Latin-1, so that a name which is not UTF-8 survives JSON. */
static void put_string(const char *bytes, size_t len)
{
	fputc('"', port);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = bytes[i];

		if (c == '"' || c == '\\')
			fprintf(port, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(port, "\\u%04x", c);
		else
			fputc(c, port);
	}
	fputc('"', port);
}

static void put_key(const char *key)
{
	fputc(',', port);
	put_string(key, strlen(key));
	fputc(':', port);
}

void report_step(int index, const char *name)
{
	step_index = index;
	step_name = name;
}

void row_begin(void)
{
	fprintf(port, "{\"step\":%d,\"do\":", step_index);
	put_string(step_name, strlen(step_name));
}

void row_text(const char *key, const char *value)
{
	row_bytes(key, value, strlen(value));
}

void row_bytes(const char *key, const char *bytes, size_t len)
{
	put_key(key);
	put_string(bytes, len);
}

void row_number(const char *key, long long value)
{
	put_key(key);
	fprintf(port, "%lld", value);
}

void row_hex(const char *key, uint64_t value)
{
	put_key(key);
	fprintf(port, "\"%llx\"", (unsigned long long)value);
}

void row_bool(const char *key, bool value)
{
	put_key(key);
	fputs(value ? "true" : "false", port);
}

void row_end(void)
{
	fputs("}\n", port);
	fflush(port);
}

void report_ok(void)
{
	row_begin();
	row_bool("ok", true);
	row_end();
}

void report_error(int error)
{
	const char *name = strerrorname_np(error);

	row_begin();
	row_bool("ok", false);
	row_text("error", name ? name : "?");
	row_end();
}

/* The agent itself cannot go on: the script of the test is wrong. */
void report_fail(const char *why)
{
	row_begin();
	row_text("fail", why);
	row_end();
}

void report_done(void)
{
	fputs("{\"done\":true}\n", port);
	fflush(port);
	/* The host's file must have the line before the machine goes. */
	fsync(fileno(port));
}
