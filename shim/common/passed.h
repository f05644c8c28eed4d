/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PASSED_H
#define PASSED_H

/*
 * Returns the descriptor named initrd-extra, or -1. It counts when it was passed
 * to this process or to its parent, which may be a script that is /init.
 */
int passed_descriptor(void);

/* Clears the variables by which descriptors are passed. */
void clear_passed(void);

#endif
