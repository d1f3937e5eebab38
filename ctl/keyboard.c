/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handlers do no more than set the terminal and let the signal have its way: a call to
 * tierd that hangs can be interrupted like any other program.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "keyboard.h"

static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE };

static struct termios found; /* as the terminal was */
static volatile sig_atomic_t is_open;

static int set_keys(void)
{
	struct termios keys = found;

	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	return tcsetattr(STDIN_FILENO, TCSANOW, &keys) < 0 ? -errno : 0;
}

static void put_back(void)
{
	if (is_open)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &found);
}

/* The signal comes again when the handler is over, and finds nobody. */
static void on_ending(int number)
{
	int saved = errno;

	put_back();
	signal(number, SIG_DFL);
	raise(number);
	errno = saved;
}

/* Goes on behind raise() when the program is continued; or at once, where there is no
 * shell to continue it and the kernel does not stop it. */
static void on_stop(int number)
{
	int saved = errno;
	sigset_t mask;

	put_back();
	signal(number, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, number);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	raise(number);
	signal(number, on_stop);
	if (is_open)
		(void)set_keys();
	errno = saved;
}

void tierctl_keyboard_close(void)
{
	put_back();
	is_open = false;
}

int tierctl_keyboard_open(void)
{
	int r;

	if (tcgetattr(STDIN_FILENO, &found) < 0)
		return -errno;
	if (atexit(tierctl_keyboard_close) != 0)
		return -ENOMEM;
	is_open = true;
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		signal(ending[i], on_ending);
	signal(SIGTSTP, on_stop);
	r = set_keys();
	if (r < 0)
		tierctl_keyboard_close();
	return r;
}

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int tierctl_keyboard_wait(uint64_t until_usec)
{
	struct pollfd input = { .fd = is_open ? STDIN_FILENO : -1, .events = POLLIN };
	unsigned char key;
	ssize_t n;

	for (;;) {
		uint64_t left = tier_saturating_sub(until_usec, now_usec());
		struct timespec timeout = { .tv_sec = (time_t)(left / 1000000),
			.tv_nsec = (long)(left % 1000000 * 1000) };
		int r = ppoll(&input, 1, &timeout, NULL);

		if (r == 0)
			return 0;
		if (r > 0)
			break;
		if (errno != EINTR)
			return -errno;
	}
	n = read(STDIN_FILENO, &key, 1);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	return n == 0 ? -ENODATA : key;
}
