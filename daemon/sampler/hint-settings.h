/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's settings that make its NUMA scanner protect pages at a pace of ours and
 * migrate nothing: sysctls, and knobs in debugfs. All are changed by the journal.
 */
#ifndef TIERD_SAMPLER_HINT_SETTINGS_H
#define TIERD_SAMPLER_HINT_SETTINGS_H

#include "sampler/hint-pace.h"

struct tierd_journal;
struct tierd_root;

/* Whether all of them are there, and may be written. Errors as below. */
int tierd_hint_settings_probe(const struct tierd_root *root, char **ret_error);

/*
 * Takes the settings over and lets the scanner run. On failure nothing is held, and
 * *ret_error says what is missing: -ENODEV without NUMA balancing with tiers, -EACCES
 * without debugfs, -EBUSY where somebody else wants another value.
 */
int tierd_hint_settings_hold(const struct tierd_root *root, struct tierd_journal *journal,
	const struct tierd_hint_pace *pace, char **ret_error);

/* Changes the scanner's pace. Errors: see tierd_sysctl_hold(). */
int tierd_hint_settings_pace(const struct tierd_root *root, struct tierd_journal *journal,
	const struct tierd_hint_pace *pace);

/*
 * Stops the scanner as good as entirely, and holds on to the settings until the journal
 * is played back: pages that are still protected would, without the tiering mode, be
 * migrated when they are touched.
 */
void tierd_hint_settings_rest(
	const struct tierd_root *root, struct tierd_journal *journal);

#endif
