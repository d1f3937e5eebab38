/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the terminal can show is found out once; the rest are pure functions from numbers
 * to text.
 */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "base/size.h"
#include "style.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_MIN     20

#define USEC_PER_SEC UINT64_C(1000000)

static unsigned terminal_columns(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t n;

	if (columns && tier_parse_u64(columns, &n) >= 0 && n >= COLUMNS_MIN &&
		n <= UINT16_MAX)
		return n;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= COLUMNS_MIN)
		return size.ws_col;
	return COLUMNS_DEFAULT;
}

static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return term && strcmp(term, "dumb") != 0;
}

void tierctl_style_init(struct tierctl_style *ret)
{
	bool terminal = isatty(STDOUT_FILENO);

	*ret = (struct tierctl_style){
		.colour = terminal && wants_colour(),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.terminal = terminal,
		.columns = terminal ? terminal_columns() : COLUMNS_DEFAULT,
	};
}

const char *tierctl_colour(const struct tierctl_style *style, enum tierctl_colour colour)
{
	static const char *const sequences[TIERCTL_COLOUR_MAX] = {
		[TIERCTL_PLAIN] = "\033[0m",
		[TIERCTL_BOLD] = "\033[1m",
		[TIERCTL_DIM] = "\033[2m",
		[TIERCTL_GOOD] = "\033[1;32m",
		[TIERCTL_WARNING] = "\033[1;33m",
		[TIERCTL_BAD] = "\033[1;31m",
		[TIERCTL_DRAM] = "\033[32m",
		[TIERCTL_SLOW] = "\033[36m",
	};

	return style->colour ? sequences[colour] : "";
}

const char *tierctl_dot(const struct tierctl_style *style)
{
	return style->utf8 ? "●" : "*";
}

const char *tierctl_format_size(uint64_t bytes, char buf[static TIERCTL_TEXT_MAX])
{
	_Static_assert(TIERCTL_TEXT_MAX >= TIER_SIZE_TEXT_MAX, "no room for a size");
	return tier_format_size(bytes, buf);
}

const char *tierctl_format_limit(uint64_t bytes, char buf[static TIERCTL_TEXT_MAX])
{
	if (bytes != UINT64_MAX)
		return tierctl_format_size(bytes, buf);
	snprintf(buf, TIERCTL_TEXT_MAX, "infinity");
	return buf;
}

const char *tierctl_format_share(double share, char buf[static TIERCTL_TEXT_MAX])
{
	if (isfinite(share))
		snprintf(buf, TIERCTL_TEXT_MAX, "%.1f%%", 100 * share);
	else
		snprintf(buf, TIERCTL_TEXT_MAX, "-");
	return buf;
}

const char *tierctl_format_rate(double per_second, char buf[static TIERCTL_TEXT_MAX])
{
	if (isfinite(per_second))
		snprintf(buf, TIERCTL_TEXT_MAX, "%.3g/s", per_second);
	else
		snprintf(buf, TIERCTL_TEXT_MAX, "-");
	return buf;
}

const char *tierctl_format_duration(uint64_t usec, char buf[static TIERCTL_TEXT_MAX])
{
	static const struct {
		const char *name;
		uint64_t sec;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
	uint64_t sec = usec / USEC_PER_SEC;
	size_t i = 0;

	if (sec < 10) {
		snprintf(buf, TIERCTL_TEXT_MAX, "%.1fs", (double)usec / USEC_PER_SEC);
		return buf;
	}
	while (sec < units[i].sec)
		i++;
	if (units[i].sec == 1)
		snprintf(buf, TIERCTL_TEXT_MAX, "%" PRIu64 "s", sec);
	else
		snprintf(buf, TIERCTL_TEXT_MAX, "%" PRIu64 "%s %" PRIu64 "%s",
			sec / units[i].sec, units[i].name,
			sec % units[i].sec / units[i + 1].sec, units[i + 1].name);
	return buf;
}

double tierctl_share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

const char *tierctl_bar(const struct tierctl_style *style, double share, unsigned cells,
	char buf[static TIERCTL_BAR_SIZE])
{
	static const char *const eighths[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉",
		"█" };
	unsigned steps = style->utf8 ? 8 : 1, filled;
	char *p = buf;

	cells = TIER_MIN(cells, (unsigned)TIERCTL_BAR_CELLS_MAX);
	share = share > 0 ? fmin(share, 1) : 0;
	filled = lround(share * cells * steps);
	if (filled == 0 && share > 0)
		filled = 1;
	for (unsigned i = 0; i < cells; i++) {
		unsigned cell = TIER_MIN(filled, steps);

		p = stpcpy(p, style->utf8 ? eighths[cell] : cell ? "#" : " ");
		filled -= cell;
	}
	*p = '\0';
	return buf;
}

int tierctl_printable(const struct tierctl_style *style, const char *text, char **ret)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	for (unsigned char *p = (unsigned char *)copy; *p; p++) {
		bool c1 = style->utf8 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

		if (*p < 0x20 || *p == 0x7f || c1 || (!style->utf8 && *p >= 0x80))
			*p = '?';
		if (c1)
			p[1] = '?';
	}
	*ret = copy;
	return 0;
}

/* Steps over one character; what is none counts as one column a byte. */
static const char *next_character(const char *text, size_t *ret_width)
{
	mbstate_t state = {};
	wchar_t c;
	size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);
	int width;

	if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
		*ret_width = 1;
		return text + 1;
	}
	width = wcwidth(c);
	*ret_width = TIER_MAX(width, 0);
	return text + n;
}

size_t tierctl_width(const char *text)
{
	size_t total = 0, width;

	while (*text) {
		text = next_character(text, &width);
		total += width;
	}
	return total;
}

int tierctl_ellipsize(
	const struct tierctl_style *style, const char *text, size_t width, char **ret)
{
	const char *ellipsis = style->utf8 ? "…" : "...";
	size_t total = tierctl_width(text), skipped, room;
	char *shortened;

	if (total <= width)
		ellipsis = "";
	room = width - TIER_MIN(tierctl_width(ellipsis), width);
	while (*ellipsis && total > room) {
		text = next_character(text, &skipped);
		total -= skipped;
	}
	if (asprintf(&shortened, "%s%s", ellipsis, text) < 0)
		return -ENOMEM;
	*ret = shortened;
	return 0;
}
