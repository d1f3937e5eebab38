/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes of a fake /proc, and this very process in the real one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-root.h"
#include "process.h"

#define STATUS_7 "Name:\tx\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\n"

/* Fields 3 to 22 after the comm, with these flags and start time. */
#define FIELDS(flags, start) \
	" S 1 7 7 0 -1 " flags " 1 2 3 4 5 6 7 8 20 0 1 0 " start " 1000 200\n"

static void test_read(_unused_ void **state)
{
	static const struct {
		const char *stat;
		uint64_t start_ticks;
		bool is_kernel_thread;
	} cases[] = {
		{ "7 (gups)" FIELDS("4194304", "5559"), 5559, false },
		{ "7 (kswapd0)" FIELDS("10752", "31"), 31, false },
		{ "7 (kswapd0)" FIELDS("2166848", "31"), 31, true },
		{ "7 (a) S 1 (b c))" FIELDS("4194304", "18446744073709551615"),
			UINT64_MAX, false },
		{ "7 ()" FIELDS("0", "0"), 0, false },
	};
	struct fake_root fake;

	fake_root_init(&fake);
	fake_root_write(&fake, "/proc/7/status", STATUS_7);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_process process;

		fake_root_write(&fake, "/proc/7/stat", cases[i].stat);
		assert_int_equal(tierd_process_read(&fake.root, 7, &process), 0);
		assert_int_equal(process.pid, 7);
		assert_int_equal(process.start_ticks, cases[i].start_ticks);
		assert_int_equal(process.is_kernel_thread, cases[i].is_kernel_thread);
	}
	fake_root_done(&fake);
}

