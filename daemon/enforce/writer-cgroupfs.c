/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "clock.h"
#include "enforce/beneath.h"
#include "enforce/writer-cgroupfs.h"

/* A memory.high below what the cgroup has makes the kernel look for something to reclaim,
 * in vain as a rule: written five times as often a fill took three times as long. */
#define INTERVAL_NS (100 * UINT64_C(1000000))

struct tierd_writer_cgroupfs {
	int cgroup_fd; /* borrowed */
	int event_fd;
	sd_event_source *source;
	struct tierd_enforcer *enforcer;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool has_job;
	struct tierd_held job;
	int result;
};

static int carry_out(int cgroup_fd, const struct tierd_held *job)
{
	_cleanup_(closep) int fd = -EBADF;
	int r = tierd_cgroup_open_beneath(cgroup_fd, job->path, job->id, &fd);

	if (r < 0)
		return r;
	return tierd_attribute_put(
		cgroup_fd, fd, tierd_attribute_file(job->attribute), job->wanted);
}

static void unlock(void *userdata)
{
	struct tierd_writer_cgroupfs *writer = userdata;

	pthread_mutex_unlock(&writer->lock);
}

/* Cancelled only while it has nothing to do or is in a write that takes its time. */
static void *work(void *userdata)
{
	struct tierd_writer_cgroupfs *writer = userdata;
	uint64_t one = 1;

	for (;;) {
		struct tierd_held job;

		pthread_mutex_lock(&writer->lock);
		pthread_cleanup_push(unlock, writer);
		while (!writer->has_job)
			pthread_cond_wait(&writer->changed, &writer->lock);
		job = writer->job;
		writer->has_job = false;
		pthread_cleanup_pop(true);
		writer->result = carry_out(writer->cgroup_fd, &job);
		(void)!write(writer->event_fd, &one, sizeof(one));
	}
	return NULL;
}

static int begin_write(void *userdata, const struct tierd_held *held)
{
	struct tierd_writer_cgroupfs *writer = userdata;

	pthread_mutex_lock(&writer->lock);
	writer->job = *held;
	writer->has_job = true;
	pthread_cond_signal(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
	return 0;
}

static int on_written(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
	void *userdata)
{
	struct tierd_writer_cgroupfs *writer = userdata;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return 0;
	tierd_enforcer_written(
		writer->enforcer, TIERD_OWNER_CGROUPFS, writer->result, tierd_now_ns());
	return 0;
}

int tierd_writer_cgroupfs_new(
	sd_event *event, int cgroup_fd, struct tierd_writer_cgroupfs **ret)
{
	struct tierd_writer_cgroupfs *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return -ENOMEM;
	writer->cgroup_fd = cgroup_fd;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->changed, NULL);
	writer->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = writer->event_fd < 0 ? -errno
				 : sd_event_add_io(event, &writer->source,
					   writer->event_fd, EPOLLIN, on_written, writer);
	if (r >= 0) {
		r = -pthread_create(&writer->thread, NULL, work, writer);
		writer->has_thread = r == 0;
	}
	if (r < 0) {
		tierd_writer_cgroupfs_free(writer);
		return r;
	}
	*ret = writer;
	return 0;
}

struct tierd_writer_cgroupfs *tierd_writer_cgroupfs_free(
	struct tierd_writer_cgroupfs *writer)
{
	if (!writer)
		return NULL;
	if (writer->has_thread) {
		pthread_cancel(writer->thread);
		pthread_join(writer->thread, NULL);
	}
	sd_event_source_disable_unref(writer->source);
	closep(&writer->event_fd);
	pthread_cond_destroy(&writer->changed);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
	return NULL;
}

void tierd_writer_cgroupfs_attach(
	struct tierd_writer_cgroupfs *writer, struct tierd_enforcer *enforcer)
{
	writer->enforcer = enforcer;
}

const struct tierd_writer_ops tierd_writer_cgroupfs_ops = {
	.write = begin_write,
	.interval_ns = INTERVAL_NS,
	.rest = 1,
};
