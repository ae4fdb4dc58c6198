/* SPDX-License-Identifier: BSD-3-Clause
 * Statistics through librte_telemetry (telemetry.h).  One function turns any vector into a dictionary. */
#include "dataplane/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>
#include <rte_version.h>

#include "dataplane/dp_limits.h"
#include "dataplane/log.h"
#include "dataplane/node.h"
#include "dataplane/stats.h"
#include "heddle/stats.h"

#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define add_dict_u64 rte_tel_data_add_dict_uint
#else
#define add_dict_u64 rte_tel_data_add_dict_u64
#endif

/* An answer has at most 16 KiB and 256 entries: so many rows, then "next" says where to go on. */
#define ROWS_MAX 64u

static pthread_mutex_t lock =
	PTHREAD_MUTEX_INITIALIZER; /* answer against the end of the segment, nothing else */
static bool ready;

/* Telemetry's names have letters, digits, '_' and '/' only. */
static void name_clean(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; from[i] != '\0' && i + 1 < size; i++) {
		char c = from[i];
		bool ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			  (c >= 'a' && c <= 'z') || c == '/';
		to[i] = ok ? c : '_';
	}
	to[i] = '\0';
}

static const struct hd_stats_row *row_info(const struct hd_stats_hdr *h,
					   const struct hd_stats_vec *v, uint32_t row)
{
	return v->row_info_off == 0 ?
		       NULL :
		       (const struct hd_stats_row *)((const uint8_t *)h + v->row_info_off) + row;
}

/* Add {column: value} under name; the sum over slices, or one slice. */
static int row_add(struct rte_tel_data *d, const struct hd_stats_hdr *h,
		   const struct hd_stats_vec *v, uint32_t row, int slice, const char *name)
{
	struct rte_tel_data *r = rte_tel_data_alloc();
	char clean[64];

	if (r == NULL)
		return -ENOMEM;
	rte_tel_data_start_dict(r);
	for (uint32_t c = 0; c < v->n_cols; c++) {
		uint64_t x = slice < 0 ?
				     hd_stats_sum(h, v, row, c) :
				     __atomic_load_n(hd_stats_cell(h, v, (uint32_t)slice, row, c),
						     __ATOMIC_RELAXED);

		name_clean(clean, sizeof(clean), v->col[c]);
		add_dict_u64(r, clean, x);
	}
	name_clean(clean, sizeof(clean), name);
	int rc = rte_tel_data_add_dict_container(d, clean, r, 0);
	if (rc < 0)
		rte_tel_data_free(r);
	return rc;
}

static bool row_is_zero(const struct hd_stats_hdr *h, const struct hd_stats_vec *v, uint32_t row)
{
	for (uint32_t c = 0; c < v->n_cols; c++)
		if (hd_stats_sum(h, v, row, c) != 0)
			return false;
	return true;
}

