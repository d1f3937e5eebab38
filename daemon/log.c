/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tierd_log(int priority, int error, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>", priority);
	else
		fputs("tierd: ", stderr);
	if (error < 0)
		fprintf(stderr, "%s: %s\n", text, strerror(-error));
	else
		fprintf(stderr, "%s\n", text);
	return error;
}