static void test_bad_stat(_unused_ void **state)
{
	static const struct {
		const char *path;
		const char *text; /* NULL: missing */
		int r;
	} cases[] = {
		{ "/proc/7/stat", NULL, -ESRCH },
		{ "/proc/7/status", NULL, -ESRCH },
		{ "/proc/7/status", "Name:\tx\nTgid:\t6\nPid:\t7\n", -ESRCH },
		{ "/proc/7/status", "Name:\tx\nPid:\t7\n", -EBADMSG },
		{ "/proc/7/status", "Name:\tx\nTgid:\tx\n", -EBADMSG },
		{ "/proc/7/stat", "", -EBADMSG },
		{ "/proc/7/stat", "7 (gups", -EBADMSG },
		{ "/proc/7/stat", "7 (gups)", -EBADMSG },
		{ "/proc/7/stat", "7 (gups) S 1 7 7 0 -1 4194304 1 2 3 4", -EBADMSG },
		{ "/proc/7/stat", "7 (gups)" FIELDS("-1", "5559"), -EBADMSG },
		{ "/proc/7/stat", "7 (gups)" FIELDS("0", "99999999999999999999"),
			-EBADMSG },
		{ "/proc/7/stat", "7 (gups)" FIELDS("0", "x"), -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_process process = { .pid = 77 };
		struct fake_root fake;
		int r;

		fake_root_init(&fake);
		fake_root_write(&fake, "/proc/7/status", STATUS_7);
		fake_root_write(&fake, "/proc/7/stat", "7 (gups)" FIELDS("0", "5559"));
		if (cases[i].text)
			fake_root_write(&fake, cases[i].path, cases[i].text);
		else
			fake_root_remove(&fake, cases[i].path);
		r = tierd_process_read(&fake.root, 7, &process);
		if (r != cases[i].r)
			fail_msg("case %zu: %d", i, r);
		assert_int_equal(process.pid, 77);
		fake_root_done(&fake);
	}
}

enum {
	W = 1, /* writable */
	S = 2, /* shared */
	F = 4, /* a file's */
};

struct expected_mapping {
	uint64_t start, end;
	int flags;
};

static const struct {
	const char *text;
	struct expected_mapping expected[6];
	size_t n_expected;
} maps_cases[] = {
	{ "", {}, 0 },
	{ "00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon\n"
	  "00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/dbus-daemon\n"
	  "00652000-00655000 rw-p 00052000 08:02 173521      /usr/bin/dbus-daemon\n"
	  "00e03000-00e24000 rw-p 00000000 00:00 0           [heap]\n",
		{ { 0x400000, 0x452000, F }, { 0x651000, 0x652000, F },
			{ 0x652000, 0x655000, F | W }, { 0xe03000, 0xe24000, W } },
		4 },
	{ "7f0000000000-7f0000200000 rw-p 00000000 00:00 0 \n"
	  "7f0000200000-7f0000400000 rw-p 00000000 00:00 0 [anon:glibc: malloc]\n"
	  "7f0000400000-7f0000600000 r--p 00000000 00:00 0 \n"
	  "7f0000600000-7f0000800000 ---p 00000000 00:00 0 \n"
	  "7f0000800000-7f0000a00000 r--p 00000000 00:00 0 \n",
		{ { 0x7f0000000000, 0x7f0000400000, W },
			{ 0x7f0000400000, 0x7f0000600000, 0 },
			{ 0x7f0000800000, 0x7f0000a00000, 0 } },
		3 },
	{ "1000-2000 rw-s 00000000 00:01 1026 /dev/zero (deleted)\n"
	  "3000-4000 rw-s 00000000 00:01 3 /memfd:pool (deleted)\n"
	  "5000-6000 rw-s 00000000 00:01 65538 /SYSV00000000 (deleted)\n"
	  "7000-8000 rw-s 00000000 00:18 2 /dev/shm/PostgreSQL.1234\n",
		{ { 0x1000, 0x2000, W | S | F }, { 0x3000, 0x4000, W | S | F },
			{ 0x5000, 0x6000, W | S | F }, { 0x7000, 0x8000, W | S | F } },
		4 },
	{ "1000-2000 r--p 00000000 00:00 0 [vvar]\n"
	  "2000-3000 r--p 00000000 00:00 0 [vvar_vclock]\n"
	  "3000-4000 r-xp 00000000 00:00 0 [vdso]\n"
	  "5000-6000 rw-s 00000000 00:06 99 /dev/dri/card0\n"
	  "7000-8000 rw-s 00000000 00:0f 11 /anon_hugepage (deleted)\n"
	  "9000-a000 rw-s 00000000 00:0e 12 anon_inode:[perf_event]\n"
	  "b000-c000 rw-s 00000000 00:09 13 socket:[1234]\n"
	  "d000-e000 rw-s 00000000 00:30 14 /dev/hugepages/pool\n"
	  "e000-f000 rw-s 00000000 00:30 14 /mnt/hugetlbfs/pool\n"
	  "f000-10000 rw-s 00000000 00:30 14 /data/dev/file with blanks\n"
	  "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n",
		{ { 0xf000, 0x10000, W | S | F } }, 1 },
	{ "1000-2000 rw-p 00000000 00:00 0", { { 0x1000, 0x2000, W } }, 1 },
};

/* Parts of one object that follow each other in it are one mapping, and no others. */
static void test_objects(_unused_ void **state)
{
	_cleanup_(freep) struct tierd_mapping *mappings = NULL;
	struct fake_root fake;
	size_t n;

	fake_root_init(&fake);
	fake_root_write(&fake, "/proc/7/maps",
		"1000-2000 rw-s 00000000 00:01 5 /dev/zero (deleted)\n"
		"2000-3000 rw-s 00001000 00:01 5 /dev/zero (deleted)\n"
		"3000-4000 rw-s 00007000 00:01 5 /dev/zero (deleted)\n"
		"4000-5000 rw-s 00008000 00:01 6 /dev/zero (deleted)\n"
		"5000-6000 rw-s 00009000 00:01 6 /SYSV00000000 (deleted)\n"
		"6000-7000 rw-p 00000000 fd:02 6 /usr/lib/x\n");
	assert_return_code(tierd_process_read_mappings(&fake.root, 7, &mappings, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(mappings[0].end, 0x3000);
	assert_int_equal(mappings[0].key.device, 1);
	assert_int_equal(mappings[0].key.inode, 5);
	assert_int_equal(mappings[1].offset, 0x7000);
	assert_int_equal(mappings[2].key.inode, 6);
	assert_int_equal(mappings[3].key.inode, 6);
	assert_int_not_equal(mappings[2].key.device, mappings[3].key.device);
	assert_int_equal(mappings[4].key.device, UINT64_C(0xfd) << 32 | 2);
	fake_root_done(&fake);
}

static int flags_of(const struct tierd_mapping *mapping)
{
	return mapping->is_writable * W | mapping->is_shared * S | mapping->is_file * F;
}

static void test_mappings(_unused_ void **state)
{
	struct fake_root fake;

	fake_root_init(&fake);
	for (size_t i = 0; i < ARRAY_SIZE(maps_cases); i++) {
		_cleanup_(freep) struct tierd_mapping *mappings = NULL;
		size_t n = 77;

		fake_root_write(&fake, "/proc/7/maps", maps_cases[i].text);
		assert_int_equal(
			tierd_process_read_mappings(&fake.root, 7, &mappings, &n), 0);
		if (n != maps_cases[i].n_expected)
			fail_msg("case %zu: %zu mappings", i, n);
		for (size_t k = 0; k < n; k++) {
			const struct expected_mapping *e = &maps_cases[i].expected[k];

			if (mappings[k].start != e->start || mappings[k].end != e->end ||
				flags_of(&mappings[k]) != e->flags)
				fail_msg("case %zu, mapping %zu", i, k);
		}
	}
	fake_root_done(&fake);
}

static void test_bad_mappings(_unused_ void **state)
{
	static const char *const texts[] = {
		"\n",
		"garbage\n",
		"1000\n",
		"1000-\n",
		"1000-2000\n",
		"1000-2000 rw-p\n",
		"1000-2000 rw-p 0\n",
		"1000-2000 rw-p 00000000 00:00\n",
		"1000-2000 rw-p 00000000 00:00 \n",
		"1000-2000 rw-x 00000000 00:00 0 \n",
		"1000-2000 rw-px 0 00:00 0 \n",
		"-2000 rw-p 00000000 00:00 0 \n",
		"2000-1000 rw-p 00000000 00:00 0 \n",
		"1000-1000 rw-p 00000000 00:00 0 \n",
		"11112222333344445-2000 rw-p 00000000 00:00 0 \n",
		"0x1000-0x2000 rw-p 00000000 00:00 0 \n",
		"1000-2000 rw-p 00000000 00:00 0 \n1800-2800 rw-p 00000000 00:00 0 \n",
	};
	struct fake_root fake;

	fake_root_init(&fake);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct tierd_mapping *mappings = NULL;
		size_t n = 77;
		int r;

		fake_root_write(&fake, "/proc/7/maps", texts[i]);
		r = tierd_process_read_mappings(&fake.root, 7, &mappings, &n);
		if (r != -EBADMSG || mappings || n != 77)
			fail_msg("case %zu: %d", i, r);
	}
	fake_root_remove(&fake, "/proc/7/maps");
	{
		struct tierd_mapping *mappings = NULL;
		size_t n = 77;

		assert_int_equal(
			tierd_process_read_mappings(&fake.root, 7, &mappings, &n),
			-ESRCH);
	}
	fake_root_done(&fake);
}

static void test_too_many_mappings(_unused_ void **state)
{
	_cleanup_(freep) struct tierd_mapping *mappings = NULL;
	_cleanup_(freep) char *text = NULL;
	struct fake_root fake;
	size_t n, size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	for (uint64_t i = 1; i <= TIERD_MAPPINGS_MAX + 1; i++)
		fprintf(stream, "%jx-%jx rw-p 00000000 00:00 0 \n", (uintmax_t)i << 13,
			(uintmax_t)(i << 13) + 4096);
	assert_int_equal(fclose(stream), 0);
	fake_root_init(&fake);
	fake_root_write(&fake, "/proc/7/maps", text);
	assert_int_equal(tierd_process_read_mappings(&fake.root, 7, &mappings, &n), 1);
	assert_int_equal(n, TIERD_MAPPINGS_MAX);
	assert_int_equal(mappings[n - 1].start, (uint64_t)TIERD_MAPPINGS_MAX << 13);
	fake_root_done(&fake);
}

static const struct tierd_mapping *find_mapping(
	const struct tierd_mapping *mappings, size_t n, const void *address)
{
	for (size_t i = 0; i < n; i++)
		if ((uintptr_t)address >= mappings[i].start &&
			(uintptr_t)address < mappings[i].end)
			return &mappings[i];
	return NULL;
}

static void test_self(_unused_ void **state)
{
	_cleanup_(freep) struct tierd_mapping *mappings = NULL;
	const size_t size = 1 << 20;
	const struct tierd_mapping *mapping;
	struct tierd_process first, second;
	struct tierd_root root;
	char *shared, *reserved;
	size_t n;

	shared = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	reserved = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED && reserved != MAP_FAILED);
	assert_int_equal(tierd_root_open("/", &root), 0);
	assert_int_equal(tierd_process_read(&root, getpid(), &first), 0);
	assert_int_equal(tierd_process_read(&root, getpid(), &second), 0);
	assert_true(first.start_ticks > 0);
	assert_int_equal(first.start_ticks, second.start_ticks);
	assert_false(first.is_kernel_thread);
	assert_int_equal(tierd_process_read_mappings(&root, getpid(), &mappings, &n), 0);
	mapping = find_mapping(mappings, n, shared);
	assert_non_null(mapping);
	assert_true(mapping->is_shared && mapping->is_writable && mapping->is_file);
	mapping = find_mapping(mappings, n, &n);
	assert_non_null(mapping);
	assert_true(!mapping->is_shared && mapping->is_writable && !mapping->is_file);
	assert_null(find_mapping(mappings, n, reserved));
	munmap(shared, size);
	munmap(reserved, size);
	tierd_root_close(&root);
}

static void *thread_reads_itself(void *userdata)
{
	struct tierd_process process;

	*(int *)userdata = tierd_process_read(
		&(struct tierd_root){ AT_FDCWD }, (pid_t)syscall(SYS_gettid), &process);
	return NULL;
}

/* A thread's id opens a directory in /proc, too, but is no process. */
static void test_thread_is_no_process(_unused_ void **state)
{
	pthread_t thread;
	int r = 0;

	assert_int_equal(chdir("/"), 0);
	assert_int_equal(pthread_create(&thread, NULL, thread_reads_itself, &r), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(r, -ESRCH);
}

static void test_zombie(_unused_ void **state)
{
	_cleanup_(freep) struct tierd_mapping *mappings = NULL;
	struct tierd_process process;
	struct tierd_root root;
	siginfo_t info;
	size_t n = 77;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(tierd_root_open("/", &root), 0);
	assert_int_equal(tierd_process_read(&root, pid, &process), 0);
	assert_int_equal(tierd_process_read_mappings(&root, pid, &mappings, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(tierd_process_read(&root, pid, &process), -ESRCH);
	tierd_root_close(&root);
}

static void test_bad_pid(_unused_ void **state)
{
	struct tierd_root root = { -EBADF };
	struct tierd_process process;

	assert_int_equal(tierd_process_read(&root, 0, &process), -EINVAL);
	assert_int_equal(tierd_process_read(&root, -1, &process), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_bad_stat),
		cmocka_unit_test(test_mappings),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_bad_mappings),
		cmocka_unit_test(test_too_many_mappings),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_thread_is_no_process),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_bad_pid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
