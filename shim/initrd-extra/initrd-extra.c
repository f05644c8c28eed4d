// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches the tmpfs that holds the unpacked extra cpio archives, which the
 * kernel passes to PID 1 as a detached mount, and executes the real init.
 *
 * README.md has the ways to call it and the exit codes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/calls.h"
#include "../common/exit-code.h"
#include "../common/message.h"
#include "../common/mount-root.h"
#include "../common/passed.h"

#define DEFAULT_PLACE "/run/initrd-extra"

/* Exit code beside those of exit-code.h. */
enum { NOT_PASSED = 3 };

/* Nobody reads the standard error of PID 1, so its messages go to the kernel log. */
void put_message(const char *format, va_list arguments)
{
	char text[512];
	int fd = getpid() == 1 ? open("/dev/kmsg", O_WRONLY | O_CLOEXEC) : -1;

	vsnprintf(text, sizeof(text), format, arguments);
	dprintf(fd < 0 ? STDERR_FILENO : fd, "%sinitrd-extra: %s\n", fd < 0 ? "" : "<3>", text);
	if (fd >= 0)
		close(fd);
}

static bool is_directory(int fd, const char *path)
{
	struct stat st;

	return fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool make_directories(const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		return false;
	for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST) {
			free(copy);
			return false;
		}
		*slash = '/';
	}
	free(copy);
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/*
 * Mounts a tmpfs at /run, because nothing has when PID 1 starts, and a later
 * mount would hide the place that is attached below it. systemd leaves a mounted
 * /run alone; the options are the ones that it uses itself.
 */
static bool mount_run(void)
{
	if (is_mount_root(AT_FDCWD, "/run"))
		return true;
	if (mkdir("/run", 0755) && errno != EEXIST)
		return false;
	return mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME,
		     "mode=0755,size=20%,nr_inodes=800k") == 0;
}

/* Shows .extra of the archives at /.extra, where systemd looks for credentials and extension images. */
static void bind_extra(const char *place)
{
	char source[4096];

	if ((size_t)snprintf(source, sizeof(source), "%s/.extra", place) >= sizeof(source) ||
	    !is_directory(AT_FDCWD, source))
		return;
	if ((mkdir("/.extra", 0755) && errno != EEXIST) || !is_directory(AT_FDCWD, "/.extra") ||
	    mount(source, "/.extra", NULL, MS_BIND, NULL))
		warning("cannot show %s at /.extra: %s", source, strerror(errno));
}

static int attach(int fd, const char *place)
{
	if (!is_mount_root(fd, ""))
		return fail(FAILED, "file descriptor %d is not the root of a mount", fd);
	if (getpid() == 1 && !strncmp(place, "/run/", 5) && !mount_run())
		return fail(FAILED, "cannot mount a tmpfs at /run: %s", strerror(errno));
	if (!make_directories(place))
		return fail(FAILED, "cannot make the directory %s: %s", place, strerror(errno));
	if (move_mount(fd, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH))
		return fail(FAILED, "cannot attach file descriptor %d at %s: %s", fd, place, strerror(errno));
	bind_extra(place);
	return OK;
}

/* Returns only when the program cannot be executed, with the exit code for that. */
static int execute(const char *program, char **argv)
{
	/* The kernel tries the same when an image has no init. */
	static const char *const others[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };
	int code;

	if (getpid() == 1)
		execv(program, argv);
	else
		execvp(program, argv);
	code = fail(errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE, "cannot execute %s: %s", program, strerror(errno));
	for (size_t i = 0; getpid() == 1 && i < sizeof(others) / sizeof(*others); i++)
		execv(others[i], argv);
	return code;
}

struct command {
	const char *place;   /* where to attach the mount */
	const char *program; /* what to execute then, or NULL */
	char **argv;	     /* its arguments */
};

static int usage(void)
{
	fputs("usage: initrd-extra [--at DIR] [--] [PROGRAM [ARGUMENT]...]\n", stderr);
	return USAGE;
}

static int parse_options(int argc, char **argv, struct command *command)
{
	bool first = getpid() == 1;
	int next = 1;

	if (next < argc && !strcmp(argv[next], "--at")) {
		if (next + 1 >= argc || argv[next + 1][0] != '/') {
			warning("--at wants an absolute path");
			/* PID 1 has to go on: the kernel panics when it ends. */
			return first ? OK : usage();
		}
		command->place = argv[next + 1];
		next += 2;
	}
	if (next < argc && !strcmp(argv[next], "--"))
		next++;
	else if (next < argc && argv[next][0] == '-' && !first)
		return usage();
	if (next < argc) {
		command->program = argv[next];
		command->argv = argv + next;
	}
	return OK;
}

static int parse(int argc, char **argv, struct command *command)
{
	static char init[] = "/init";
	bool first = getpid() == 1;
	bool is_init = argc > 0 && !strcmp(basename(strdupa(argv[0])), "init");
	/* The arguments of PID 1 are for init, unless the first can only be meant for this program. */
	bool ours = !is_init && (!first || (argc > 1 && (!strcmp(argv[1], "--at") || !strcmp(argv[1], "--"))));
	int code = ours ? parse_options(argc, argv, command) : OK;

	if (code || command->program || (!first && !is_init))
		return code;
	command->program = is_init ? "/init.real" : init;
	command->argv = argv;
	if (!is_init)
		argv[0] = init;
	if (ours)
		argv[1] = NULL;
	return OK;
}

int main(int argc, char **argv)
{
	struct command command = { .place = DEFAULT_PLACE };
	int code = parse(argc, argv, &command);
	int fd;

	if (code)
		return code;
	fd = passed_descriptor();
	if (fd >= 0) {
		code = attach(fd, command.place);
		if (code && getpid() != 1)
			return code;
		close(fd);
		clear_passed();
	}
	if (command.program)
		return execute(command.program, command.argv);
	if (fd < 0)
		return fail(NOT_PASSED, "no file descriptor named initrd-extra was passed");
	return OK;
}
