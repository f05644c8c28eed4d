// SPDX-License-Identifier: GPL-2.0-only
#include "message.h"

int fail(int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_message(format, arguments);
	va_end(arguments);
	return code;
}

void warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_message(format, arguments);
	va_end(arguments);
}
