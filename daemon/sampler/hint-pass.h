/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of the kernel's NUMA scanner over one process: which addresses it protected
 * and when, and how soon after that pages were touched. A page that is protected faults
 * once, at its next access, so that what tells hot from cold is how long that takes. It
 * is plain arithmetic; where the two kinds of events come from is known elsewhere.
 */
#ifndef TIERD_SAMPLER_HINT_PASS_H
#define TIERD_SAMPLER_HINT_PASS_H

#include <stddef.h>
#include <stdint.h>

/* Latencies by their logarithm, eight bins an octave of nanoseconds: all 256 of them
 * reach to 17 seconds. */
#define TIERD_HINT_BINS 256

/* Faults that come later than this are not evidence of anything. */
#define TIERD_HINT_WINDOW_NS UINT64_C(2000000000)

/* Ranges that are protected so close upon one another are of one step of the scanner. */
#define TIERD_HINT_STEP_NS UINT64_C(5000000)

/* What one pass may hold; see tierd_hint_pass_fault(). */
#define TIERD_HINT_RANGES_MAX 65536
#define TIERD_HINT_FAULTS_MAX (1 << 20)

struct tierd_hint_range {
	uint64_t start;
	uint64_t end;
	uint64_t time_ns;
	uint64_t first_block; /* blocks of the ranges before it */
};

struct tierd_hint_pass {
	struct tierd_hint_range *ranges; /* by address */
	size_t n_ranges, n_ranges_allocated;
	uint64_t *faults; /* page number and bin */
	size_t n_faults, n_faults_allocated;
	unsigned n_bins;  /* faults of these bins are kept */
	uint64_t touched; /* all faults that protection caused, late ones as well */
	uint64_t bytes;   /* protected */
	uint64_t n_steps; /* in which the scanner did so */
};

unsigned tierd_hint_bin(uint64_t latency_ns);
/* Where a bin begins. */
uint64_t tierd_hint_bin_floor(unsigned bin);

void tierd_hint_pass_init(struct tierd_hint_pass *pass);
void tierd_hint_pass_done(struct tierd_hint_pass *pass);

/*
 * The scanner goes through a process from its lowest address up. Returns 1, having
 * changed nothing, if @start is below what was protected before: this is another pass.
 * Errors: -ENOMEM, -ENOBUFS with too many ranges; then this one is not part of the pass.
 */
int tierd_hint_pass_protect(
	struct tierd_hint_pass *pass, uint64_t start, uint64_t end, uint64_t time_ns);

/*
 * A page fault of the process. Returns 1 if it was due to this pass, else 0. When there
 * are too many to remember, the pass forgets the slower half of them and takes no more
 * such: what it knows of one page it then still knows of all. Errors: -ENOMEM.
 */
int tierd_hint_pass_fault(
	struct tierd_hint_pass *pass, uint64_t address, uint64_t time_ns);

/* When the last of it was protected, 0 if nothing was. */
uint64_t tierd_hint_pass_last_ns(const struct tierd_hint_pass *pass);

static inline uint64_t tierd_hint_fault_address(uint64_t fault)
{
	return fault >> 8 << 12;
}

static inline unsigned tierd_hint_fault_bin(uint64_t fault)
{
	return fault & 0xff;
}

/*
 * Adds how soon blocks were touched: each block with a fault adds 1 in all, spread over
 * the bins of its faults. A huge page, which faults once, then counts for as much as the
 * 512 pages it stands for. Where blocks were protected in small part only, as those of
 * small mappings are, they count for that part on average. Errors: -ENOMEM, with nothing
 * added.
 */
int tierd_hint_pass_weigh(
	const struct tierd_hint_pass *pass, double weights[static TIERD_HINT_BINS]);

/*
 * How soon a touch has to come to be counted: the bins below the returned one are. Those
 * are taken that hold a quarter of the weight. With a longer window all but the coldest
 * pages would be touched in it, and be alike; with a shorter one there would be little to
 * go by.
 */
unsigned tierd_hint_cut(const double weights[static TIERD_HINT_BINS]);

#endif
