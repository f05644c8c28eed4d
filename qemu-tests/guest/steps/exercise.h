/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EXERCISE_H
#define EXERCISE_H

#include <stdbool.h>
#include <stdint.h>

/* What came of using everything in a tree; in memory that outlives who counts. */
struct tally {
	uint32_t entries, dirs, files, links, xattrs, programs;
	uint32_t errors;  /* calls that failed */
	uint32_t faults;  /* signals instead of mapped bytes */
	uint64_t bytes;   /* of data and extended attributes that came back */
	bool outside;     /* what lies around the image was in them */
};

/* Which inodes to look at from outside only: they are not damaged. */
struct sound {
	uint32_t nr;
	const uint32_t *inos;
};

/*
 * Goes through the tree below @root and uses whatever is in it in every way there is. The tree may be
 * nonsense: its depth, its entries and the bytes of a file are bounded. @fill is the byte around the image.
 */
void exercise(int root, unsigned char fill, const struct sound *sound, struct tally *tally);

#endif
