/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * initrd.c: all of the guest's initrd but for the modules: it loads what it takes to see
 * the disk, mounts it, and hands over to the program that unpacks the payload.
 *
 * It does what initramfs-tools' scripts would do, in a hundredth of the instructions, for
 * instructions are what an emulated machine is short of. The modules lie uncompressed
 * beside it, numbered in the order in which they need each other.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT_DEVICE  "/dev/vda"
#define ROOT_TRIES   500
#define ROOT_WAIT_US 10000
#define NEXT_PROGRAM "/usr/lib/tierd-vm/init"

/* The kernel panics when its first program ends, which ends the machine. */
static void fail(const char *what)
{
	fprintf(stderr, "initrd: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void mount_or_fail(const char *source, const char *target, const char *type)
{
	if (mount(source, target, type, 0, NULL) < 0)
		fail(target);
}

static void load_modules(void)
{
	char path[32];

	for (int i = 0;; i++) {
		int fd;

		snprintf(path, sizeof(path), "/modules/%02d.ko", i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			fail(path);
		close(fd);
	}
}

static void wait_for_root(void)
{
	for (int i = 0; i < ROOT_TRIES; i++) {
		if (access(ROOT_DEVICE, F_OK) == 0)
			return;
		usleep(ROOT_WAIT_US);
	}
	fail(ROOT_DEVICE);
}

static void switch_to_root(void)
{
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
		chroot(".") < 0 || chdir("/") < 0)
		fail("/root");
}

int main(int argc, char **argv)
{
	mount_or_fail("devtmpfs", "/dev", "devtmpfs");
	load_modules();
	wait_for_root();
	mount_or_fail(ROOT_DEVICE, "/root", "ext4");
	mount_or_fail("devtmpfs", "/root/dev", "devtmpfs");
	mount_or_fail("proc", "/root/proc", "proc");
	mount_or_fail("sysfs", "/root/sys", "sysfs");
	switch_to_root();
	argv[0] = NEXT_PROGRAM;
	execv(NEXT_PROGRAM, argv);
	fail(NEXT_PROGRAM);
}
