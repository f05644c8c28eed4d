/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HOLD_H
#define HOLD_H

#include <stddef.h>
#include <stdint.h>

#define MAX_HOLDERS 8
/* A socket to each holder; a pivot closes what is below MAX_FD. */
#define HOLDER_FD (MAX_FD + 16)
/* The descriptors of a holder. */
#define CONTROL_FD 3
#define FILE_FD 4
#define TARGET_FD 5

enum request { ASK = 'a', DROP = 'd' };

/* The answer of a holder, before its page frames. */
struct answer {
	char how[16];
	uint64_t pages;
	uint32_t crc;
	int error, pid;
};

/* The pages of a holder. */
struct holding {
	char how[16];
	uint32_t crc;
	size_t pages;
	uint64_t *frames; /* page frame numbers, as many as pages */
	int pid;
};

int ask_holder(int nr, struct holding *holding); /* free_holding() afterwards */
void free_holding(struct holding *holding);

#endif
