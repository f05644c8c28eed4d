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

/* Where the image lies: the boot file system, or a folder of the initramfs. */
#define BOOT "/boot"

/* What is mounted on the way to the new root. */
#define WORK "/run/storage-init"
#define IMAGE WORK "/image"
#define SPACE WORK "/space"
#define NEW_ROOT WORK "/root"

#define PATH_SIZE 4096

/* Text is NULL where nothing was said and there is no default. */
struct settings {
	char *bootfs;	  /* TAG=VALUE, or the path of a device */
	char *bootfstype; /* NULL: what libblkid says */
	char *fs;	  /* path of the image below BOOT */
	char *fstype;
	char *hint;	  /* device to look at first */
	char *attach;	  /* auto, file or loop */
	char *fallback;	  /* program to execute where this one fails */
	char *timeout;	  /* as given */
	unsigned int seconds; /* timeout as a number; 0: no limit */
	bool shell;	  /* whether an emergency shell is wanted */
};

/* log.c: to the kernel log, and what failed to the console too; fail() is new-root.h's. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* settings.c */
int settings_read(struct settings *settings);

/* modules.c: loads what MODULES lists; what cannot be loaded may not be needed. */
void modules_load(void);

/* device.c: waits for the device of the boot file system. */
int device_find(const struct settings *settings, char *device, size_t size);

/* identity.c: what a device is; libblkid's names. Returns the text, to be freed, or NULL. */
char *identity_of(const char *device, const char *name);

/* uevents.c: what the kernel says of devices. */
int uevents_open(void);
/* Until something happens to a block device or the time is over. A negative fd only waits. */
void uevents_wait(int fd, long milliseconds);

/* boot.c: the boot file system at BOOT. */
int boot_mount(const struct settings *settings);

/* image.c: the image at IMAGE, read-only. */
int image_attach(const struct settings *settings);

/* overlay.c: the image with a tmpfs on top at NEW_ROOT. */
int overlay_mount(void);

/* emergency.c: a shell on the console, until it ends. False: there is none. */
bool emergency_shell(void);

#endif
