/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a dictionary of properties into a struct by a table. Properties the table does
 * not know are skipped, so that an old tierctl understands a newer tierd; those that are
 * missing leave their fields as they are.
 */
#ifndef TIERCTL_PROPERTIES_H
#define TIERCTL_PROPERTIES_H

#include <stddef.h>
#include <systemd/sd-bus.h>

struct tierctl_property {
	const char *name;
	const char *signature;
	int (*read)(sd_bus_message *message, void *field);
	size_t offset;
};

/* Reads an a{sv}. Errors: those of sd_bus_message_read(), -ENOMEM. */
int tierctl_read_properties(sd_bus_message *message,
	const struct tierctl_property *properties, size_t n_properties, void *target);

/* For the table; a string is copied, and replaces what was there. */
int tierctl_read_string(sd_bus_message *message, void *field);
int tierctl_read_bool(sd_bus_message *message, void *field);
int tierctl_read_u32(sd_bus_message *message, void *field);
int tierctl_read_u64(sd_bus_message *message, void *field);
int tierctl_read_double(sd_bus_message *message, void *field);

/*
 * Makes room in an array of n items of size bytes for one more, which is zeroed. Returns
 * the array in its new place; NULL, and the array as it was, when memory is out.
 */
void *tierctl_grow(void *items, size_t n, size_t size);

#endif
