/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdarg.h>

/* Says what failed and returns the exit code for it. */
__attribute__((format(printf, 2, 3))) int fail(int code, const char *format, ...);

/* Says what failed where the program goes on all the same. The C library has a warn() of its own. */
__attribute__((format(printf, 1, 2))) void warning(const char *format, ...);

/* Writes one line where this program's messages go. Each program has its own. */
void put_message(const char *format, va_list arguments);

#endif
