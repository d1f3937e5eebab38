/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each client has CLIENT_USEC to take the text as it was when it connected; those that
 * come within FRESH_USEC of each other share one, so that connecting over and over again
 * costs next to nothing. Descriptors are non-blocking: what a socket does not take is
 * sent when it has room.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "log.h"
#include "metrics-socket.h"
#include "metrics-text.h"
#include "metrics.h"

#define CLIENT_USEC UINT64_C(5000000)
#define FRESH_USEC  UINT64_C(250000)

#define SOCKET_MODE 0666

struct text {
	unsigned n_refs;
	uint64_t made_usec;
	size_t size;
	char *data;
};

struct client {
	int fd; /* negative: nobody */
	sd_event_source *writable;
	sd_event_source *timeout;
	struct text *text;
	size_t sent;
};

struct tierd_metrics_socket {
	const struct tierd_manager *manager;
	sd_event *event;
	int64_t priority;
	char *path;
	int fd;
	sd_event_source *connects;
	uint64_t n_refused;
	struct text *text; /* the last one that was made */
	struct client clients[TIERD_METRICS_CLIENTS_MAX];
};

/* ---- The text ------------------------------------------------------------------ */

static void unref_text(struct text *text)
{
	if (!text || --text->n_refs > 0)
		return;
	free(text->data);
	free(text);
}

static int make_text(struct tierd_metrics_socket *socket, uint64_t now_usec)
{
	struct text *text = calloc(1, sizeof(*text));
	int r;

	if (!text)
		return -ENOMEM;
	text->n_refs = 1;
	text->made_usec = now_usec;
	r = tierd_metrics_format(
		socket->manager, socket->n_refused, &text->data, &text->size);
	if (r < 0) {
		unref_text(text);
		return r;
	}
	unref_text(socket->text);
	socket->text = text;
	return 0;
}

static int take_text(struct tierd_metrics_socket *socket, struct text **ret)
{
	uint64_t now_usec;
	int r;

	r = sd_event_now(socket->event, CLOCK_MONOTONIC, &now_usec);
	if (r < 0)
		return r;
	if (!socket->text || now_usec - socket->text->made_usec >= FRESH_USEC) {
		r = make_text(socket, now_usec);
		if (r < 0)
			return r;
	}
	socket->text->n_refs++;
	*ret = socket->text;
	return 0;
}

/* ---- Clients ------------------------------------------------------------------- */

static void hang_up(struct client *client)
{
	sd_event_source_disable_unref(client->writable);
	sd_event_source_disable_unref(client->timeout);
	closep(&client->fd);
	unref_text(client->text);
	*client = (struct client){ .fd = -EBADF };
}

/* True when the client has got all of it, or does not want it. */
static bool is_done(struct client *client)
{
	const struct text *text = client->text;

	while (client->sent < text->size) {
		ssize_t n = send(client->fd, text->data + client->sent,
			text->size - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno != EAGAIN;
		client->sent += (size_t)n;
	}
	return true;
}

static int on_writable(_unused_ sd_event_source *source, _unused_ int fd,
	_unused_ uint32_t events, void *userdata)
{
	if (is_done(userdata))
		hang_up(userdata);
	return 0;
}

static int on_timeout(
	_unused_ sd_event_source *source, _unused_ uint64_t due_usec, void *userdata)
{
	hang_up(userdata);
	return 0;
}

static int serve(struct tierd_metrics_socket *socket, struct client *client)
{
	int r;

	r = take_text(socket, &client->text);
	if (r < 0)
		return r;
	r = sd_event_add_io(socket->event, &client->writable, client->fd, EPOLLOUT,
		on_writable, client);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(client->writable, socket->priority);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(socket->event, &client->timeout, CLOCK_MONOTONIC,
		CLIENT_USEC, 0, on_timeout, client);
	if (r < 0)
		return r;
	return sd_event_source_set_priority(client->timeout, socket->priority);
}

static struct client *free_client(struct tierd_metrics_socket *socket)
{
	for (size_t i = 0; i < ARRAY_SIZE(socket->clients); i++)
		if (socket->clients[i].fd < 0)
			return &socket->clients[i];
	return NULL;
}

static int on_connect(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
	void *userdata)
{
	struct tierd_metrics_socket *socket = userdata;
	_cleanup_(closep) int connection =
		accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client = free_client(socket);
	int r;

	if (connection < 0)
		return 0; /* gone again */
	if (!client) {
		socket->n_refused++;
		return 0;
	}
	client->fd = TAKE_FD(connection);
	r = serve(socket, client);
	if (r < 0) {
		tierd_log_in_loop(r, "cannot serve a client of the metrics");
		hang_up(client);
	}
	return 0;
}

/* ---- Listening ----------------------------------------------------------------- */

/* Of a tierd that was killed. */
static int remove_socket(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

static int listen_at(const char *path, int *ret_fd)
{
	_cleanup_(closep) int fd = -EBADF;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	r = remove_socket(path);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (chmod(path, SOCKET_MODE) < 0 || listen(fd, TIERD_METRICS_CLIENTS_MAX) < 0) {
		r = -errno;
		(void)unlink(path);
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int start(struct tierd_metrics_socket *socket, const char *path)
{
	_cleanup_(freep) char *copy = strdup(path);
	int r;

	if (!copy)
		return -ENOMEM;
	r = listen_at(path, &socket->fd);
	if (r < 0)
		return r;
	socket->path = TAKE_PTR(copy); /* from now on it is ours to remove */
	r = sd_event_add_io(socket->event, &socket->connects, socket->fd, EPOLLIN,
		on_connect, socket);
	if (r < 0)
		return r;
	return sd_event_source_set_priority(socket->connects, socket->priority);
}

int tierd_metrics_socket_new(const char *path, const struct tierd_manager *manager,
	sd_event *event, int64_t priority, struct tierd_metrics_socket **ret)
{
	struct tierd_metrics_socket *socket = calloc(1, sizeof(*socket));
	int r;

	if (!socket)
		return -ENOMEM;
	socket->manager = manager;
	socket->event = sd_event_ref(event);
	socket->priority = priority;
	socket->fd = -EBADF;
	for (size_t i = 0; i < ARRAY_SIZE(socket->clients); i++)
		socket->clients[i].fd = -EBADF;
	r = start(socket, path);
	if (r < 0) {
		tierd_metrics_socket_free(socket);
		return r;
	}
	*ret = socket;
	return 0;
}

struct tierd_metrics_socket *tierd_metrics_socket_free(
	struct tierd_metrics_socket *socket)
{
	if (!socket)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(socket->clients); i++)
		hang_up(&socket->clients[i]);
	unref_text(socket->text);
	sd_event_source_disable_unref(socket->connects);
	closep(&socket->fd);
	if (socket->path)
		(void)unlink(socket->path);
	free(socket->path);
	sd_event_unref(socket->event);
	free(socket);
	return NULL;
}

uint64_t tierd_metrics_socket_n_refused(const struct tierd_metrics_socket *socket)
{
	return socket ? socket->n_refused : 0;
}
