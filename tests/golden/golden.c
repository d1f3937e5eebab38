/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/golden/update calls:
 *
 *     golden list             the names of all scenes
 *     golden trace NAME       a scene's trace, to standard output
 *     golden plans ENGINE     the plans of the trace at standard input, as text
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "replay.h"
#include "scenes.h"

static int write_stdout(_unused_ void *userdata, const void *data, size_t size)
{
	return fwrite(data, 1, size, stdout) == size ? 0 : -EIO;
}

static int list(void)
{
	for (const struct scene *scene = scenes; scene->name; scene++)
		puts(scene->name);
	return 0;
}

static int trace(const char *name)
{
	for (const struct scene *scene = scenes; scene->name; scene++)
		if (!strcmp(scene->name, name))
			return scene_write(scene, write_stdout, NULL);
	return -ENOENT;
}

static int plans(const char *name)
{
	enum tier_engine engine = tier_engine_from_string(name);

	return engine < 0 ? -EINVAL : golden_replay(STDIN_FILENO, engine, stdout);
}

static int run(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	if (argc == 3 && !strcmp(argv[1], "trace"))
		return trace(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "plans"))
		return plans(argv[2]);
	fprintf(stderr, "usage: golden list | trace NAME | plans ENGINE\n");
	return -EINVAL;
}

int main(int argc, char **argv)
{
	int r = run(argc, argv);

	if (r >= 0 && fflush(stdout) != 0)
		r = -errno;
	if (r < 0)
		fprintf(stderr, "golden: %s\n", strerror(-r));
	return r < 0;
}
