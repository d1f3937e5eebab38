/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus without the daemon: the real objects under the real name, over a manager that
 * only stands there (fake-manager.h). For tests of tierctl, and to look at its output.
 * With an argument, reloading fails with that text. SIGUSR1 makes it look as if 1 GiB had
 * been promoted, and half of that demoted.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "fake-manager.h"

static int on_moves(_unused_ sd_event_source *source,
	_unused_ const struct signalfd_siginfo *info, void *userdata)
{
	struct tierd_manager *manager = userdata;

	manager->groups[0]->view.promoted_bytes += UINT64_C(1) << 30;
	manager->groups[0]->view.demoted_bytes += UINT64_C(1) << 29;
	return 0;
}

static int serve(struct tierd_manager *manager)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	_cleanup_(tierd_bus_freep) struct tierd_bus *bus = NULL;
	int r;

	r = sd_event_new(&event);
	if (r < 0)
		return r;
	r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	if (r < 0)
		return r;
	r = sd_event_add_signal(event, NULL, SIGUSR1, on_moves, manager);
	if (r < 0)
		return r;
	r = tierd_bus_new(manager, event, &bus);
	if (r < 0)
		return r;
	return sd_event_loop(event);
}

int main(int argc, char **argv)
{
	struct tierd_manager manager;
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fake_manager_fill(&manager);
	if (argc > 1) {
		manager.reload_result = -EINVAL;
		manager.reload_error = argv[1];
	}
	r = serve(&manager);
	if (r < 0)
		fprintf(stderr, "fake-tierd: %s\n", strerror(-r));
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
