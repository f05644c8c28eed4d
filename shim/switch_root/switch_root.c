// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes another mount the root, lets go of the old one so that its memory
 * returns, and executes init. Takes the place of klibc's run-init and
 * busybox's switch_root, which refuse every root but ramfs and tmpfs.
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
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/exit-code.h"
#include "../common/message.h"
#include "../common/mount-root.h"
#include "../common/new-root.h"
#include "../common/passed.h"
#include "holders.h"

static const char *self;

void put_message(const char *format, va_list arguments)
{
	fprintf(stderr, "%s: ", self);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

/*
 * Has the files listed that were read, if `initoverlayfs profile record` has put a
 * recorder into the initrd. The list goes below /run, which init keeps if it is a
 * mount. Without a list, the boot goes on.
 */
static void record_profile(const char *new_root)
{
	static char recorder[] = "/usr/lib/initoverlayfs-profile-record";
	char *run, *list;
	pid_t child;

	if (access(recorder, X_OK))
		return;
	if (asprintf(&run, "%s/run", new_root) < 0 || asprintf(&list, "%s/initoverlayfs/profile", run) < 0)
		return warning("no profile: %s", strerror(ENOMEM));
	if (!is_mount_root(AT_FDCWD, run) && mount("tmpfs", run, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"))
		warning("%s: cannot mount a tmpfs: %s", run, strerror(errno));
	child = fork();
	if (!child) {
		execl(recorder, recorder, list, NULL);
		warning("cannot execute %s: %s", recorder, strerror(errno));
		_exit(NOT_EXECUTABLE);
	}
	if (child < 0)
		warning("cannot start %s: %s", recorder, strerror(errno));
	else
		waitpid(child, NULL, 0);
}

static void detach(const char *place)
{
	if (is_mount_root(AT_FDCWD, place) && umount2(place, MNT_DETACH))
		warning("cannot unmount %s, its memory stays in use: %s", place, strerror(errno));
}

/*
 * Lets go of the extra files, which are in memory as long as somebody has them: of the
 * descriptor that the kernel passed to /init, and of the places where initrd-extra shows
 * them. A script may have moved /run to the new root.
 */
static void drop_extra(const char *new_root)
{
	const char *wish = getenv("INITRD_EXTRA");
	int fd = passed_descriptor();
	char *moved;

	if (wish && !strcmp(wish, "keep"))
		return;
	if (fd >= 0) {
		close(fd);
		clear_passed();
	}
	detach("/.extra");
	detach("/run/initrd-extra");
	if (asprintf(&moved, "%s/run/initrd-extra", new_root) >= 0) {
		detach(moved);
		free(moved);
	}
}

static int usage(bool run_init)
{
	fprintf(stderr, "usage: %s %s NEWROOT INIT [ARGUMENT]...\n", self,
		run_init ? "[-n] [-p] [-c CONSOLE]" : "[-c CONSOLE]");
	return USAGE;
}

int main(int argc, char **argv)
{
	bool dry_run = false, keep_files = false, run_init;
	const char *console = NULL, *new_root, *init;
	int option, root, code;
	struct stat old;

	self = argc > 0 ? basename(strdupa(argv[0])) : "switch_root";
	run_init = !strcmp(self, "run-init");
	if (run_init)
		console = "/dev/console";

	while ((option = getopt(argc, argv, run_init ? "+c:d:np" : "+c:")) != -1) {
		switch (option) {
		case 'c':
			console = optarg;
			break;
		case 'n':
			dry_run = true;
			break;
		case 'p':
			keep_files = true;
			break;
		case 'd':
			/* Going on with all capabilities would be worse than stopping. */
			return fail(USAGE, "-d %s: dropping capabilities is not supported", optarg);
		default:
			return usage(run_init);
		}
	}
	if (argc - optind < 2)
		return usage(run_init);
	new_root = argv[optind];
	init = argv[optind + 1];

	root = open(new_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail(FAILED, "%s: %s", new_root, strerror(errno));
	code = check_new_root(root, new_root, init);
	close(root);
	if (code || dry_run)
		return code;
	if (getpid() != 1)
		return fail(FAILED, "must be PID 1, is %d", (int)getpid());

	/* Moves and pivot_root(2) are refused while the root is a shared mount. */
	mount(NULL, "/", NULL, MS_PRIVATE, NULL);
	drop_extra(new_root);
	if (!run_init)
		move_mounts(new_root);
	record_profile(new_root);
	if (stat("/", &old))
		return fail(FAILED, "cannot look at /: %s", strerror(errno));
	code = enter_new_root(new_root, keep_files);
	if (code)
		return code;
	report_holders(old.st_dev);
	if (console)
		open_console(console);
	execv(init, argv + optind + 1);
	return fail(errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE, "cannot execute %s: %s", init, strerror(errno));
}
