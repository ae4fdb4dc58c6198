/* SPDX-License-Identifier: BSD-3-Clause
 * What would happen to one packet (include/heddle/api/debug.h, EXPLAIN): the same nodes, tables and settings decide,
 * and nothing comes of it.
 *
 * There is one more worker than those that run, with a graph of its own that nobody polls.  The control thread injects
 * the packet there as if the port had received it and walks the graph once; its counters are the hidden slice of the
 * statistics, its policers its own, and what would leave (port-tx, punt) is kept here.  The control thread is the only
 * writer of all tables, so it reads them without further ado. */
#ifndef DATAPLANE_EXPLAIN_H
#define DATAPLANE_EXPLAIN_H

#include <rte_mbuf.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/debug_api.h"
#include "dataplane/node.h"
#include "heddle/api/debug.h"

int explain_init(void); /* after workers_create(): -ENOMEM */
void explain_fini(void);

/* Run one packet and answer by send.  Returns 0, or -Exxx with reply->text filled.  Control thread. */
int explain_packet(const struct hd_api_explain *req, const uint8_t *packet, size_t len,
		   debug_send_fn send, void *arg, struct hd_api_reply *reply);

/* How a node tells which of its pipeline's tables decided: a function that is called after the node, in explain only.
 *   m, verdict  after the node;  in: metadata at entry;  head: first octets at entry, data as the node saw it
 * Writes at most room entries to e, most general first, and returns how many. */
struct explain_at {
	struct rte_mbuf *m;
	rte_edge_t verdict;
	const struct hd_meta *in;
	const uint8_t *head;
	unsigned head_len, len; /* len: of the whole packet */
};
typedef unsigned (*explain_fn)(const struct explain_at *at, struct hd_api_explain_entry *e,
			       unsigned room);
/* At init, by name of a node.  A second function for a node replaces the first.  -ENOSPC. */
int explain_register(const char *node, explain_fn fn);

/* node_watch_in(), node_watch_out() and port-tx, on the worker of this file. */
void explain_in(struct node_slot *s, struct rte_mbuf **m, unsigned n);
void explain_out(struct node_slot *s, struct rte_mbuf **m, const rte_edge_t *verdict, unsigned n);
void explain_sent(struct worker *w, struct rte_mbuf **m, unsigned n);

#endif
