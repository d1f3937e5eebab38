/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of tierd.conf's keys and a parser for each kind of value. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/size.h"
#include "settings/config.h"
#include "settings/errtext.h"
#include "settings/node-list.h"

#define NS_PER_SEC      UINT64_C(1000000000)
#define TICK_MIN_NS     (NS_PER_SEC / 20)
#define TICK_MAX_NS     (NS_PER_SEC * 10)
#define TICK_DEFAULT_NS (NS_PER_SEC / 4)

#define INTERVAL_MIN_NS     NS_PER_SEC
#define INTERVAL_MAX_NS     (NS_PER_SEC * 3600)
#define INTERVAL_DEFAULT_NS (NS_PER_SEC * 5)

#define SAMPLES_PER_SECOND_LIMIT 10000000
#define HEADROOM_DEFAULT_PPM     20000

#define OVERHEAD_DEFAULT_PPM 50000

#define CAP_MIN_PPM 1000
#define CAP_VALUES  "per cent of one CPU from 0.1% to 100% as in \"5%\", or infinity"

static const char *const source_names[TIERD_SOURCE_MAX] = {
	[TIERD_SOURCE_AUTO] = "auto",
	[TIERD_SOURCE_PMU] = "pmu",
	[TIERD_SOURCE_HINT] = "hint",
	[TIERD_SOURCE_DAMON] = "damon",
	[TIERD_SOURCE_REPLAY] = "replay",
};

static const char *const kernel_tiering_names[TIERD_KERNEL_TIERING_MAX] = {
	[TIERD_KERNEL_TIERING_OFF] = "off",
	[TIERD_KERNEL_TIERING_KEEP] = "keep",
};

static int parse_kernel_tiering(const char *value, void *field)
{
	enum tierd_kernel_tiering *tiering = field;

	for (int i = 0; i < TIERD_KERNEL_TIERING_MAX; i++)
		if (!strcmp(value, kernel_tiering_names[i])) {
			*tiering = i;
			return 0;
		}
	return -EINVAL;
}

static int parse_source(const char *value, void *field)
{
	enum tierd_source *source = field;

	for (int i = 0; i < TIERD_SOURCE_MAX; i++)
		if (!strcmp(value, source_names[i])) {
			*source = i;
			return 0;
		}
	return -EINVAL;
}

/* "pmu", or "pmu/…/" with terms and modifiers, or a name. Returns its length, 0 if it is
 * none of these. */
static size_t event_length(const char *text)
{
	static const char name_chars[] =
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	static const char term_chars[] =
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.=,";
	static const char modifier_chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t name = strspn(text, name_chars), terms;

	if (name == 0 || text[name] != '/')
		return name;
	terms = name + 1 + strspn(text + name + 1, term_chars);
	if (text[terms] != '/')
		return 0;
	return terms + 1 + strspn(text + terms + 1, modifier_chars);
}

/* Which of them exist is the sampler's to find out. */
static int parse_events(const char *value, void *field)
{
	for (const char *p = value; *p; p += strspn(p, " ")) {
		size_t length = event_length(p);

		if (length == 0 || (p[length] && p[length] != ' '))
			return -EINVAL;
		p += length;
	}
	strncpy(field, value, TIERD_INI_VALUE_SIZE);
	return 0;
}

static int parse_samples(const char *value, void *field)
{
	uint64_t samples;
	int r;

	r = tier_parse_u64(value, &samples);
	if (r < 0)
		return r;
	if (samples == 0 || samples > SAMPLES_PER_SECOND_LIMIT)
		return -ERANGE;
	*(uint64_t *)field = samples;
	return 0;
}

/* A share of one CPU, in parts per million. */
static int parse_cap(const char *value, void *field)
{
	struct tierd_amount amount;
	int r;

	r = tierd_amount_parse(value, &amount);
	if (r < 0)
		return r;
	if (amount.kind == TIERD_AMOUNT_BYTES)
		return -EINVAL;
	if (amount.kind == TIERD_AMOUNT_SHARE && amount.value < CAP_MIN_PPM)
		return -ERANGE;
	*(uint64_t *)field =
		amount.kind == TIERD_AMOUNT_SHARE ? amount.value : TIERD_SHARE_INFINITY;
	return 0;
}

static int parse_tiers(const char *value, void *field)
{
	uint64_t masks[TIERD_TIERS_MAX];
	unsigned n;
	int r;

	r = tierd_tiers_parse(value, masks, &n);
	if (r < 0)
		return r;
	strncpy(field, value, TIERD_INI_VALUE_SIZE);
	return 0;
}

static int parse_switch(const char *value, void *field)
{
	bool *is_on = field;

	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return -EINVAL;
	*is_on = !strcmp(value, "yes");
	return 0;
}

static int parse_seconds(const char *value, uint64_t min_ns, uint64_t max_ns, void *field)
{
	uint64_t ns;
	int r;

	r = tier_parse_scaled(value, NS_PER_SEC, &ns);
	if (r < 0)
		return r;
	if (ns < min_ns || ns > max_ns)
		return -ERANGE;
	*(uint64_t *)field = ns;
	return 0;
}

