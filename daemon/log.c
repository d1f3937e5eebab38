/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"

/* The same complaint is made so often; what is left out between is counted. */
#define COMPLAINT_INTERVAL_NS (10 * TIERD_NSEC)
#define COMPLAINTS_MAX        64

/* Complaints are told apart by their format: a loop over groups is one. */
struct complaint {
	const char *format;
	uint64_t made_ns;
	uint64_t left_out;
};

static struct complaint *find_complaint(const char *format)
{
	static struct complaint complaints[COMPLAINTS_MAX];

	for (size_t i = 0; i < COMPLAINTS_MAX; i++) {
		if (!complaints[i].format)
			complaints[i].format = format;
		if (complaints[i].format == format)
			return &complaints[i];
	}
	return NULL;
}

/* False if it is too soon to say this again; else how often it was left out. */
static bool may_complain(const char *format, uint64_t *ret_left_out)
{
	struct complaint *complaint = find_complaint(format);
	uint64_t now_ns = tierd_now_ns();

	*ret_left_out = 0;
	if (!complaint)
		return true;
	if (complaint->made_ns > 0 &&
		now_ns - complaint->made_ns < COMPLAINT_INTERVAL_NS) {
		complaint->left_out++;
		return false;
	}
	*ret_left_out = complaint->left_out;
	complaint->left_out = 0;
	complaint->made_ns = now_ns;
	return true;
}

/* $JOURNAL_STREAM names what standard error was at first; it may be another by now. */
bool tierd_log_is_read_by_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) >= 0 && st.st_dev == device &&
	       st.st_ino == inode;
}

static int log_text(
	int priority, int error, uint64_t left_out, const char *format, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	if (tierd_log_is_read_by_journal())
		fprintf(stderr, "<%d>", priority);
	else
		fputs("tierd: ", stderr);
	fputs(text, stderr);
	if (error < 0)
		fprintf(stderr, ": %s", strerror(-error));
	if (left_out > 0)
		fprintf(stderr, " (and %" PRIu64 " more like it)", left_out);
	fputc('\n', stderr);
	return error;
}

int tierd_log(int priority, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text(priority, error, 0, format, args);
	va_end(args);
	return error;
}

int tierd_log_in_loop(int error, const char *format, ...)
{
	uint64_t left_out;
	va_list args;

	if (!may_complain(format, &left_out))
		return error;
	va_start(args, format);
	log_text(LOG_ERR, error, left_out, format, args);
	va_end(args);
	return error;
}
