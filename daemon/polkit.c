/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call that waits has an entry in a list, found by its message. First the bus is asked
 * whose the sender's connection is, which settles it for root, polkit or not; then polkit
 * is asked about the sender's name on the bus, which, unlike a process id, is never
 * anybody else's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus-internal.h"
#include "polkit.h"

#define ASK_USEC         (10 * UINT64_C(1000000))
#define INTERACTIVE_USEC (120 * UINT64_C(1000000)) /* somebody types a password */

/* polkit's AllowUserInteraction. */
#define CHECK_INTERACTIVE 1

enum state {
	ASKING_BUS,
	ASKING_POLKIT,
	ANSWERED,
};

struct request {
	struct request *next;
	struct tierd_polkit *polkit;
	sd_bus_message *message;
	const char *action;
	sd_bus_slot *slot;
	enum state state;
	uint32_t uid;
	int result; /* 1 or a negative errno */
	const char *error_name;
	const char *error_text;
};

struct tierd_polkit {
	struct request *requests;
	size_t n_requests;
};

/* ---- Requests ------------------------------------------------------------------ */

int tierd_polkit_new(struct tierd_polkit **ret)
{
	struct tierd_polkit *polkit = calloc(1, sizeof(*polkit));

	if (!polkit)
		return -ENOMEM;
	*ret = polkit;
	return 0;
}

static void request_free(struct request *request)
{
	sd_bus_slot_unref(request->slot);
	sd_bus_message_unref(request->message);
	free(request);
}

struct tierd_polkit *tierd_polkit_free(struct tierd_polkit *polkit)
{
	if (!polkit)
		return NULL;
	while (polkit->requests) {
		struct request *request = polkit->requests;

		polkit->requests = request->next;
		request_free(request);
	}
	free(polkit);
	return NULL;
}

static struct request *find(const struct tierd_polkit *polkit, sd_bus_message *message)
{
	for (struct request *r = polkit->requests; r; r = r->next)
		if (r->message == message)
			return r;
	return NULL;
}

static void drop(struct tierd_polkit *polkit, struct request *request)
{
	struct request **link = &polkit->requests;

	while (*link != request)
		link = &(*link)->next;
	*link = request->next;
	polkit->n_requests--;
	request_free(request);
}

bool tierd_polkit_has_asked(const struct tierd_polkit *polkit, sd_bus_message *message)
{
	return find(polkit, message);
}

void tierd_polkit_forget(struct tierd_polkit *polkit, sd_bus_message *message)
{
	struct request *request = find(polkit, message);

	if (request && request->state == ANSWERED)
		drop(polkit, request);
}

/* ---- Answers ------------------------------------------------------------------- */

/* Lets the call be handled again; one that cannot be is answered by its time-out. */
static void answer(
	struct request *request, int result, const char *name, const char *text)
{
	sd_bus_message *message = request->message;

	request->state = ANSWERED;
	request->result = result;
	request->error_name = name;
	request->error_text = text;
	if (sd_bus_message_rewind(message, true) < 0 ||
		sd_bus_enqueue_for_read(sd_bus_message_get_bus(message), message) < 0)
		drop(request->polkit, request);
}

static void deny(struct request *request, const char *text)
{
	answer(request, -EACCES, SD_BUS_ERROR_ACCESS_DENIED, text);
}

static int on_polkit(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	struct request *request = userdata;
	int is_authorized, is_challenge;

	if (sd_bus_message_is_method_error(reply, NULL)) {
		deny(request, "Only root may do this: polkit does not answer");
		return 0;
	}
	if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
		sd_bus_message_read(reply, "bb", &is_authorized, &is_challenge) < 0)
		deny(request, "Only root may do this: polkit's answer makes no sense");
	else if (is_authorized)
		answer(request, 1, NULL, NULL);
	else if (is_challenge)
		answer(request, -EACCES, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
			"Interactive authentication is required");
	else
		deny(request, "polkit does not allow it");
	return 0;
}

