/* SPDX-License-Identifier: BSD-3-Clause
 * Registry of graph nodes, and the slot that ties a node of a worker's graph to its counters. */
#include "dataplane/node.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/stats.h"

static struct node_desc *first, **last = &first;
#define NO_VEC (-1000) /* a node that only takes: no verdicts */

/* Constructors run in link order; the list keeps it. */
void node_desc_register(struct node_desc *d)
{
	d->vec = -1;
	*last = d;
	last = &d->next;
}

struct node_desc *node_desc_first(void)
{
	return first;
}

const struct node_desc *node_desc_find(const char *name)
{
	for (const struct node_desc *d = first; d != NULL; d = d->next)
		if (strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

/* HOP_LIMIT is shown as hop-limit. */
static void verdict_name(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; from[i] != '\0' && i + 1 < size; i++)
		to[i] = from[i] == '_' ? '-' : (char)tolower((unsigned char)from[i]);
	to[i] = '\0';
}

int nodes_stats_init(void)
{
	static const char *const cols[] = { "packets", NULL };
	uint32_t row = 0;

	for (struct node_desc *d = first; d != NULL; d = d->next, row++) {
		struct hd_stats_row *rows = calloc(d->n_verdicts + 1, sizeof(*rows));
		char name[48];

		if (rows == NULL)
			return -ENOMEM;
		for (unsigned i = 0; i < d->n_verdicts; i++) {
			verdict_name(rows[i].name, sizeof(rows[i].name), d->verdicts[i].name);
			snprintf(rows[i].next, sizeof(rows[i].next), "%s", d->verdicts[i].next);
			rows[i].severity = d->verdicts[i].severity;
			snprintf(rows[i].text, sizeof(rows[i].text), "%s", d->verdicts[i].help);
		}
		snprintf(name, sizeof(name), "verdict/%s", d->name);
		d->row = row;
		d->vec = d->n_verdicts == 0 ?
				 NO_VEC :
				 stats_vec_add(name, HD_STATS_VERDICT, d->n_verdicts, cols, rows);
		free(rows);
		if (d->vec < 0 && d->vec != NO_VEC)
			return d->vec;
	}
	return 0;
}

static struct worker *creating;

void nodes_creating(struct worker *w)
{
	creating = w;
}

int node_init(const struct rte_graph *g, struct rte_node *node)
{
	const struct node_desc *d = node_desc_find(node->name);
	struct node_slot *s;

	(void)g;
	if (d == NULL || creating == NULL)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->desc = d;
	s->worker = creating;
	s->vec = (uint16_t)d->vec;
	s->row = d->row;
	if (d->vec != NO_VEC)
		s->count = stats_slice(d->vec, creating->id);
	for (unsigned i = 0; i < d->n_verdicts; i++)
		if (strcmp(d->verdicts[i].next, "drop") == 0 ||
		    strcmp(d->verdicts[i].next, "icmp-error") == 0)
			s->drop_edges |= 1ull << i;
	memcpy(node->ctx, &s, sizeof(s));
	return 0;
}

void node_fini(const struct rte_graph *g, struct rte_node *node)
{
	(void)g;
	free(node_slot(node));
	memset(node->ctx, 0, sizeof(node->ctx));
}
