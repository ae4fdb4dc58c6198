/* SPDX-License-Identifier: BSD-3-Clause
 * Graph nodes: a list of verdicts, one burst loop.
 *
 * A node is declared from one list of verdicts; verdict n is edge n of the node:
 *
 *   #define IP6_INPUT_VERDICTS(V, P)                                                             \
 *	V(P, FORWARD, "port-tx", INFO, "forwarded (RFC 8200 3)")                                  \
 *	V(P, HOP_LIMIT, "icmp-error", WARN, "hop limit exceeded (RFC 4443 3.3)")                  \
 *	V(P, TRUNCATED, "drop", ERROR, "shorter than an IPv6 header (RFC 8200 3): look at the sender")
 *   NODE_VERDICTS(ip6_input, IP6_INPUT, IP6_INPUT_VERDICTS)      enum ip6_input_verdict { IP6_INPUT_FORWARD, ... }
 *   NODE_REGISTER(ip6_input, "ip6-input", IP6_INPUT, IP6_INPUT_VERDICTS, ip6_input_process)
 *
 * From it come the enum, the edges, the counters ("verdict/ip6-input" in the statistics segment), `heddle show drops`
 * and the manual.  A verdict that leads to "drop" or "icmp-error" is a drop reason. */
#ifndef DATAPLANE_NODE_H
#define DATAPLANE_NODE_H

#include <rte_branch_prediction.h>
#include <rte_graph.h>
#include <rte_graph_worker.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "dataplane/meta.h"
#include "dataplane/worker.h"
#include "heddle/stats.h"

struct node_verdict {
	const char *name; /* as in the source, "HOP_LIMIT"; shown as "hop-limit" */
	const char *next;
	enum hd_severity severity;
	const char *help;
};

struct node_desc {
	const char *name;
	const struct node_verdict *verdicts;
	unsigned n_verdicts;
	int vec;       /* statistics vector, filled at start */
	rte_node_t id; /* of rte_graph, filled at start */
	uint32_t row;  /* in vector "node", filled at start */
	struct node_desc *next;
};

/* One node of one worker; node->ctx holds the pointer. */
struct node_slot {
	uint64_t *count; /* this worker's verdict counters */
	struct worker *worker;
	const struct node_desc *desc;
	uint64_t elsewhere; /* packets whose work here another node did in one go (express) */
	uint64_t drop_edges; /* bit n: verdict n leads to drop or icmp-error: its name is kept in the metadata */
	uint16_t vec;
	uint32_t row;
};

void node_desc_register(struct node_desc *d);
int nodes_stats_init(void); /* one verdict vector per node; before the workers are made */
void nodes_creating(struct worker *w); /* whose graph is being made; NULL after */
/* rte_graph's callbacks of every node: make and free its slot. */
int node_init(const struct rte_graph *g, struct rte_node *node);
void node_fini(const struct rte_graph *g, struct rte_node *node);
struct node_desc *node_desc_first(void);
const struct node_desc *node_desc_find(const char *name);

#define NODE_VERDICT_ENUM_(P, NAME, next, sev, help) P##_##NAME,
#define NODE_VERDICT_ROW_(P, NAME, next, sev, help)  { #NAME, next, HD_SEV_##sev, help },
#define NODE_VERDICT_NEXT_(P, NAME, next, sev, help) next,

#define NODE_VERDICTS(ident, P, LIST) \
	enum ident##_verdict{ LIST(NODE_VERDICT_ENUM_, P) P##_N_VERDICTS };

