/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define PORT_NAME "org.initoverlayfs.verdict"
#define MAX_WORDS 16
#define MAX_FD 64
/* arm64 has kernels with larger pages; MAX_PAGE is for static buffers. */
#define PAGE getpagesize()
#define MAX_PAGE 65536
/* The descriptors of a pinned pipe, far from those that the kernel or a shim passes. */
#define PIN_READ_FD 50
#define PIN_WRITE_FD 51

/* One step: argv[0] is its name. Steps come as one word of the kernel's command line. */
struct step {
	int argc;
	char *argv[MAX_WORDS + 1];
};

/* The arguments and descriptors of PID 1 at its start, before anything else was opened. */
struct start {
	char **argv;
	char **envp;
	bool open[MAX_FD];
};

extern struct start start;
extern const char *all_steps; /* the word, unsplit: handed on when the agent re-executes */
extern int next_step;

/* agent.c */
int done(int result);		   /* of a call: 0 or a negative errno */
const char *word(struct step *s, int i); /* "" if there is none */
int put(const char *path, int flags, const char *text);
int holder_main(char **argv);

/* report.c: JSON lines on the verdict port. */
int report_open(void);
void report_step(int index, const char *name);
void row_begin(void);
void row_text(const char *key, const char *value);
void row_bytes(const char *key, const char *bytes, size_t len);
void row_number(const char *key, long long value);
void row_hex(const char *key, uint64_t value);
void row_bool(const char *key, bool value);
void row_end(void);
void report_ok(void);
void report_error(int error);
void report_fail(const char *why);
void report_done(void);

/* crc.c */
void crc_init(void); /* before the first crc32() */
uint32_t crc32(uint32_t crc, const volatile unsigned char *p, size_t len);

/* steps/files.c */
struct statfs;
int put_lines(const char *path);
void put_statfs(const struct statfs *fs);

/* steps/memory.c */
long long meminfo_kib(const char *name);
void poke(const char *path, const char *text); /* for files that not every kernel has */

/* steps/root.c */
void mount_api(void);

/* Each takes a step and returns 0 or a negative errno; src/machine/steps.ts says what it does. */
#define STEPS(X)                                                                                    \
	X(advise) X(append) X(attach) X(become) X(beyond) X(bind) X(cat) X(chmod) X(collapse)       \
	X(cost) X(crash) X(drop) X(exchange) X(exit) X(fds) X(fork) X(freeze) X(fuzz) X(hang)       \
	X(hold) X(initrd) X(kexec) X(kmsg) X(loop) X(memory) X(mkdir) X(mount) X(mounts) X(newroot)     \
	X(physical) X(pid1) X(pin) X(pivot) X(press) X(probe) X(protect) X(relax) X(rename)         \
	X(resident) X(run) X(say) X(shell) X(sleep) X(statfs) X(thaw) X(umount) X(unlink) X(unpin)  \
	X(vanish) X(walk) X(write)

#define DECLARE(name) int step_##name(struct step *s);
STEPS(DECLARE)
#undef DECLARE

#endif
