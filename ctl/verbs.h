/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs. Each lives in a file of its own, takes its arguments without the verb's
 * name, prints what it finds as text or JSON, and returns an enum tierctl_exit.
 */
#ifndef TIERCTL_VERBS_H
#define TIERCTL_VERBS_H

struct tierctl;

struct tierctl_verb {
	const char *name;
	const char *arguments; /* as the help shows them */
	int min;
	int max;
	const char *help;
	int (*run)(struct tierctl *ctl, int argc, char **argv);
};

int tierctl_verb_status(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_list(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_show(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_residency(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_hist(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_counters(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_set_quota(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_reload(struct tierctl *ctl, int argc, char **argv);

#endif
