/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EXIT_CODE_H
#define EXIT_CODE_H

/* Codes that mean the same in every program; README.md lists all of them. */
enum { OK = 0, FAILED = 1, USAGE = 2, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

#endif
