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
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* sd_listen_fds(3): the first descriptor passed; the name is the kernel's. */
#define LISTEN_FDS_START 3
#define LISTEN_NAME "initrd-extra"

#define DEFAULT_PLACE "/run/initrd-extra"

enum { OK = 0, FAILED = 1, USAGE = 2, NOT_PASSED = 3, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* PID 1 has nobody who reads its standard error: the kernel log is kept. */
static void complain(const char *format, ...)
{
	char text[512];
	va_list arguments;
	int fd = getpid() == 1 ? open("/dev/kmsg", O_WRONLY | O_CLOEXEC) : -1;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	dprintf(fd < 0 ? STDERR_FILENO : fd, "%sinitrd-extra: %s\n", fd < 0 ? "" : "<3>", text);
	if (fd >= 0)
		close(fd);
}

static bool is_mount_root(int fd, const char *path)
{
	struct statx st;

	return statx(fd, path, *path ? 0 : AT_EMPTY_PATH, STATX_TYPE, &st) == 0 &&
	       (st.stx_attributes_mask & st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static bool is_directory(int fd, const char *path)
{
	struct stat st;

	return fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* A whole number in the environment, or -1. */
static long number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long number;

	if (!text || !*text)
		return -1;
	errno = 0;
	number = strtol(text, &end, 10);
	return errno || *end ? -1 : number;
}

/*
 * The descriptor named initrd-extra, or -1. It counts when it was passed to
 * this process, or to the one that called it: a script that is /init.
 */
static int passed_descriptor(void)
{
	const char *name = getenv("LISTEN_FDNAMES");
	long pid = number_of("LISTEN_PID"), count = number_of("LISTEN_FDS");

	if (!name || count < 1 || (pid != getpid() && pid != getppid()))
		return -1;
	for (long i = 0; i < count && i < 1024; i++) {
		size_t length = strcspn(name, ":");

		if (length == strlen(LISTEN_NAME) && !strncmp(name, LISTEN_NAME, length))
			return LISTEN_FDS_START + (int)i;
		if (!name[length])
			break;
		name += length + 1;
	}
	return -1;
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
 * Nothing has mounted /run when PID 1 starts, and whoever does so later would
 * hide what is attached below it. The options are those of systemd, which
 * leaves a /run that is mounted as it is.
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

/* systemd looks in /.extra for credentials and extension images. */
static void bind_extra(const char *place)
{
	char source[4096];

	if ((size_t)snprintf(source, sizeof(source), "%s/.extra", place) >= sizeof(source) ||
	    !is_directory(AT_FDCWD, source))
		return;
	if ((mkdir("/.extra", 0755) && errno != EEXIST) || !is_directory(AT_FDCWD, "/.extra") ||
	    mount(source, "/.extra", NULL, MS_BIND, NULL))
		complain("cannot show %s at /.extra: %s", source, strerror(errno));
}

static bool attach(int fd, const char *place)
{
	if (!is_mount_root(fd, "")) {
		complain("file descriptor %d is not the root of a mount", fd);
		return false;
	}
	if (getpid() == 1 && !strncmp(place, "/run/", 5) && !mount_run()) {
		complain("cannot mount a tmpfs at /run: %s", strerror(errno));
		return false;
	}
	if (!make_directories(place)) {
		complain("cannot make the directory %s: %s", place, strerror(errno));
		return false;
	}
	if (move_mount(fd, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH)) {
		complain("cannot attach file descriptor %d at %s: %s", fd, place, strerror(errno));
		return false;
	}
	bind_extra(place);
	return true;
}

/* Returns only when the program cannot be executed: the exit code for that. */
static int execute(const char *program, char **argv)
{
	/* Where the kernel looks, should the image's own init be missing. */
	static const char *const others[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };
	int error;

	if (getpid() == 1)
		execv(program, argv);
	else
		execvp(program, argv);
	error = errno;
	complain("cannot execute %s: %s", program, strerror(error));
	for (size_t i = 0; getpid() == 1 && i < sizeof(others) / sizeof(*others); i++)
		execv(others[i], argv);
	return error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

static int usage(void)
{
	fputs("usage: initrd-extra [--at DIR] [--] [PROGRAM [ARGUMENT]...]\n", stderr);
	return USAGE;
}

int main(int argc, char **argv)
{
	const char *place = DEFAULT_PLACE, *program = NULL;
	char **program_argv = NULL;
	bool first = getpid() == 1;
	bool is_init = argc > 0 && !strcmp(basename(strdupa(argv[0])), "init");
	/* PID 1's arguments are init's unless they are certainly ours. */
	bool ours = !is_init && (!first || (argc > 1 && (!strcmp(argv[1], "--at") || !strcmp(argv[1], "--"))));
	int next = 1, fd;

	if (ours) {
		if (next < argc && !strcmp(argv[next], "--at")) {
			if (next + 1 >= argc || argv[next + 1][0] != '/') {
				complain("--at wants an absolute path");
				if (!first)
					return usage();
				argc = next = 1;
			} else {
				place = argv[next + 1];
				next += 2;
			}
		}
		if (next < argc && !strcmp(argv[next], "--"))
			next++;
		else if (next < argc && argv[next][0] == '-' && !first)
			return usage();
		if (next < argc) {
			program = argv[next];
			program_argv = argv + next;
		}
	}
	if (!program && (first || is_init)) {
		static char init[] = "/init";

		program = is_init ? "/init.real" : init;
		program_argv = argv;
		if (!is_init)
			argv[0] = init;
		if (ours)
			program_argv[1] = NULL;
	}

	fd = passed_descriptor();
	if (fd >= 0) {
		bool attached = attach(fd, place);

		if (!attached && !first)
			return FAILED;
		close(fd);
		unsetenv("LISTEN_PID");
		unsetenv("LISTEN_FDS");
		unsetenv("LISTEN_FDNAMES");
	}
	if (program)
		return execute(program, program_argv);
	if (fd < 0) {
		complain("no file descriptor named " LISTEN_NAME " was passed");
		return NOT_PASSED;
	}
	return OK;
}
