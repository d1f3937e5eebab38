/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of files and cgroups are bytes, strings on the bus are UTF-8: sent as they are,
 * one odd name, which any user with a delegated cgroup can make up, would spoil every
 * list it is in.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus-internal.h"

/* The length of the well-formed UTF-8 character at text, or 0 (RFC 3629). */
static size_t character_length(const unsigned char *text)
{
	static const struct {
		unsigned char first, last, second_first, second_last;
		size_t length;
	} forms[] = {
		{ 0x01, 0x7f, 0x00, 0xff, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (text[0] < forms[i].first || text[0] > forms[i].last ||
			text[1] < forms[i].second_first || text[1] > forms[i].second_last)
			continue;
		for (size_t j = 2; j < forms[i].length; j++)
			if (text[j] < 0x80 || text[j] > 0xbf)
				return 0;
		return forms[i].length;
	}
	return 0;
}

int tierd_bus_escape(const char *text, char **ret)
{
	const unsigned char *from = (const unsigned char *)text;
	char *escaped, *to;

	escaped = to = malloc(4 * strlen(text) + 1);
	if (!escaped)
		return -ENOMEM;
	while (*from) {
		size_t n = character_length(from);

		if (n > 0)
			to = mempcpy(to, from, n);
		else
			to += sprintf(to, "\\x%02x", *from);
		from += n > 0 ? n : 1;
	}
	*to = '\0';
	*ret = escaped;
	return 0;
}

int tierd_bus_append_text(sd_bus_message *message, const char *text)
{
	_cleanup_(freep) char *escaped = NULL;
	int r;

	r = tierd_bus_escape(text, &escaped);
	if (r < 0)
		return r;
	return sd_bus_message_append(message, "s", escaped);
}