/* Rows from start on that hold anything. */
static int vec_add(struct rte_tel_data *d, const struct hd_stats_hdr *h,
		   const struct hd_stats_vec *v, uint32_t start)
{
	uint32_t shown = 0;

	for (uint32_t row = start; row < v->n_rows; row++) {
		const struct hd_stats_row *info = row_info(h, v, row);
		char id[16];

		if (row_is_zero(h, v, row))
			continue;
		if (shown++ == ROWS_MAX)
			return add_dict_u64(d, "next", row);
		snprintf(id, sizeof(id), "%u", row);
		int rc = row_add(d, h, v, row, -1,
				 info != NULL && info->name[0] != '\0' ? info->name : id);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static const struct hd_stats_vec *vec_find(const struct hd_stats_hdr *h, const char *name)
{
	uint32_t n = __atomic_load_n(&h->n_vecs, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < n; i++)
		if (strcmp(hd_stats_vecs(h)[i].name, name) == 0)
			return &hd_stats_vecs(h)[i];
	return NULL;
}

/* ---- the commands; each runs with the segment held ------------------------------------------------------- */

typedef int (*answer_fn)(const struct hd_stats_hdr *h, const char *params, struct rte_tel_data *d);

/* params: name[,first row] */
static int answer_vector(const struct hd_stats_hdr *h, const char *params, struct rte_tel_data *d)
{
	char name[64];
	const char *comma = params == NULL ? NULL : strchr(params, ',');

	if (params == NULL)
		return -EINVAL;
	snprintf(name, sizeof(name), "%.*s", comma == NULL ? 63 : (int)(comma - params), params);
	const struct hd_stats_vec *v = vec_find(h, name);
	rte_tel_data_start_dict(d);
	if (v != NULL && v->kind == HD_STATS_DROPS)
		return -ENOTSUP; /* rows mean nothing without their keys */
	return v == NULL ?
		       -ENOENT :
		       vec_add(d, h, v, comma == NULL ? 0 : (uint32_t)strtoul(comma + 1, NULL, 10));
}

static int answer_vectors(const struct hd_stats_hdr *h, const char *params, struct rte_tel_data *d)
{
	uint32_t n = __atomic_load_n(&h->n_vecs, __ATOMIC_ACQUIRE);

	(void)params;
	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	for (uint32_t i = 0; i < n; i++)
		rte_tel_data_add_array_string(d, hd_stats_vecs(h)[i].name);
	return 0;
}

static int answer_interfaces(const struct hd_stats_hdr *h, const char *params,
			     struct rte_tel_data *d)
{
	const struct hd_stats_vec *v = vec_find(h, "interface");

	rte_tel_data_start_dict(d);
	return v == NULL ?
		       0 :
		       vec_add(d, h, v, params == NULL ? 0 : (uint32_t)strtoul(params, NULL, 10));
}

static int answer_nodes(const struct hd_stats_hdr *h, const char *params, struct rte_tel_data *d)
{
	const struct hd_stats_vec *v = vec_find(h, "node");

	(void)params;
	rte_tel_data_start_dict(d);
	return v == NULL ? 0 : vec_add(d, h, v, 0);
}

/* Every verdict that leads to drop or icmp-error and was ever given: "node/verdict": packets. */
static int answer_drops(const struct hd_stats_hdr *h, const char *params, struct rte_tel_data *d)
{
	uint32_t n = __atomic_load_n(&h->n_vecs, __ATOMIC_ACQUIRE);

	(void)params;
	rte_tel_data_start_dict(d);
	for (uint32_t i = 0; i < n; i++) {
		const struct hd_stats_vec *v = &hd_stats_vecs(h)[i];
		const char *node = strchr(v->name, '/');

		for (uint32_t row = 0; v->kind == HD_STATS_VERDICT && row < v->n_rows; row++) {
			const struct hd_stats_row *info = row_info(h, v, row);
			char name[128], clean[64];
			uint64_t x = hd_stats_sum(h, v, row, 0);

			if (x == 0 || info == NULL || node == NULL ||
			    (strcmp(info->next, "drop") != 0 &&
			     strcmp(info->next, "icmp-error") != 0))
				continue;
			snprintf(name, sizeof(name), "%s/%s", node + 1, info->name);
			name_clean(clean, sizeof(clean), name);
			if (add_dict_u64(d, clean, x) < 0)
				return 0; /* full: what fits is shown */
		}
	}
	return 0;
}

static int answer_workers(const struct hd_stats_hdr *h, const char *params, struct rte_tel_data *d)
{
	const struct hd_stats_vec *v = vec_find(h, "worker");
	char name[16];

	(void)params;
	rte_tel_data_start_dict(d);
	for (uint32_t s = 0; v != NULL && s + 1 < v->n_slices; s++) {
		snprintf(name, sizeof(name), "%u", s);
		row_add(d, h, v, 0, (int)s, name);
	}
	return 0;
}

static const struct command {
	const char *cmd, *help;
	answer_fn answer;
} commands[] = {
	{ "/heddle/interfaces", "Packets and octets by interface id. Optional parameter: first id",
	  answer_interfaces },
	{ "/heddle/drops", "Packets by drop reason", answer_drops },
	{ "/heddle/nodes", "Calls, objects and cycles by graph node", answer_nodes },
	{ "/heddle/workers", "Loops and cycles by worker", answer_workers },
	{ "/heddle/vectors", "Names of all statistics vectors", answer_vectors },
	{ "/heddle/vector", "One statistics vector. Parameters: name[,first row]", answer_vector },
};

static int handle(const char *cmd, const char *params, struct rte_tel_data *d)
{
	int rc = -ENOENT;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; ready && i < RTE_DIM(commands); i++)
		if (strcmp(cmd, commands[i].cmd) == 0)
			rc = commands[i].answer(stats_hdr(), params, d);
	pthread_mutex_unlock(&lock);
	return rc;
}

void telemetry_init(void)
{
	static bool registered; /* telemetry cannot unregister */

	for (size_t i = 0; !registered && i < RTE_DIM(commands); i++) {
		int rc = rte_telemetry_register_cmd(commands[i].cmd, handle, commands[i].help);
		if (rc < 0)
			log_warn("telemetry: %s cannot be registered (%s)", commands[i].cmd,
				 strerror(-rc));
	}
	registered = true;
	pthread_mutex_lock(&lock);
	ready = true;
	pthread_mutex_unlock(&lock);
}

void telemetry_fini(void)
{
	pthread_mutex_lock(&lock);
	ready = false;
	pthread_mutex_unlock(&lock);
}

/* ---- what rte_graph counts -------------------------------------------------------------------------------- */

static int node_vec = -1;

#define NODE_COLS 4u

int graph_stats_init(void)
{
	static const char *const cols[] = { "calls", "objects", "cycles", "elsewhere", NULL };
	struct hd_stats_row *rows;
	uint32_t n = 0;

	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next)
		n = RTE_MAX(n, d->row + 1);
	rows = calloc(n, sizeof(*rows));
	if (rows == NULL)
		return -ENOMEM;
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next)
		snprintf(rows[d->row].name, sizeof(rows[d->row].name), "%s", d->name);
	node_vec = stats_vec_add("node", HD_STATS_NODE, n, cols, rows);
	free(rows);
	return node_vec < 0 ? node_vec : 0;
}

/* The cells of this vector have one writer too: the control thread, in every slice. */
void graph_stats_update(void)
{
	for (unsigned i = 0; node_vec >= 0 && i < dp_limits.workers && workers[i] != NULL; i++) {
		uint64_t *cell = stats_slice(node_vec, i);
		const struct rte_node *node;
		rte_graph_off_t off;
		rte_node_t count;

		rte_graph_foreach_node(count, off, workers[i]->graph, node)
		{
			const struct node_slot *s = node_slot(node);
			uint64_t *c = cell + (size_t)s->row * NODE_COLS;
			uint64_t elsewhere = __atomic_load_n(&s->elsewhere, __ATOMIC_RELAXED);

			__atomic_store_n(&c[0], node->total_calls, __ATOMIC_RELAXED);
			__atomic_store_n(&c[1], node->total_objs + elsewhere, __ATOMIC_RELAXED);
			__atomic_store_n(&c[2], node->total_cycles, __ATOMIC_RELAXED);
			__atomic_store_n(&c[3], elsewhere, __ATOMIC_RELAXED);
		}
	}
}
