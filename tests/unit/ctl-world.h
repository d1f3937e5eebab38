/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl as a user runs it, against fake-tierd on a bus of the test's own. Every call
 * asserts.
 */
#ifndef TEST_CTL_WORLD_H
#define TEST_CTL_WORLD_H

#include "unit.h"

#include <json-c/json.h>
#include <sys/types.h>

#include "base/util.h"
#include "private-bus.h"

#define GUPS         "/system.slice/gups.service"
#define NOBODY       65534
#define RELOAD_ERROR "/etc/tierd/tierd.conf:3: unknown key 'Speed'"

DEFINE_CLEANUP(json_object *, json_object_put)

extern struct private_bus bus;

struct run {
	int exit;
	char out[16384];
	char err[4096];
};

/* Runs the tests as cmocka's group, with the programs that are main()'s arguments. */
#define run_with_bus(tests, argc, argv)                                                \
	(take_arguments(argc, argv)                                                    \
			? cmocka_run_group_tests(tests, group_set_up, group_tear_down) \
			: 77)
bool take_arguments(int argc, char **argv);
int group_set_up(void **state);
int group_tear_down(void **state);

/* For cmocka: with a tierd, and with one whose reload fails with RELOAD_ERROR. */
int set_up(void **state);
int set_up_bad_configuration(void **state);
int tear_down(void **state);

/* Sends the running fake-tierd a signal. */
void tell_tierd(int number);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The command's words are separated by single blanks. */
void run(const char *command, struct run *ret);
void run_as(uid_t uid, const char *command, struct run *ret);

/* Becomes tierctl, as uid, with its output in these files. */
void exec_tierctl(uid_t uid, int out, int err, char *const *argv);
int temporary_file(void);
void read_back(int fd, char *buf, size_t size);

/* Files in the bus's directory. */
void write_text(const char *name, const char *text);
void remove_text(const char *name);

/* That a command succeeds, with exactly this output. */
void assert_output(const char *command, const char *expected);

/* The caller puts it; members belong to it. */
json_object *run_json(const char *command);
json_object *member(json_object *object, const char *key);
uint64_t number(json_object *object, const char *key);

struct failure {
	const char *command;
	int exit;
	const char *error; /* part of it */
};

void check_failures(uid_t uid, const struct failure *rows, size_t n);

#endif
