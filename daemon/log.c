/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* $JOURNAL_STREAM names what standard error was at first; it may be another by now. */
static bool is_read_by_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) >= 0 && st.st_dev == device &&
	       st.st_ino == inode;
}

int tierd_log(int priority, int error, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (is_read_by_journal())
		fprintf(stderr, "<%d>", priority);
	else
		fputs("tierd: ", stderr);
	if (error < 0)
		fprintf(stderr, "%s: %s\n", text, strerror(-error));
	else
		fprintf(stderr, "%s\n", text);
	return error;
}
