/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system bus of a test's own, which lets through what the installed bus policy lets
 * through and can be stopped and started again. Every call asserts.
 */
#ifndef TEST_PRIVATE_BUS_H
#define TEST_PRIVATE_BUS_H

#include <stdbool.h>
#include <sys/types.h>

#define WAIT_STEPS 200

struct private_bus {
	char directory[32];
	pid_t pid;
};

/* Whether there is a dbus-daemon to run. */
bool private_bus_is_possible(void);

/* Points DBUS_SYSTEM_BUS_ADDRESS to it. */
void private_bus_start(struct private_bus *bus);

void private_bus_stop(struct private_bus *bus);
void private_bus_restart(struct private_bus *bus);

/* Stops it and removes its directory. */
void private_bus_remove(struct private_bus *bus);

pid_t start_program(const char *program, char *const *argv);

/* Returns what waitpid() says. */
int stop_program(pid_t pid);

/* A step of a loop of WAIT_STEPS, 50 ms each. */
void wait_step(void);

#endif
