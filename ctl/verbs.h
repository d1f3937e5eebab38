/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs. Each lives in a file of its own, takes its arguments without the verb's
 * name, prints what it finds as text or JSON, and returns an enum tierctl_exit.
 */
#ifndef TIERCTL_VERBS_H
#define TIERCTL_VERBS_H

#include <stdbool.h>

struct tierctl;

/* Options that are not for every verb. */
enum tierctl_takes {
	TIERCTL_TAKES_PERSIST = 1 << 0,
	TIERCTL_TAKES_REFRESH = 1 << 1,
	TIERCTL_TAKES_RECORD = 1 << 2,
};

struct tierctl_verb {
	const char *name;
	const char *arguments; /* as the help shows them */
	int min;
	int max; /* of arguments; -1: any number */
	const char *help;
	int (*run)(struct tierctl *ctl, int argc, char **argv);
	bool is_offline; /* it opens no bus, or does so itself */
	unsigned takes;  /* enum tierctl_takes */
};

int tierctl_verb_status(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_list(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_show(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_residency(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_hist(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_counters(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_curve(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_doctor(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_explain(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_record(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_heatmap(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_top(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_set_quota(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_set_enforcement(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_add(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_remove(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_pause(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_resume(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_monitor(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_cat_config(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_verify(struct tierctl *ctl, int argc, char **argv);
int tierctl_verb_reload(struct tierctl *ctl, int argc, char **argv);

#endif
