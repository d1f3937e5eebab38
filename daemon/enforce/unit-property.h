/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How systemd is told an attribute's value, and what it leaves on disk for it. A property
 * set with runtime=true becomes a drop-in that outlives whoever set it and overrides what
 * the unit's owner writes later; there is no call to take it back, so letting go means
 * setting what was there before and removing the file, after which the next
 * daemon-reload, which an edit needs anyway, finds the owner's words only.
 */
#ifndef TIERD_ENFORCE_UNIT_PROPERTY_H
#define TIERD_ENFORCE_UNIT_PROPERTY_H

#include <systemd/sd-bus.h>

#include "enforce/held.h"
#include "settings/root.h"

/*
 * A call of SetUnitProperties(unit, runtime=true) with one property. The value is as the
 * kernel's file has it: bytes or "max", or a list of nodes. Errors: -EINVAL.
 */
int tierd_unit_property_message(sd_bus *bus, const char *unit,
	enum tierd_attribute attribute, const char *value, sd_bus_message **ret);

/*
 * Removes the drop-in of held's unit and attribute if what it says is ours, or what was
 * there before. Returns 1 if a file was removed, 0 if there is none of ours.
 */
int tierd_unit_drop_in_remove(
	const struct tierd_root *root, const struct tierd_held *held);

/* Whether there is a drop-in that says what we set: 1 or 0. */
int tierd_unit_drop_in_is_ours(
	const struct tierd_root *root, const struct tierd_held *held);

#endif
