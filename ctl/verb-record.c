/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl record: what tierd is told of a group for a while, samples with their addresses
 * among it, into a file that only its owner may read. Interrupted, it ends the recording
 * and keeps what there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "bus-client.h"
#include "resolve.h"
#include "tierctl.h"
#include "verbs.h"

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(_unused_ int number)
{
	is_interrupted = 1;
}

/* Without SA_RESTART: reading comes back at once. */
static void watch_interrupts(void)
{
	const struct sigaction action = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* A file that is there already is written over, and closed to all others. */
static int open_file(const char *name)
{
	_cleanup_(closep) int fd = -EBADF;
	struct stat status;
	int kept;

	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (S_ISREG(status.st_mode) && fchmod(fd, 0600) < 0)
		return -errno;
	kept = fd;
	fd = -EBADF;
	return kept;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		data += n > 0 ? n : 0;
		size -= n > 0 ? n : 0;
	}
	return 0;
}

/* To the end of the recording; what was asked for by an interrupt comes after it. */
static int copy(int from, int to, uint64_t *ret_bytes)
{
	char buffer[65536];
	bool is_ending = false;
	uint64_t bytes = 0;

	for (;;) {
		ssize_t n;
		int r;

		if (is_interrupted && !is_ending) {
			is_ending = true;
			shutdown(from, SHUT_WR);
		}
		n = read(from, buffer, sizeof(buffer));
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : write_all(to, buffer, n);
		if (r < 0)
			return r;
		bytes += n;
	}
	*ret_bytes = bytes;
	return 0;
}

static int report(struct tierctl *ctl, const struct tierctl_group *group, uint64_t bytes)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	char size[TIERCTL_TEXT_MAX];
	int r;

	if (ctl->json == TIERCTL_JSON_OFF) {
		printf("%s of trace in %s\n", tierctl_format_size(bytes, size),
			ctl->record.file);
		return TIERCTL_EXIT_OK;
	}
	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_string(json, "file", ctl->record.file);
	tierctl_json_u64(json, "bytes", bytes);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_record(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	_cleanup_(closep) int from = -EBADF, to = -EBADF;
	uint64_t bytes;
	int r;

	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_record(ctl->bus, &group, ctl->record.duration_usec, &from, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	to = open_file(ctl->record.file);
	if (to < 0)
		return tierctl_failed(to, "open the file");
	watch_interrupts();
	r = copy(from, to, &bytes);
	if (r < 0)
		return tierctl_failed(r, "write the trace");
	return report(ctl, &group, bytes);
}
