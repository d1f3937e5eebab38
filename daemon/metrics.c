/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timer that writes the file, and what file and socket have in common. Data goes to
 * the page cache: nobody needs the last metrics of a machine that lost its power, so
 * there is no fsync() that would wait for a disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "metrics-socket.h"
#include "metrics-text.h"
#include "metrics.h"

/* The tick, the samples and the migrators come first. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

#define FILE_MODE 0644

struct tierd_metrics {
	const struct tierd_manager *manager;
	sd_event *event;
	sd_event_source *timer; /* while there is a file to write */
	char file[TIERD_INI_VALUE_SIZE];
	uint64_t interval_usec;
	struct tierd_metrics_socket *socket; /* NULL: none */
	char socket_path[TIERD_INI_VALUE_SIZE];
};

/* ---- The file ------------------------------------------------------------------ */

static int write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

/* What a tierd that was killed left under that name goes, whatever it is. */
static int write_new(const char *path, const char *text, size_t size)
{
	_cleanup_(closep) int fd = -EBADF;

	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, FILE_MODE) < 0) /* whatever the umask is */
		return -errno;
	return write_all(fd, text, size);
}

/* Readers find the old text or the new one, never a part. */
static int replace_file(const char *path, const char *text, size_t size)
{
	char temporary[TIERD_INI_VALUE_SIZE + sizeof(".new")];
	int r;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	r = write_new(temporary, text, size);
	if (r >= 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

static int write_file(struct tierd_metrics *metrics)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	int r;

	r = tierd_metrics_format(metrics->manager,
		tierd_metrics_socket_n_refused(metrics->socket), &text, &size);
	if (r < 0)
		return r;
	return replace_file(metrics->file, text, size);
}

static int on_timer(sd_event_source *source, _unused_ uint64_t due_usec, void *userdata)
{
	struct tierd_metrics *metrics = userdata;
	int r = write_file(metrics);

	if (r < 0)
		tierd_log_in_loop(r, "%s: cannot write the metrics", metrics->file);
	r = sd_event_source_set_time_relative(source, metrics->interval_usec);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void stop_file(struct tierd_metrics *metrics)
{
	metrics->timer = sd_event_source_disable_unref(metrics->timer);
	if (*metrics->file)
		(void)unlink(metrics->file);
	metrics->file[0] = '\0';
}

static int start_file(struct tierd_metrics *metrics)
{
	int r;

	r = sd_event_add_time_relative(metrics->event, &metrics->timer, CLOCK_MONOTONIC,
		0, 0, on_timer, metrics);
	if (r < 0)
		return r;
	return sd_event_source_set_priority(metrics->timer, PRIORITY);
}

static void configure_file(struct tierd_metrics *metrics, const char *file)
{
	int r;

	if (strcmp(metrics->file, file) == 0)
		return;
	stop_file(metrics);
	strcpy(metrics->file, file);
	if (!*file)
		return;
	r = start_file(metrics);
	if (r < 0)
		log_error_errno(r, "%s: cannot write metrics", file);
}

/* ---- The socket ---------------------------------------------------------------- */

static void configure_socket(struct tierd_metrics *metrics, const char *path)
{
	int r;

	if (strcmp(metrics->socket_path, path) == 0)
		return;
	metrics->socket = tierd_metrics_socket_free(metrics->socket);
	strcpy(metrics->socket_path, path);
	if (!*path)
		return;
	r = tierd_metrics_socket_new(
		path, metrics->manager, metrics->event, PRIORITY, &metrics->socket);
	if (r < 0)
		log_error_errno(r, "%s: cannot listen for clients of metrics", path);
}

/* ---- Both ---------------------------------------------------------------------- */

int tierd_metrics_new(
	const struct tierd_manager *manager, sd_event *event, struct tierd_metrics **ret)
{
	struct tierd_metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return -ENOMEM;
	metrics->manager = manager;
	metrics->event = sd_event_ref(event);
	*ret = metrics;
	return 0;
}

struct tierd_metrics *tierd_metrics_free(struct tierd_metrics *metrics)
{
	if (!metrics)
		return NULL;
	stop_file(metrics);
	tierd_metrics_socket_free(metrics->socket);
	sd_event_unref(metrics->event);
	free(metrics);
	return NULL;
}

void tierd_metrics_configure(
	struct tierd_metrics *metrics, const struct tierd_config *config)
{
	metrics->interval_usec = config->metrics_interval_ns / 1000;
	configure_socket(metrics, config->metrics_socket);
	configure_file(metrics, config->metrics_file);
}
