/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documentation/admin-guide/mm/transhuge.rst: the choice in force stands in brackets.
 * From Linux 6.8 on each size has a choice of its own, which may be to inherit the common
 * one.
 */
#include "huge-pages.h"

#include <string.h>

#define THP_DIR "/sys/kernel/mm/transparent_hugepage"

/* What cannot be read has nothing chosen. */
static bool is_chosen(const struct tierd_root *root, const char *path, const char *choice)
{
	_cleanup_(freep) char *line = NULL;

	return tierd_root_read_line(root, path, &line) >= 0 && strstr(line, choice);
}

bool tierd_huge_pages_are_wanted(const struct tierd_root *root)
{
	static const char own[] = THP_DIR "/hugepages-2048kB/enabled";
	static const char common[] = THP_DIR "/enabled";

	if (is_chosen(root, own, "[madvise]") || is_chosen(root, own, "[never]"))
		return false;
	return is_chosen(root, own, "[always]") || is_chosen(root, common, "[always]");
}
