/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engine tpp, a reference: Al Maruf et al., "TPP: Transparent Page Placement for
 * CXL-Enabled Tiered-Memory" (ASPLOS 2023), and what of it is in Linux.
 *
 * Of TPP: a page below is promoted on its second hint fault, if the first is not long
 * past; one fault is one attempt. Reclaim keeps a share of the fast tier free by demoting
 * the pages that were longest not touched: it starts at a low watermark and goes on up to
 * a higher one. A promotion that would leave less than the high watermark free fails, and
 * brings no demotion about: a full fast tier stays as it is. Memory under the program's
 * own NUMA policy may be skipped, as by kernels that protect no pages there (config's
 * tpp_skips_policy): such a page gets no hint fault, though reclaim sees its age.
 *
 * Simplified: samples stand for hint faults, though a sampler sees a page more often, or
 * less, than one fault in a pass of the scanner. TPP takes a page's being on the active
 * list at its second fault for the first one's not being long past; here it is a window,
 * by default the longest a scanner's pass of a task's memory takes in Linux
 * (numa_balancing's scan_period_max_ms, 60 s): faults in two passes running. Linux's
 * hot_threshold_ms (1 s) is another thing, the time from a page's protection to its
 * fault, which samples do not show. Ages too are what samples show, in powers of two,
 * where reclaim has accessed bits and two lists; a page that went and came back at the
 * same address keeps its age. The low watermark, 2 % of what the group may use, is TPP's
 * default for where demotion starts; how far it goes is not in the paper, and 3 % a
 * guess.
 *
 * Not kept, of what plans of engine rank promise: promotions are planned without room;
 * pages may move back at once; no gain is asked for. The quota holds as long as
 * promotions wait for room. Only tier 0 has a boundary here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/books.h"
#include "core/draft.h"

#define LOW_PERCENT  2
#define HIGH_PERCENT 3

/* Times are kept in steps of 2^24 ns, 17 ms: 32 bits last for two years. */
#define STEP_SHIFT 24

/* By the logarithm of steps since the last touch; the last is of pages never touched. */
#define AGES      34
#define AGE_NEVER (AGES - 1)

struct book {
	bool huge;                          /* then the first page stands for all */
	struct tier_mask candidates;        /* touched twice, and not tried since */
	uint32_t touched[TIER_BLOCK_PAGES]; /* steps; 0: never */
};

struct tpp {
	struct tier_books books;
	uint32_t promotion_cursor; /* a block */
	bool is_cut_short;         /* the last plan's promotions, by its budget */
};

struct turn {
	struct tier_draft draft;
	struct tpp *tpp;
	uint32_t now;
	uint64_t ages[AGES]; /* fast pages */
};

static void turn_done(struct turn *turn)
{
	tier_draft_done(&turn->draft);
}

static uint32_t steps(uint64_t time_ns)
{
	return (time_ns >> STEP_SHIFT) + 1;
}

static uint64_t percent(uint64_t pages, unsigned n)
{
	return pages / 100 * n + pages % 100 * n / 100;
}

/* What was one page and is many, or the other way about, was touched when it last was. */
static struct book *open_book(struct tpp *tpp, const struct tier_block *block)
{
	struct book *book = tier_books_at(&tpp->books, block->index);
	uint32_t last = book->touched[0];

	if (book->huge == block->huge)
		return book;
	for (unsigned page = 1; page < TIER_BLOCK_PAGES && block->huge; page++)
		last = TIER_MAX(last, book->touched[page]);
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		book->touched[page] = last;
	book->candidates = (struct tier_mask){ 0 };
	book->huge = block->huge;
	return book;
}

/* ---- Touching ------------------------------------------------------------------ */

static bool is_blind(const struct tier_group *group, const struct tier_block *block)
{
	return group->config.tpp_skips_policy && block->has_policy;
}

static void sampled(struct tier_group *group, struct tier_block *block, unsigned page,
	uint64_t time_ns)
{
	struct tpp *tpp = group->engine_state;
	struct book *book = open_book(tpp, block);
	uint32_t now = steps(time_ns), before;

	page = block->huge ? 0 : page;
	before = book->touched[page];
	book->touched[page] = TIER_MAX(now, before);
	if (before == 0 || is_blind(group, block) || tier_block_tier(block, page) == 0)
		return;
	if (now <= before || now - before <= group->config.tpp_window_ns >> STEP_SHIFT)
		book->candidates.words[page / 64] |= UINT64_C(1) << page % 64;
}

/* ---- Promotion ----------------------------------------------------------------- */

/* Candidates still there, and still slow. A huge page's one bit stands for all. */
static struct tier_mask candidates_of(
	const struct tier_block *block, const struct book *book)
{
	struct tier_mask slow = tier_mask_of_slow(block);

	if (!block->huge)
		return tier_mask_and(slow, book->candidates);
	return book->candidates.words[0] & 1 ? slow : (struct tier_mask){ 0 };
}

static uint64_t count_candidates(const struct turn *turn)
{
	const struct tier_blockmap *map = &turn->draft.group->map;
	uint64_t pages = 0;

	for (uint32_t i = 0; i < tier_blockmap_end(map); i++) {
		const struct tier_block *block = tier_blockmap_at(map, i);

		if (block->in_use)
			pages += tier_mask_pages(
				candidates_of(block, open_book(turn->tpp, block)));
	}
	return pages;
}

/* What was tried is a candidate no more, until it is touched again. */
static void promote_from(struct turn *turn, const struct tier_block *block)
{
	struct book *book = open_book(turn->tpp, block);
	struct tier_mask listed = candidates_of(block, book), tried;

	tried = tier_draft_scan(
		&turn->draft, TIER_PROMOTE, block, listed, (struct tier_mask){ 0 });
	book->candidates = tier_mask_and_not(book->candidates, tried);
}

static void promote(struct turn *turn)
{
	const struct tier_blockmap *map = &turn->draft.group->map;
	uint32_t end = tier_blockmap_end(map), *cursor = &turn->tpp->promotion_cursor;

	for (uint32_t n = 0; n < end && tier_draft_wanted(&turn->draft, TIER_PROMOTE) > 0;
		n++) {
		const struct tier_block *block;

		if (*cursor >= end)
			*cursor = 0;
		block = tier_blockmap_at(map, (*cursor)++);
		if (block->in_use)
			promote_from(turn, block);
	}
}

/* ---- Demotion ------------------------------------------------------------------ */

static unsigned age_of(const struct turn *turn, uint32_t touched)
{
	if (touched == 0)
		return AGE_NEVER;
	if (touched >= turn->now)
		return 0;
	return 32 - __builtin_clz(turn->now - touched);
}

static void count_ages(
	struct turn *turn, const struct tier_block *block, const struct book *book)
{
	struct tier_mask fast = tier_mask_of_fast(block);

	if (block->huge) {
		turn->ages[age_of(turn, book->touched[0])] += tier_mask_pages(fast);
		return;
	}
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		for (uint64_t rest = fast.words[i]; rest; rest &= rest - 1) {
			unsigned page = i * 64 + __builtin_ctzll(rest);

			turn->ages[age_of(turn, book->touched[page])]++;
		}
}

/* Fast pages of ages from @from to @to. */
static struct tier_mask pages_aged(const struct turn *turn,
	const struct tier_block *block, const struct book *book, unsigned from,
	unsigned to)
{
	struct tier_mask fast = tier_mask_of_fast(block), aged = { 0 };

	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		for (uint64_t rest = fast.words[i]; rest; rest &= rest - 1) {
			unsigned bit = __builtin_ctzll(rest);
			unsigned page = block->huge ? 0 : i * 64 + bit;
			unsigned age = age_of(turn, book->touched[page]);

			if (age >= from && age <= to)
				aged.words[i] |= UINT64_C(1) << bit;
		}
	return aged;
}

static void demote_aged(struct turn *turn, unsigned from, unsigned to)
{
	const struct tier_blockmap *map = &turn->draft.group->map;
	uint32_t end = tier_blockmap_end(map);

	for (uint32_t i = 0; i < end && tier_draft_wanted(&turn->draft, TIER_DEMOTE) > 0;
		i++) {
		const struct tier_block *block = tier_blockmap_at(map, i);

		if (block->in_use)
			tier_draft_scan(&turn->draft, TIER_DEMOTE, block,
				pages_aged(turn, block, open_book(turn->tpp, block), from,
					to),
				(struct tier_mask){ 0 });
	}
}

/* All that is older than the age at which there are enough, then some of that age. */
static void demote(struct turn *turn)
{
	const struct tier_blockmap *map = &turn->draft.group->map;
	uint64_t target = turn->draft.lists[TIER_DEMOTE].target, older = 0;
	unsigned age = AGE_NEVER;

	if (target == 0)
		return;
	for (uint32_t i = 0; i < tier_blockmap_end(map); i++) {
		const struct tier_block *block = tier_blockmap_at(map, i);

		if (block->in_use)
			count_ages(turn, block, open_book(turn->tpp, block));
	}
	while (age > 0 && older + turn->ages[age] < target)
		older += turn->ages[age--];
	if (older > 0)
		demote_aged(turn, age + 1, AGE_NEVER);
	demote_aged(turn, age, age);
}

/* ---- The engine ---------------------------------------------------------------- */

static int decide(struct turn *turn)
{
	struct tier_draft *draft = &turn->draft;
	uint64_t low = percent(draft->capacity, LOW_PERCENT);
	uint64_t high = percent(draft->capacity, HIGH_PERCENT), up;
	int r;

	draft->owed = draft->over + draft->limits->owed_pages;
	if (draft->owed == 0 && draft->free > high)
		draft->room = draft->free - high;
	if (draft->free < low)
		draft->owed += high - draft->free;
	r = tier_draft_want(draft, TIER_DEMOTE, draft->owed);
	if (r < 0)
		return r;
	up = count_candidates(turn);
	r = tier_draft_want(draft, TIER_PROMOTE, up);
	if (r < 0)
		return r;
	turn->tpp->is_cut_short = draft->lists[TIER_PROMOTE].target < up;
	return 0;
}

static int plan(struct tier_group *group, const struct tier_limits *limits,
	struct tier_plan **ret)
{
	_cleanup_(turn_done) struct turn turn = {
		.tpp = group->engine_state,
		.now = steps(limits->now_ns),
	};
	int r;

	tier_draft_init(&turn.draft, group, limits);
	r = decide(&turn);
	if (r < 0)
		return r;
	demote(&turn);
	promote(&turn);
	return tier_draft_finish(&turn.draft, ret);
}

/* A candidate waits for its attempt; one attempt later it is like any other that was
 * touched, until it is touched again. Demotion takes the oldest, and only at the
 * watermark. */
static void explain(const struct tier_group *group, const struct tier_block *block,
	unsigned page, struct tier_explanation *ret)
{
	const struct tpp *tpp = group->engine_state;
	const struct book *book = tier_books_at(&tpp->books, block->index);
	unsigned first = block->huge ? 0 : page;
	bool is_touched = book->touched[first] != 0;

	ret->heat_class = is_touched ? TIER_CLASS_WARM : TIER_CLASS_COLD;
	if (tier_block_tier(block, page) == 0)
		ret->why = is_touched ? TIER_WHY_WARM : TIER_WHY_SPARE;
	else if (is_blind(group, block))
		ret->why = TIER_WHY_POLICY;
	else if (book->candidates.words[first / 64] >> first % 64 & 1) {
		ret->heat_class = TIER_CLASS_HOT;
		ret->why = tpp->is_cut_short ? TIER_WHY_BUDGET : TIER_WHY_DUE;
	} else
		ret->why = is_touched ? TIER_WHY_WARM : TIER_WHY_COLD;
}

static int init(struct tier_group *group)
{
	struct tpp *tpp = calloc(1, sizeof(*tpp));

	if (!tpp)
		return -ENOMEM;
	tpp->books.book_bytes = sizeof(struct book);
	group->engine_state = tpp;
	return 0;
}

static void done(struct tier_group *group)
{
	struct tpp *tpp = group->engine_state;

	tier_books_done(&tpp->books);
	free(tpp);
}

static int added(struct tier_group *group, struct tier_block *block)
{
	struct tpp *tpp = group->engine_state;

	return tier_books_open(&tpp->books, block->index);
}

static void removed(struct tier_group *group, struct tier_block *block)
{
	struct tpp *tpp = group->engine_state;

	tier_books_close(&tpp->books, block->index);
}

static size_t bytes(const struct tier_group *group)
{
	const struct tpp *tpp = group->engine_state;

	return sizeof(*tpp) + tier_books_bytes(&tpp->books);
}

const struct tier_engine_ops tier_engine_tpp = {
	.init = init,
	.done = done,
	.added = added,
	.removed = removed,
	.sampled = sampled,
	.bytes = bytes,
	.plan = plan,
	.explain = explain,
};
