/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all verbs share: the options of the command line, the connection, the exit codes
 * that scripts rely on, and how a failed call becomes a sentence and one of these codes.
 */
#ifndef TIERCTL_TIERCTL_H
#define TIERCTL_TIERCTL_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/util.h"
#include "json.h"
#include "style.h"
#include "top.h"

/* Documented in tierctl(1). */
enum tierctl_exit {
	TIERCTL_EXIT_OK = 0,
	TIERCTL_EXIT_FAILURE = 1,       /* a call failed, or there is no system bus */
	TIERCTL_EXIT_USAGE = 2,         /* bad command line */
	TIERCTL_EXIT_NOT_RUNNING = 3,   /* tierd is not running */
	TIERCTL_EXIT_NO_SUCH_GROUP = 4, /* no managed group, or several, of that name */
	TIERCTL_EXIT_FOUND = 5,         /* doctor found something */
};

#define TIERCTL_DELAY_MIN_USEC UINT64_C(100000)
#define TIERCTL_DELAY_MAX_USEC UINT64_C(86400000000)

#define TIERCTL_DURATION_MAX_USEC UINT64_C(3600000000)

/* How top looks again and again. */
struct tierctl_refresh {
	bool has_iterations;
	uint64_t iterations; /* 0: no end */
	uint64_t delay_usec;
	bool batch;
	bool raw;
	enum tierctl_top_order order;
};

/* What record writes, and for how long. */
struct tierctl_recording {
	const char *file;
	uint64_t duration_usec;
};

struct tierctl {
	sd_bus *bus;
	enum tierctl_json_mode json; /* TIERCTL_JSON_OFF: text for people */
	bool legend;
	bool persist;
	struct tierctl_refresh refresh;
	struct tierctl_recording record;
	unsigned restricted; /* enum tierctl_takes: options given that not all take */
	struct tierctl_style style;
};

/* One line on stderr, after the program's name. */
void tierctl_error(const char *format, ...) _printf_(1, 2);

/*
 * Says why a call failed, error if set, else the negative errno r, and returns the exit
 * code for it.
 */
int tierctl_call_failed(int r, const sd_bus_error *error);

/* The same for failures that have no bus error: memory, output. */
int tierctl_failed(int r, const char *doing);

/* Prints a finished document as the user wants it; returns the exit code. */
int tierctl_finish_json(struct tierctl *ctl, struct tierctl_json *json);

#endif
