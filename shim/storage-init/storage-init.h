/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STORAGE_INIT_H
#define STORAGE_INIT_H

#include <stdbool.h>
#include <stddef.h>

#include "../common/exit-code.h"
#include "../common/message.h"
#include "../common/mount-root.h"
#include "../common/new-root.h"

/* Exit codes beside those of exit-code.h; a panic shows them as exitcode=0x00000N00. */
enum { BAD_SETTINGS = 3, NO_DEVICE = 4, NO_BOOT = 5, NO_IMAGE = 6, NO_OVERLAY = 7 };

#define CONFIG "/etc/initoverlayfs.conf"
#define MODULES "/etc/initoverlayfs.modules"

/*
 * Folder of the archive form: its images, the list of its own files, and modules by the
 * kernel's release. A kernel with the series mounts the images where they lie in the archive.
 */
#define ARCHIVE "/kernel/initrd"
#define ARCHIVE_IMAGE ARCHIVE "/root.erofs"
#define ARCHIVE_FILES ARCHIVE "/files"
#define ARCHIVE_MODULES ARCHIVE "/modules"
/* Most images of one archive: root.erofs, root.1.erofs to root.9.erofs. */
#define IMAGES_MAX 10

/* Folder of the image: the mounted boot file system, or a folder of the initramfs. */
#define BOOT "/boot"

/* Mount points on the way to the new root. */
#define WORK "/run/storage-init"
#define IMAGE WORK "/image"
#define SPACE WORK "/space"
#define EXTRA WORK "/extra"
#define NEW_ROOT WORK "/root"

#define PATH_SIZE 4096

/* Settings of one boot. A text is NULL if it was not set and has no default. */
struct settings {
	bool archive;	  /* the image came in the initrd, in the archive form */
	char *bootfs;	  /* TAG=VALUE, or the path of a device */
	char *bootfstype; /* NULL: libblkid finds it */
	char *fs;	  /* path of the image below BOOT, or below ARCHIVE */
	char *fstype;
	char *hint;	  /* device to look at first */
	char *attach;	  /* auto, file or loop */
	char *extra;	  /* fd, overlay or off: what to do with extra files */
	char *init;	  /* program of a root that has no /init */
	char *root;	  /* another root than that in the initrd */
	char *fallback;	  /* program to execute if this one fails */
	char *timeout;	  /* text that was given */
	unsigned int seconds; /* timeout as a number; 0: no limit */
	bool shell;	  /* an emergency shell may be started */
};

/* log.c: writes to the kernel log. What fail() and warning() say is shown on the console too. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/*
 * point.c: makes a directory to mount on. Takes away a link or a file that an extra archive
 * has put there.
 */
bool make_point(const char *path);

/* settings.c: reads CONFIG and the kernel command line. */
int settings_read(struct settings *settings);

/*
 * modules.c: loads the modules that MODULES lists, or those of the archive for this kernel. A
 * failure is only said: the module may not be needed.
 */
void modules_load(const struct settings *settings);
/* Returns what to do if a module is missing. */
const char *modules_advice(const struct settings *settings);

/* device.c: waits for the device of the boot file system. */
int device_find(const struct settings *settings, char *device, size_t size);

/* identity.c: asks libblkid for TYPE, UUID, LABEL, ... of a device. Returns a text to be freed, or NULL. */
char *identity_of(const char *device, const char *name);

/* uevents.c: listens to the kernel's messages about devices. */
int uevents_open(void);
/* Waits for a message, for at most this time. Without a descriptor (negative) it only waits. */
void uevents_wait(int fd, long milliseconds);

/* boot.c: mounts the boot file system at BOOT. */
int boot_mount(const struct settings *settings);

/* image.c: mounts the images at IMAGE, IMAGE.1, ..., read-only. Sets their number. */
int images_attach(const struct settings *settings, unsigned int *count);
/* Writes the mount point of an image. */
void image_point(unsigned int number, char *point, size_t size);

/*
 * extras.c: copies the files of extra archives to a tmpfs that is mounted nowhere. Returns a
 * descriptor of it, or a negative number if there are none. What fails is said.
 */
int extras_take(const struct settings *settings);
/* Passes that descriptor to the program that is executed next. */
void extras_pass(int fd);

/* own.c: reads the list of the archive's own files, a line each: mode, size and name. Says what differs. */
bool own_read(void);
/* Tells whether the list has a path, which is absolute, and the file is what the list says. */
bool own_is_intact(const char *path);
/* Tells whether a path is that of a file which is not for init. */
bool own_is(const char *path);
/* Tells whether a directory is only there for such files, unless it has others. */
bool own_needs(const char *path);

/* overlay.c: mounts the images, extra files if EXTRA has them, and a tmpfs over them at NEW_ROOT. */
int overlay_mount(const struct settings *settings, unsigned int images, bool extra);

/* init.c: finds the program that is to be executed in the new root. */
const char *init_find(const struct settings *settings, int root);

/* emergency.c: runs a shell on the console until it ends. Returns false if there is none. */
bool emergency_shell(void);

#endif
