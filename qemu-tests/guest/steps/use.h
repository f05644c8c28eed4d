/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef USE_H
#define USE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "exercise.h"

/* Not a multiple of anything, so that reads straddle pages and pclusters. */
#define CHUNK 30721

/* The tally of the tree in use, and the byte around its image. */
extern struct tally *count;
extern unsigned char around;
extern unsigned char buf[CHUNK + MAX_PAGE];

bool worked(long result);
void look(const volatile void *p, size_t len);
void look_if(ssize_t n); /* at the first n bytes of buf */
void use_file(int dir, const char *name);

#endif
