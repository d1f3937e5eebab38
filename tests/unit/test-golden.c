/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The golden traces (tests/golden): what is committed is what the scenes make, and what
 * the engine plans for it is what was committed. If it should be something else now,
 * tests/golden/update writes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/util.h"
#include "replay.h"
#include "scenes.h"
#include "unit.h"

#define PATH_BYTES 512

static int open_golden(const char *name, const char *suffix, char path[static PATH_BYTES])
{
	int fd;

	snprintf(path, PATH_BYTES, GOLDEN_DIR "/%s%s", name, suffix);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static int write_to_fd(void *userdata, const void *data, size_t size)
{
	const int *fd = userdata;

	return write(*fd, data, size) == (ssize_t)size ? 0 : -EIO;
}

static struct tier_trace_reader *reader_of(int fd)
{
	struct tier_trace_reader *reader;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(tier_trace_reader_new_fd(fd, &reader), 0);
	return reader;
}

/* By records: the bytes are up to the version of zstd. */
static void assert_same_trace(const char *name, int a_fd, int b_fd)
{
	struct tier_trace_reader *a = reader_of(a_fd), *b = reader_of(b_fd);
	struct tier_trace_record x, y;
	struct tier_trace_meta meta_x, meta_y;
	size_t n = 0;
	int r;

	assert_int_equal(tier_trace_reader_get_meta(a, &meta_x), 0);
	assert_int_equal(tier_trace_reader_get_meta(b, &meta_y), 0);
	assert_memory_equal(&meta_x, &meta_y, sizeof(meta_x));
	do {
		memset(&x, 0, sizeof(x));
		memset(&y, 0, sizeof(y));
		r = tier_trace_reader_next(a, &x);
		assert_int_equal(tier_trace_reader_next(b, &y), r);
		if (memcmp(&x, &y, sizeof(x)) != 0)
			fail_msg("%s: record %zu (%s) is not what the scene makes", name,
				n, tier_trace_type_to_string(x.type));
		n++;
	} while (r == TIER_TRACE_RECORD);
	assert_int_equal(r, TIER_TRACE_END);
	tier_trace_reader_free(a);
	tier_trace_reader_free(b);
}

static void test_traces(_unused_ void **state)
{
	for (const struct scene *scene = scenes; scene->name; scene++) {
		_cleanup_(closep) int made = memfd_create("made", MFD_CLOEXEC);
		_cleanup_(closep) int golden = -EBADF;
		char path[PATH_BYTES];

		golden = open_golden(scene->name, ".trace", path);
		assert_int_equal(scene_write(scene, write_to_fd, &made), 0);
		assert_same_trace(scene->name, golden, made);
	}
}

/* Shows how @text differs from the file, by diff(1). */
static void show_difference(const char *path, const char *text, size_t size)
{
	char command[2 * PATH_BYTES + 64];
	FILE *diff;

	snprintf(command, sizeof(command),
		"diff -u --label '%s' --label planned '%s' - >&2", path, path);
	diff = popen(command, "w");
	if (!diff)
		return;
	fwrite(text, 1, size, diff);
	pclose(diff);
}

static bool is_content_of(int fd, const char *text, size_t size)
{
	_cleanup_(freep) char *content = malloc(size + 1);

	assert_non_null(content);
	return read(fd, content, size + 1) == (ssize_t)size &&
	       memcmp(content, text, size) == 0;
}

/* True if the plans are what was committed; shows the difference otherwise. */
static bool is_planned_as_before(const struct scene *scene, enum tier_engine engine)
{
	_cleanup_(closep) int trace = -EBADF, golden = -EBADF;
	_cleanup_(freep) char *text = NULL;
	char path[PATH_BYTES], suffix[64];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	trace = open_golden(scene->name, ".trace", path);
	assert_int_equal(golden_replay(trace, engine, out), 0);
	fclose(out);
	snprintf(suffix, sizeof(suffix), ".%s.plan", tier_engine_to_string(engine));
	golden = open_golden(scene->name, suffix, path);
	if (is_content_of(golden, text, size))
		return true;
	show_difference(path, text, size);
	return false;
}

static void test_plans(_unused_ void **state)
{
	static const enum tier_engine engines[] = { TIER_ENGINE_RANK, TIER_ENGINE_MEMTIS,
		TIER_ENGINE_TPP };
	unsigned n_wrong = 0;

	for (const struct scene *scene = scenes; scene->name; scene++)
		for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
			n_wrong += !is_planned_as_before(scene, engines[i]);
	if (n_wrong > 0)
		fail_msg(
			"%u plans are other than was committed; if that is right, run "
			"tests/golden/update",
			n_wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traces),
		cmocka_unit_test(test_plans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
