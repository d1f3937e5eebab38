/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "sampler/hint-pass.h"

#define BINS_LOG2    3
#define BLOCK_SHIFT  21
#define PAGE_SHIFT   12
#define BIN_BITS     8
#define CUT_FRACTION 0.25

/* ---- Latencies ----------------------------------------------------------------- */

/* The exponent and the three bits that follow the first. */
unsigned tierd_hint_bin(uint64_t latency_ns)
{
	unsigned log2, bin;

	if (latency_ns < 1 << BINS_LOG2)
		return (unsigned)latency_ns;
	log2 = 63 - (unsigned)__builtin_clzll(latency_ns);
	bin = ((log2 - BINS_LOG2 + 1) << BINS_LOG2) +
	      (latency_ns >> (log2 - BINS_LOG2) & ((1 << BINS_LOG2) - 1));
	return TIER_MIN(bin, (unsigned)TIERD_HINT_BINS - 1);
}

uint64_t tierd_hint_bin_floor(unsigned bin)
{
	unsigned octave = bin >> BINS_LOG2, part = bin & ((1 << BINS_LOG2) - 1);

	if (octave == 0)
		return part;
	return (uint64_t)((1 << BINS_LOG2) + part) << (octave - 1);
}

/* ---- The pass ------------------------------------------------------------------ */

void tierd_hint_pass_init(struct tierd_hint_pass *pass)
{
	*pass = (struct tierd_hint_pass){
		.n_bins = tierd_hint_bin(TIERD_HINT_WINDOW_NS),
	};
}

void tierd_hint_pass_done(struct tierd_hint_pass *pass)
{
	free(pass->ranges);
	free(pass->faults);
	*pass = (struct tierd_hint_pass){ 0 };
}

static int grow(void *array, size_t *n_allocated, size_t size)
{
	size_t n = *n_allocated ? *n_allocated * 2 : 64;
	void *grown = reallocarray(*(void **)array, n, size);

	if (!grown)
		return -ENOMEM;
	*(void **)array = grown;
	*n_allocated = n;
	return 0;
}

static uint64_t n_blocks_of(const struct tierd_hint_range *range)
{
	return ((range->end - 1) >> BLOCK_SHIFT) - (range->start >> BLOCK_SHIFT) + 1;
}

static uint64_t n_blocks(const struct tierd_hint_pass *pass)
{
	const struct tierd_hint_range *last;

	if (pass->n_ranges == 0)
		return 0;
	last = &pass->ranges[pass->n_ranges - 1];
	return last->first_block + n_blocks_of(last);
}

int tierd_hint_pass_protect(
	struct tierd_hint_pass *pass, uint64_t start, uint64_t end, uint64_t time_ns)
{
	if (pass->n_ranges > 0 && start < pass->ranges[pass->n_ranges - 1].end)
		return 1;
	if (pass->n_ranges == TIERD_HINT_RANGES_MAX)
		return -ENOBUFS;
	if (pass->n_ranges == pass->n_ranges_allocated &&
		grow(&pass->ranges, &pass->n_ranges_allocated, sizeof(*pass->ranges)) < 0)
		return -ENOMEM;
	pass->n_steps += pass->n_ranges == 0 ||
			 time_ns >= tierd_hint_pass_last_ns(pass) + TIERD_HINT_STEP_NS;
	pass->ranges[pass->n_ranges] = (struct tierd_hint_range){
		.start = start,
		.end = end,
		.time_ns = time_ns,
		.first_block = n_blocks(pass),
	};
	pass->n_ranges++;
	pass->bytes += end - start;
	return 0;
}

static const struct tierd_hint_range *find_range(
	const struct tierd_hint_pass *pass, uint64_t address)
{
	size_t from = 0, to = pass->n_ranges;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (pass->ranges[middle].end <= address)
			from = middle + 1;
		else
			to = middle;
	}
	return from < pass->n_ranges && pass->ranges[from].start <= address
		       ? &pass->ranges[from]
		       : NULL;
}

static size_t count_below(const struct tierd_hint_pass *pass, unsigned bin)
{
	size_t n = 0;

	for (size_t i = 0; i < pass->n_faults; i++)
		n += tierd_hint_fault_bin(pass->faults[i]) < bin;
	return n;
}

/* Forgets the slower half at least, by whole bins. */
static void narrow(struct tierd_hint_pass *pass)
{
	size_t kept = 0;

	while (count_below(pass, pass->n_bins) > TIERD_HINT_FAULTS_MAX / 2)
		pass->n_bins--;
	for (size_t i = 0; i < pass->n_faults; i++)
		if (tierd_hint_fault_bin(pass->faults[i]) < pass->n_bins)
			pass->faults[kept++] = pass->faults[i];
	pass->n_faults = kept;
}

int tierd_hint_pass_fault(
	struct tierd_hint_pass *pass, uint64_t address, uint64_t time_ns)
{
	const struct tierd_hint_range *range = find_range(pass, address);
	unsigned bin;

	if (!range || time_ns < range->time_ns)
		return 0;
	pass->touched++;
	bin = tierd_hint_bin(time_ns - range->time_ns);
	if (pass->n_faults == TIERD_HINT_FAULTS_MAX)
		narrow(pass);
	if (bin >= pass->n_bins)
		return 1;
	if (pass->n_faults == pass->n_faults_allocated &&
		grow(&pass->faults, &pass->n_faults_allocated, sizeof(*pass->faults)) < 0)
		return -ENOMEM;
	pass->faults[pass->n_faults++] = address >> PAGE_SHIFT << BIN_BITS | bin;
	return 1;
}

uint64_t tierd_hint_pass_last_ns(const struct tierd_hint_pass *pass)
{
	return pass->n_ranges ? pass->ranges[pass->n_ranges - 1].time_ns : 0;
}

/* ---- Evidence ------------------------------------------------------------------ */

static uint64_t block_of(const struct tierd_hint_pass *pass, uint64_t fault)
{
	uint64_t address = tierd_hint_fault_address(fault);
	const struct tierd_hint_range *range = find_range(pass, address);

	return range->first_block + (address >> BLOCK_SHIFT) -
	       (range->start >> BLOCK_SHIFT);
}

int tierd_hint_pass_weigh(
	const struct tierd_hint_pass *pass, double weights[static TIERD_HINT_BINS])
{
	_cleanup_(freep) uint32_t *counts = NULL;
	double fullness;

	if (pass->n_faults == 0)
		return 0;
	counts = calloc(n_blocks(pass), sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	for (size_t i = 0; i < pass->n_faults; i++)
		counts[block_of(pass, pass->faults[i])]++;
	fullness = (double)pass->bytes / (double)(n_blocks(pass) << BLOCK_SHIFT);
	for (size_t i = 0; i < pass->n_faults; i++)
		weights[tierd_hint_fault_bin(pass->faults[i])] +=
			fullness / counts[block_of(pass, pass->faults[i])];
	return 0;
}

unsigned tierd_hint_cut(const double weights[static TIERD_HINT_BINS])
{
	double total = 0, sum = 0;
	unsigned bin = 0;

	for (unsigned i = 0; i < TIERD_HINT_BINS; i++)
		total += weights[i];
	while (bin < TIERD_HINT_BINS - 1 && sum < CUT_FRACTION * total)
		sum += weights[bin++];
	return TIER_MAX(bin, 1u);
}
