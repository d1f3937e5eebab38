/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tierd's exit status tells a script and the service manager: the codes of
 * sysexits.h where one fits. tierd(8) documents them, and tierd.service does not restart
 * tierd after those that starting again cannot mend.
 */
#ifndef TIERD_EXIT_CODES_H
#define TIERD_EXIT_CODES_H

enum tierd_exit {
	TIERD_EXIT_OK = 0,
	TIERD_EXIT_FAILURE = 1, /* another tierd runs, or the bus went away */
	TIERD_EXIT_USAGE = 64,  /* bad command line (EX_USAGE) */
	TIERD_EXIT_UNAVAILABLE =
		69,             /* the machine has one tier only, or lacks something
				   else that tierd cannot do without (EX_UNAVAILABLE) */
	TIERD_EXIT_OS = 71,     /* a system call failed (EX_OSERR) */
	TIERD_EXIT_NOPERM = 77, /* privileges are missing (EX_NOPERM) */
	TIERD_EXIT_CONFIG = 78, /* bad configuration or policy (EX_CONFIG) */
};

#endif