static int ask_polkit(struct request *request)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
	sd_bus *connection = sd_bus_message_get_bus(request->message);
	int is_interactive =
		sd_bus_message_get_allow_interactive_authorization(request->message);
	int r;

	r = sd_bus_message_new_method_call(connection, &question,
		"org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
		"org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
	if (r < 0)
		return r;
	r = sd_bus_message_append(question, "(sa{sv})sa{ss}us", "system-bus-name", 1,
		"name", "s", sd_bus_message_get_sender(request->message), request->action,
		0, is_interactive > 0 ? CHECK_INTERACTIVE : 0, "");
	if (r < 0)
		return r;
	request->slot = sd_bus_slot_unref(request->slot);
	request->state = ASKING_POLKIT;
	return sd_bus_call_async(connection, &request->slot, question, on_polkit, request,
		is_interactive > 0 ? INTERACTIVE_USEC : ASK_USEC);
}

static size_t n_of_user(const struct tierd_polkit *polkit, uint32_t uid)
{
	size_t n = 0;

	for (const struct request *r = polkit->requests; r; r = r->next)
		n += r->state == ASKING_POLKIT && r->uid == uid;
	return n;
}

static int on_uid(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	struct request *request = userdata;

	if (sd_bus_message_is_method_error(reply, NULL) ||
		sd_bus_message_read(reply, "u", &request->uid) < 0)
		deny(request, "The caller is not known to the bus");
	else if (request->uid == 0)
		answer(request, 1, NULL, NULL);
	else if (n_of_user(request->polkit, request->uid) >=
		 TIERD_POLKIT_USER_WAITING_MAX)
		answer(request, -EBUSY, TIERD_BUS_ERROR_LIMIT_EXCEEDED,
			"Too many calls wait for polkit");
	else if (ask_polkit(request) < 0)
		deny(request, "Only root may do this: polkit cannot be asked");
	return 0;
}

/* ---- Questions ----------------------------------------------------------------- */

/* At the other end of a connection of one's own, without a bus between. */
static int authorize_peer(sd_bus_message *message, sd_bus_error *error)
{
	_cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
	uid_t uid;
	int r;

	r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);
	if (r < 0)
		return r;
	r = sd_bus_creds_get_euid(creds, &uid);
	if (r < 0)
		return r;
	if (uid == 0)
		return 1;
	return sd_bus_error_set(
		error, SD_BUS_ERROR_ACCESS_DENIED, "Only root may do this");
}

static bool is_full(const struct tierd_polkit *polkit, sd_bus_message *message)
{
	const char *sender = sd_bus_message_get_sender(message);
	size_t n = 0;

	for (const struct request *r = polkit->requests; r; r = r->next)
		n += strcmp(sd_bus_message_get_sender(r->message), sender) == 0;
	return n >= TIERD_POLKIT_SENDER_WAITING_MAX ||
	       polkit->n_requests >= TIERD_POLKIT_WAITING_MAX;
}

static int ask(struct tierd_polkit *polkit, sd_bus_message *message, const char *action)
{
	struct request *request = calloc(1, sizeof(*request));
	int r;

	if (!request)
		return -ENOMEM;
	*request = (struct request){
		.next = polkit->requests,
		.polkit = polkit,
		.message = sd_bus_message_ref(message),
		.action = action,
	};
	polkit->requests = request;
	polkit->n_requests++;
	r = sd_bus_call_method_async(sd_bus_message_get_bus(message), &request->slot,
		"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
		"GetConnectionUnixUser", on_uid, request, "s",
		sd_bus_message_get_sender(message));
	if (r < 0)
		drop(polkit, request);
	return r < 0 ? r : 0;
}

int tierd_polkit_authorize(struct tierd_polkit *polkit, sd_bus_message *message,
	const char *action, sd_bus_error *error)
{
	struct request *request = find(polkit, message);
	int result;

	if (!sd_bus_message_get_sender(message))
		return authorize_peer(message, error);
	if (!request && is_full(polkit, message))
		return sd_bus_error_set(error, TIERD_BUS_ERROR_LIMIT_EXCEEDED,
			"Too many calls wait for an answer");
	if (!request)
		return ask(polkit, message, action);
	result = request->result;
	if (result < 0)
		result =
			sd_bus_error_set(error, request->error_name, request->error_text);
	drop(polkit, request);
	return result;
}