static int parse_tick(const char *value, void *field)
{
	return parse_seconds(value, TICK_MIN_NS, TICK_MAX_NS, field);
}

static int parse_interval(const char *value, void *field)
{
	return parse_seconds(value, INTERVAL_MIN_NS, INTERVAL_MAX_NS, field);
}

/* Of something in a directory; nothing is wrong with nothing. */
static int parse_path(const char *value, void *field)
{
	size_t length = strlen(value);

	if (length > 0 && (value[0] != '/' || value[length - 1] == '/'))
		return -EINVAL;
	strncpy(field, value, TIERD_INI_VALUE_SIZE);
	return 0;
}

#define FIELD(member) offsetof(struct tierd_config, member)

static const struct tierd_ini_key keys[] = {
	{ "Sampling", "Source", parse_source, FIELD(source),
		"auto, pmu, hint, damon or replay" },
	{ "Sampling", "Event", parse_events, FIELD(event),
		"a PMU as in \"ibs_op\", an event as in \"cpu/mem-loads,ldlat=30/P\", "
		"several of these with spaces between, or nothing" },
	{ "Sampling", "Replay", parse_path, FIELD(replay),
		"an absolute path as in \"/var/tmp/tierd.trace\", or nothing" },
	{ "Sampling", "SamplesPerSecondMax", parse_samples, FIELD(samples_per_second_max),
		"a number from 1 to 10000000" },
	{ "Sampling", "SamplesPerSecondSettled", parse_samples,
		FIELD(samples_per_second_settled), "a number from 1 to 10000000" },
	{ "Sampling", "CPUMax", parse_cap, FIELD(cpu_max_ppm), CAP_VALUES },
	{ "Sampling", "OverheadMax", parse_cap, FIELD(overhead_max_ppm), CAP_VALUES },
	{ "Tiers", "Tiers", parse_tiers, FIELD(tiers),
		"lists of nodes, the fastest tier first, as in \"0;1,2\", or nothing" },
	{ "Migration", "BandwidthMax", tierd_bandwidth_parse_field,
		FIELD(bandwidth_max_bytes),
		"bytes per second above 0 as in \"400M\" (K, M, G or T), or infinity" },
	{ "Migration", "Headroom", tierd_amount_parse_finite_field, FIELD(headroom),
		"bytes as in \"512M\" (K, M, G or T), or a share of DRAM as in \"2%\"" },
	{ "Migration", "CollapseHugePages", parse_switch, FIELD(collapse), "yes or no" },
	{ "Migration", "KernelTiering", parse_kernel_tiering, FIELD(kernel_tiering),
		"off or keep" },
	{ "Daemon", "TickSec", parse_tick, FIELD(tick_ns),
		"seconds from 0.05 to 10 as in \"0.25\"" },
	{ "Metrics", "File", parse_path, FIELD(metrics_file),
		"an absolute path as in \"/run/tierd/tierd.prom\", or nothing" },
	{ "Metrics", "IntervalSec", parse_interval, FIELD(metrics_interval_ns),
		"seconds from 1 to 3600" },
	{ "Metrics", "Socket", parse_path, FIELD(metrics_socket),
		"an absolute path as in \"/run/tierd/metrics.sock\", or nothing" },
};

void tierd_config_defaults(struct tierd_config *ret)
{
	*ret = (struct tierd_config){
		.source = TIERD_SOURCE_AUTO,
		.samples_per_second_max = 20000,
		.samples_per_second_settled = 500,
		.cpu_max_ppm = TIERD_SHARE_INFINITY,
		.overhead_max_ppm = OVERHEAD_DEFAULT_PPM,
		.bandwidth_max_bytes = TIERD_BYTES_INFINITY,
		.headroom = { TIERD_AMOUNT_SHARE, HEADROOM_DEFAULT_PPM },
		.collapse = true,
		.tick_ns = TICK_DEFAULT_NS,
		.metrics_interval_ns = INTERVAL_DEFAULT_NS,
	};
}

int tierd_config_load(const struct tierd_root *root, const char *path,
	struct tierd_config *ret, char **ret_error)
{
	_cleanup_(freep) char *text = NULL;
	const char *name = path ? path : TIERD_CONFIG_PATH;
	struct tierd_config config;
	size_t size;
	int r;

	tierd_config_defaults(&config);
	r = tierd_root_read_file(root, name, TIERD_CONFIG_FILE_MAX_BYTES, &text, &size);
	if (r == -ENOENT && !path) {
		*ret = config;
		return 0;
	}
	if (r == -EFBIG)
		return tierd_error(ret_error, r, "%s: the file is larger than %d bytes",
			name, TIERD_CONFIG_FILE_MAX_BYTES);
	if (r < 0)
		return tierd_error(ret_error, r, "%s: %s", name, strerror(-r));
	r = tierd_ini_parse(name, text, size, keys, ARRAY_SIZE(keys), &config, ret_error);
	if (r < 0)
		return r;
	config.samples_per_second_settled = TIER_MIN(
		config.samples_per_second_settled, config.samples_per_second_max);
	*ret = config;
	return 0;
}

const char *tierd_source_to_string(enum tierd_source source)
{
	if (source < 0 || source >= TIERD_SOURCE_MAX)
		return NULL;
	return source_names[source];
}
