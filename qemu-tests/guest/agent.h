/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_NAME "org.initoverlayfs.verdict"
#define MAX_WORDS 16
#define MAX_FD 64
/* Where a pinned pipe lives: far from what the kernel or a shim passes. */
#define PIN_READ_FD 50
#define PIN_WRITE_FD 51

/* One step: argv[0] is its name. Steps come as one word of the kernel's command line. */
struct step {
	int argc;
	char *argv[MAX_WORDS + 1];
};

/* What PID 1 was started with, taken before anything else was opened. */
struct start {
	char **argv;
	char **envp;
	bool open[MAX_FD];
};

extern struct start start;
extern const char *all_steps; /* the word, unsplit: handed on when the agent re-executes */
extern int next_step;

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

/* Each takes a step and returns 0 or a negative errno. */
typedef int (*step_fn)(struct step *s);

/* facts.c */
int step_pid1(struct step *s);
int step_fds(struct step *s);
int step_mounts(struct step *s);
int step_statfs(struct step *s);
int step_memory(struct step *s);
int step_kmsg(struct step *s);
long long meminfo_kib(const char *name);
void poke(const char *path, const char *text); /* for files that not every kernel has */
int step_cat(struct step *s);

/* tree.c */
void crc_init(void); /* before the first crc32() */
uint32_t crc32(uint32_t crc, const volatile unsigned char *p, size_t len);
int step_walk(struct step *s);
int step_beyond(struct step *s);
int step_pin(struct step *s);
int step_unpin(struct step *s);

/* hold.c */
#define MAX_HOLDERS 8

struct holding {
	char how[16];
	uint32_t crc;
	size_t pages;
	uint64_t *frames; /* page frame numbers, as many as pages */
	int pid;
};

int holder_main(char **argv);
int ask_holder(int nr, struct holding *holding); /* free_holding() afterwards */
void free_holding(struct holding *holding);
int step_hold(struct step *s);
int step_drop(struct step *s);
int step_freeze(struct step *s);
int step_thaw(struct step *s);

/* pages.c */
int page_frames(const void *address, size_t pages, uint64_t *frames);
int step_initrd(struct step *s);

/* press.c */
int step_press(struct step *s);
int step_relax(struct step *s);

/* kexec.c */
int step_kexec(struct step *s);
int step_crash(struct step *s);

/* probe.c */
int step_probe(struct step *s);

/* cost.c */
int step_cost(struct step *s);
int step_resident(struct step *s);

/* fuzz.c */
int step_fuzz(struct step *s);

/* root.c */
void mount_api(void);
int step_attach(struct step *s);
int step_newroot(struct step *s);
int step_pivot(struct step *s);
int step_become(struct step *s);

#endif
