/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EXERCISE_H
#define EXERCISE_H

#include <stdbool.h>
#include <stdint.h>

/* The outcome of using everything in a tree, in memory that outlives the process. */
struct tally {
	uint32_t entries, dirs, files, links, xattrs, programs;
	uint32_t errors;  /* calls that failed */
	uint32_t faults;  /* signals instead of mapped bytes */
	uint64_t bytes;   /* of data and extended attributes that came back */
	bool outside;     /* bytes around the image were among them */
};

/* Inodes that are not damaged, and are looked at from outside only. */
struct sound {
	uint32_t nr;
	const uint32_t *inos;
};

/*
 * Goes through the tree below @root and uses everything in it in every way. The tree may be
 * nonsense: its depth, its entries and the bytes of a file are bounded. @fill is the byte around
 * the image.
 */
void exercise(int root, unsigned char fill, const struct sound *sound, struct tally *tally);

#endif
