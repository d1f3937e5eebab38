/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of Heatmap's reply, which nests deeper than the others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus-call.h"
#include "bus-client.h"
#include "properties.h"

static int copy_array(
	sd_bus_message *message, char type, size_t item, void *ret_items, size_t *ret_n)
{
	const void *items;
	size_t size;
	void *copy;
	int r;

	r = sd_bus_message_read_array(message, type, &items, &size);
	if (r < 0)
		return r;
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	if (size > 0)
		memcpy(copy, items, size);
	*(void **)ret_items = copy;
	*ret_n = size / item;
	return 0;
}

static int read_regions(sd_bus_message *message, struct tierctl_touched *process)
{
	int r;

	r = sd_bus_message_enter_container(message, 'a', "au");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_at_end(message, false)) == 0) {
		struct tierctl_region *region,
			*grown = tierctl_grow(process->regions, process->n_regions,
				sizeof(*process->regions));

		if (!grown)
			return -ENOMEM;
		process->regions = grown;
		region = &process->regions[process->n_regions++];
		r = copy_array(message, 'u', sizeof(*region->samples), &region->samples,
			&region->n_samples);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_process(sd_bus_message *message, struct tierctl_heatmap *map)
{
	struct tierctl_touched *process,
		*grown = tierctl_grow(map->items, map->n_items, sizeof(*map->items));
	int r;

	if (!grown)
		return -ENOMEM;
	map->items = grown;
	process = &map->items[map->n_items++];
	r = sd_bus_message_read(message, "u", &process->pid);
	if (r < 0)
		return r;
	return read_regions(message, process);
}

static int read_heatmap(sd_bus_message *message, struct tierctl_heatmap *map)
{
	int r;

	r = sd_bus_message_read(message, "tt", &map->slot_usec, &map->region_bytes);
	if (r < 0)
		return r;
	r = copy_array(
		message, 'd', sizeof(*map->exposure), &map->exposure, &map->n_exposure);
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(message, 'a', "(uaau)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(message, 'r', "uaau")) > 0) {
		r = read_process(message, map);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

int tierctl_get_heatmap(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_heatmap *ret, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(tierctl_heatmap_done) struct tierctl_heatmap map = {};
	const struct tierctl_call c = { group->path, TIERCTL_GROUP_INTERFACE, "Heatmap" };
	int r;

	r = tierctl_call(bus, &c, &reply, error, "");
	if (r < 0)
		return r;
	r = read_heatmap(reply, &map);
	if (r < 0)
		return r;
	*ret = map;
	map = (struct tierctl_heatmap){};
	return 0;
}

void tierctl_heatmap_done(struct tierctl_heatmap *map)
{
	for (size_t i = 0; i < map->n_items; i++) {
		for (size_t j = 0; j < map->items[i].n_regions; j++)
			free(map->items[i].regions[j].samples);
		free(map->items[i].regions);
	}
	free(map->items);
	free(map->exposure);
	*map = (struct tierctl_heatmap){};
}
