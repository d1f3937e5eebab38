/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Was any page harmed? First the tags of all words, then the sum of all counts against
 * the number of updates made. Only when the sums differ is the run replayed from its
 * seed, which takes as long as the run but names the pages that miss updates or have too
 * many.
 */
#include <errno.h>

#include "base/util.h"
#include "verify.h"

static const char *const kind_names[GUPS_FAULT_MAX] = {
	[GUPS_FAULT_ZEROED] = "zeroed",
	[GUPS_FAULT_FOREIGN] = "foreign",
	[GUPS_FAULT_COUNT] = "count",
};

const char *gups_fault_kind_to_string(enum gups_fault_kind kind)
{
	if (kind < 0 || kind >= GUPS_FAULT_MAX)
		return NULL;
	return kind_names[kind];
}

static void note_fault(struct gups_verdict *v, struct gups_fault fault)
{
	v->errors++;
	if (v->n_faults < GUPS_FAULTS_MAX)
		v->faults[v->n_faults++] = fault;
}

static void check_tags(const struct gups_table *t, struct gups_verdict *v)
{
	for (uint64_t page = 0; page < t->pages; page++) {
		struct gups_page_check check = gups_table_check_page(t, page);

		v->counted += check.counted;
		if (check.wrong_tags == 0)
			continue;
		note_fault(v, (struct gups_fault){
				      .kind = check.zero_words == GUPS_PAGE_WORDS
						      ? GUPS_FAULT_ZEROED
						      : GUPS_FAULT_FOREIGN,
				      .page = page,
				      .found = check.wrong_tags,
				      .expected = GUPS_PAGE_WORDS,
			      });
	}
}

static void replay(struct gups_stream *stream, const struct gups_history *history,
	uint64_t *updates_of_page)
{
	uint64_t done = 0, words[GUPS_STREAM_CHUNK];

	while (done < history->updates) {
		unsigned phase = done >= history->phase_after;
		uint64_t end = phase == 0
				       ? TIER_MIN(history->updates, history->phase_after)
				       : history->updates;
		size_t n = TIER_MIN(end - done, (uint64_t)GUPS_STREAM_CHUNK);

		gups_stream_next(stream, phase, n, words);
		for (size_t i = 0; i < n; i++)
			updates_of_page[words[i] / GUPS_PAGE_WORDS]++;
		done += n;
	}
}

static void compare_counts(const struct gups_table *t, const uint64_t *updates_of_page,
	struct gups_verdict *v)
{
	for (uint64_t page = 0; page < t->pages; page++) {
		struct gups_page_check check = gups_table_check_page(t, page);

		if (check.wrong_tags > 0 || check.counted == updates_of_page[page])
			continue;
		note_fault(v, (struct gups_fault){
				      .kind = GUPS_FAULT_COUNT,
				      .page = page,
				      .found = check.counted,
				      .expected = updates_of_page[page],
			      });
	}
}

static int check_counts(const struct gups_table *t, const struct gups_distribution *d,
	const struct gups_history *histories, unsigned n_threads, struct gups_verdict *v)
{
	_cleanup_(freep) uint64_t *updates_of_page = NULL;

	updates_of_page = calloc(t->pages, sizeof(*updates_of_page));
	if (!updates_of_page)
		return -ENOMEM;

	for (unsigned i = 0; i < n_threads; i++) {
		struct gups_stream stream;

		gups_stream_init(&stream, d, t->seed, i, n_threads);
		replay(&stream, &histories[i], updates_of_page);
	}
	compare_counts(t, updates_of_page, v);
	return 0;
}

int gups_verify(const struct gups_table *t, const struct gups_distribution *d,
	const struct gups_history *histories, unsigned n_threads,
	struct gups_verdict *ret)
{
	struct gups_verdict v = { .pages = t->pages };

	check_tags(t, &v);
	for (unsigned i = 0; i < n_threads; i++)
		v.made += histories[i].updates;

	if (v.counted != v.made) {
		int r = check_counts(t, d, histories, n_threads, &v);

		if (r < 0)
			return r;
	}
	*ret = v;
	return 0;
}
