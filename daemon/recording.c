/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/util.h"
#include "group.h"
#include "log.h"

/* How far a reader may be behind. */
#define BEHIND_BYTES_MAX (UINT64_C(8) << 20)

/* And how long it may take to read the rest, once all is recorded. */
#define LINGER_USEC UINT64_C(10000000)

struct tierd_recording {
	struct tierd_group *group; /* NULL: nothing is recorded any more */
	struct tier_trace_writer *writer;
	uint64_t space; /* that was asked for last, and its process */
	pid_t pid;

	int fd;
	uint8_t *buffer; /* what the reader has yet to take: size bytes from taken on */
	size_t taken;
	size_t size;
	size_t capacity;
	sd_event_source *io;
	sd_event_source *timer;
};

/* ---- Handing over ---------------------------------------------------------------- */

static void give_up(struct tierd_recording *recording)
{
	if (recording->group)
		tier_group_set_tap(tierd_group_heat(recording->group), NULL, NULL);
	recording->group = NULL;
	recording->io = sd_event_source_disable_unref(recording->io);
	recording->timer = sd_event_source_disable_unref(recording->timer);
	closep(&recording->fd);
	recording->fd = -EBADF;
}

static int make_room(struct tierd_recording *recording, size_t size)
{
	size_t capacity = recording->taken + recording->size + size;
	uint8_t *buffer;

	if (recording->size + size > BEHIND_BYTES_MAX)
		return -ENOBUFS;
	if (capacity <= recording->capacity)
		return 0;
	if (recording->taken > 0)
		memmove(recording->buffer, recording->buffer + recording->taken,
			recording->size);
	recording->taken = 0;
	capacity = 2 * (recording->size + size);
	if (capacity <= recording->capacity)
		return 0;
	buffer = realloc(recording->buffer, capacity);
	if (!buffer)
		return -ENOMEM;
	recording->buffer = buffer;
	recording->capacity = capacity;
	return 0;
}

static int put(void *userdata, const void *data, size_t size)
{
	struct tierd_recording *recording = userdata;
	int r = make_room(recording, size);

	if (r < 0)
		return r;
	memcpy(recording->buffer + recording->taken + recording->size, data, size);
	recording->size += size;
	return sd_event_source_set_io_events(recording->io, EPOLLOUT | EPOLLRDHUP);
}

/* Returns 1 when there is nothing left. */
static int hand_over(struct tierd_recording *recording)
{
	while (recording->size > 0) {
		ssize_t n = send(recording->fd, recording->buffer + recording->taken,
			recording->size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		recording->taken += n;
		recording->size -= n;
	}
	recording->taken = 0;
	return 1;
}

/* ---- Ending ---------------------------------------------------------------------- */

static int on_linger(
	_unused_ sd_event_source *source, _unused_ uint64_t due_usec, void *userdata)
{
	give_up(userdata);
	return 0;
}

/* What is recorded is still to be handed over. */
static void finish(struct tierd_recording *recording)
{
	int r = tier_trace_writer_finish(recording->writer);

	tier_group_set_tap(tierd_group_heat(recording->group), NULL, NULL);
	recording->group = NULL;
	if (r < 0) {
		give_up(recording);
		return;
	}
	recording->timer = sd_event_source_disable_unref(recording->timer);
	r = sd_event_add_time_relative(sd_event_source_get_event(recording->io),
		&recording->timer, CLOCK_MONOTONIC, LINGER_USEC, 0, on_linger, recording);
	if (r < 0)
		give_up(recording);
}

static int on_duration(
	_unused_ sd_event_source *source, _unused_ uint64_t due_usec, void *userdata)
{
	finish(userdata);
	return 0;
}

static int on_socket(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events,
	void *userdata)
{
	struct tierd_recording *recording = userdata;
	int r;

	if (events & (EPOLLHUP | EPOLLERR)) {
		give_up(recording);
		return 0;
	}
	if (events & EPOLLRDHUP && recording->group)
		finish(recording);
	if (recording->fd < 0)
		return 0;
	r = hand_over(recording);
	if (r < 0 || (r > 0 && !recording->group))
		give_up(recording);
	else if (r > 0)
		(void)sd_event_source_set_io_events(recording->io, EPOLLRDHUP);
	return 0;
}

/* ---- Recording ------------------------------------------------------------------- */

/* Replaces libtier's number of a space by its process; false if that is gone. */
static bool name_process(struct tierd_recording *recording, uint64_t *space)
{
	if (*space != recording->space || recording->pid == 0) {
		recording->space = *space;
		recording->pid = tierd_group_pid_of(recording->group, *space);
	}
	*space = recording->pid;
	return recording->pid != 0;
}

static bool name_processes(
	struct tierd_recording *recording, struct tier_trace_record *record)
{
	switch (record->type) {
	case TIER_TRACE_SAMPLE:
		return name_process(recording, &record->sample.access.space);
	case TIER_TRACE_RESIDENCY:
		return name_process(recording, &record->residency.space);
	case TIER_TRACE_SPACE_END:
		return name_process(recording, &record->space);
	default:
		return true;
	}
}

static void on_told(void *userdata, const struct tier_trace_record *told)
{
	struct tierd_recording *recording = userdata;
	struct tier_trace_record record = *told;
	int r;

	if (!name_processes(recording, &record))
		return;
	r = tier_trace_writer_add(recording->writer, &record);
	if (record.type == TIER_TRACE_SPACE_END)
		recording->pid = 0; /* the number may be given to another process */
	if (r >= 0 || r == -EINVAL)
		return;
	log_warning("%s: the recording ends: %s", tierd_group_path(recording->group),
		r == -ENOBUFS ? "its reader is too slow" : strerror(-r));
	give_up(recording);
}

static int watch(struct tierd_recording *recording, sd_event *event, uint64_t duration_ns)
{
	int r;

	r = sd_event_add_io(
		event, &recording->io, recording->fd, EPOLLRDHUP, on_socket, recording);
	if (r < 0)
		return r;
	/* Samples come first: the tick, and the bus. */
	r = sd_event_source_set_priority(recording->io, SD_EVENT_PRIORITY_IDLE);
	if (r < 0)
		return r;
	return sd_event_add_time_relative(event, &recording->timer, CLOCK_MONOTONIC,
		duration_ns / 1000, 0, on_duration, recording);
}

int tierd_recording_new(sd_event *event, struct tierd_group *group,
	const struct tier_trace_meta *meta, uint64_t duration_ns, int *ret_fd,
	struct tierd_recording **ret)
{
	struct tierd_recording *recording = calloc(1, sizeof(*recording));
	int fds[2], r;

	if (!recording)
		return -ENOMEM;
	recording->fd = -EBADF;
	r = tier_trace_writer_new(meta, put, recording, &recording->writer);
	if (r >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		r = -errno;
	if (r < 0) {
		tierd_recording_free(recording);
		return r;
	}
	recording->fd = fds[0];
	r = watch(recording, event, duration_ns);
	if (r < 0) {
		close(fds[1]);
		tierd_recording_free(recording);
		return r;
	}
	recording->group = group;
	tier_group_set_tap(tierd_group_heat(group), on_told, recording);
	*ret_fd = fds[1];
	*ret = recording;
	return 0;
}

struct tierd_recording *tierd_recording_free(struct tierd_recording *recording)
{
	if (!recording)
		return NULL;
	give_up(recording);
	tier_trace_writer_free(recording->writer);
	free(recording->buffer);
	free(recording);
	return NULL;
}

bool tierd_recording_is_over(const struct tierd_recording *recording)
{
	return !recording->io;
}