#define NODE_REGISTER_FLAGS(ident, node_name, P, LIST, fn, node_flags)                            \
	static const struct node_verdict ident##_verdict_rows[] = { LIST(NODE_VERDICT_ROW_, P) }; \
	static_assert(sizeof(ident##_verdict_rows) / sizeof(ident##_verdict_rows[0]) <= 64,       \
		      "drop_edges");                                                              \
	static struct node_desc ident##_desc = { .name = (node_name),                             \
						 .verdicts = ident##_verdict_rows,                \
						 .n_verdicts = P##_N_VERDICTS };                  \
	static struct rte_node_register ident##_node = { .name = (node_name),                     \
							 .flags = (node_flags),                   \
							 .process = (fn),                         \
							 .init = node_init,                       \
							 .fini = node_fini,                       \
							 .nb_edges = P##_N_VERDICTS,              \
							 .next_nodes = {                          \
								 LIST(NODE_VERDICT_NEXT_, P) } }; \
	static void __attribute__((constructor)) ident##_ctor(void)                               \
	{                                                                                         \
		node_desc_register(&ident##_desc);                                                \
		ident##_desc.id = __rte_node_register(&ident##_node);                             \
	}
#define NODE_REGISTER(ident, node_name, P, LIST, fn) \
	NODE_REGISTER_FLAGS(ident, node_name, P, LIST, fn, 0)

static inline struct node_slot *node_slot(const struct rte_node *node)
{
	struct node_slot *s;

	__builtin_memcpy(&s, node->ctx, sizeof(s));
	return s;
}

/* trace.c, capture.c: called only while worker.watch is set. */
void node_watch_in(struct node_slot *s, struct rte_mbuf **m, unsigned n);
void node_watch_out(struct node_slot *s, struct rte_mbuf **m, const rte_edge_t *verdict,
		    unsigned n);

#define NODE_CHUNK      64u
#define NODE_CHUNK_WIDE 128u /* node_run_unwatched(): more to do while memory is waited for */

/* Decide for up to so many packets at once: verdict[i] for m[i].  May change the packets; must not free them. */
typedef void (*node_chunk_fn)(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg);
/* Decide for one packet. */
typedef rte_edge_t (*node_one_fn)(struct rte_mbuf *m, void *arg);

static inline void node_run_flush(struct rte_graph *g, struct rte_node *node, struct node_slot *s,
				  void **objs, unsigned from, unsigned to, rte_edge_t edge)
{
	unsigned n = to - from;

	s->count[edge] += n;
	if (unlikely((s->drop_edges >> edge) & 1)) {
		for (unsigned i = from; i < to; i++) {
			struct hd_meta *mt = meta((struct rte_mbuf *)objs[i]);
			mt->verdict = edge;
			mt->verdict_vec = s->vec;
		}
	}
	rte_node_enqueue(g, node, edge, objs + from, (uint16_t)n);
}

/* The usual chunk in a few vector instructions. */
static inline bool node_all_equal(const rte_edge_t *verdict, unsigned n, rte_edge_t edge)
{
	rte_edge_t differ = 0;

	for (unsigned i = 0; i < n; i++)
		differ |= verdict[i] ^ edge;
	return differ == 0;
}

/* The one burst loop: verdicts in chunks, runs of equal verdicts enqueued together, and the whole stream moved when
 * there is a single run.  n may exceed RTE_GRAPH_BURST_SIZE where nodes merge. */
static __rte_always_inline uint16_t node_run_(struct rte_graph *g, struct rte_node *node,
					      void **objs, uint16_t n, node_chunk_fn chunk,
					      void *arg, bool may_watch)
{
	const unsigned most = may_watch ? NODE_CHUNK : NODE_CHUNK_WIDE;
	struct node_slot *s = node_slot(node);
	struct worker *w = s->worker;
	struct rte_mbuf **m = (struct rte_mbuf **)objs;
	rte_edge_t verdict[NODE_CHUNK_WIDE];
	rte_edge_t edge = 0;
	unsigned run = 0; /* start of the current run */

	w->cur_node = s->row;
	for (unsigned i = 0; i < n; i += most) {
		unsigned c = RTE_MIN(most, (unsigned)n - i);

		if (may_watch && unlikely(w->watch))
			node_watch_in(s, m + i, c);
		chunk(m + i, c, verdict, arg);
		if (may_watch && unlikely(w->watch))
			node_watch_out(s, m + i, verdict, c);
		if (i == 0)
			edge = verdict[0];
		if (likely(node_all_equal(verdict, c, edge)))
			continue;
		for (unsigned k = 0; k < c; k++) {
			if (likely(verdict[k] == edge))
				continue;
			node_run_flush(g, node, s, objs, run, i + k, edge);
			run = i + k;
			edge = verdict[k];
		}
	}
	if (likely(run == 0 && n != 0 && !((s->drop_edges >> edge) & 1) && objs == node->objs &&
		   n == node->idx)) {
		s->count[edge] += n;
		rte_node_next_stream_move(g, node, edge);
	} else if (n != 0) {
		node_run_flush(g, node, s, objs, run, n, edge);
	}
	return n;
}

static __rte_always_inline uint16_t node_run_bulk(struct rte_graph *g, struct rte_node *node,
						  void **objs, uint16_t n, node_chunk_fn chunk,
						  void *arg)
{
	return node_run_(g, node, objs, n, chunk, arg, true);
}

/* For a node whose packets have no metadata yet, so that nothing can be told about them.  Chunks are wide. */
static __rte_always_inline uint16_t node_run_unwatched(struct rte_graph *g, struct rte_node *node,
						       void **objs, uint16_t n, node_chunk_fn chunk,
						       void *arg)
{
	return node_run_(g, node, objs, n, chunk, arg, false);
}

struct node_one_arg_ {
	node_one_fn one;
	void *arg;
};
static __rte_always_inline void node_one_chunk_(struct rte_mbuf **m, unsigned n,
						rte_edge_t *verdict, void *p)
{
	const struct node_one_arg_ *a = p;

	for (unsigned i = 0; i < RTE_MIN(n, 4u); i++) {
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
		rte_prefetch0(meta(m[i]));
	}
	for (unsigned i = 0; i < n; i++) {
		if (i + 4 < n) {
			rte_prefetch0(rte_pktmbuf_mtod(m[i + 4], void *));
			rte_prefetch0(meta(m[i + 4]));
		}
		verdict[i] = a->one(m[i], a->arg);
	}
}

/* Per-packet form: `one` is inlined when it is a static inline of the caller's file. */
static __rte_always_inline uint16_t node_run(struct rte_graph *g, struct rte_node *node,
					     void **objs, uint16_t n, node_one_fn one, void *arg)
{
	struct node_one_arg_ a = { .one = one, .arg = arg };

	return node_run_bulk(g, node, objs, n, node_one_chunk_, &a);
}

/* Which worker runs this node. */
static inline struct worker *node_worker(const struct rte_node *node)
{
	return node_slot(node)->worker;
}

#endif
