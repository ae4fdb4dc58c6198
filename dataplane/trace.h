/* SPDX-License-Identifier: BSD-3-Clause
 * Packet trace: the nodes a packet passes, with its head at each and what each decided (include/heddle/api/debug.h).
 * eth-input marks packets that the filter wants; node_watch_in() and node_watch_out() (node.h) add the steps.
 *
 * Every worker has a buffer with a slot per packet, made when a trace starts; nothing allocates on the packet path.
 * A packet's slot is written only during the walk that took the packet in: a walk ends when all its packets have left
 * the graph.  So the control thread reads exactly the slots of finished walks, and neither ever waits. */
#ifndef DATAPLANE_TRACE_H
#define DATAPLANE_TRACE_H

#include <rte_mbuf.h>

#include "dataplane/worker.h"
#include "heddle/api/debug.h"

#define TRACE_PACKETS_MAX 1024u

/* Worker, only while watch has WATCH_TRACE; data at the L3 header, the metadata filled.  Takes a slot for the packet
 * when the filter wants it and writes the step of the node that runs (eth-input, with the L2 header). */
void trace_mark(struct worker *w, struct rte_mbuf *m);

/* Does the filter want this packet?  session: meta->session.  Reads nothing outside [l3, l3 + len). */
int trace_filter_match(const struct hd_api_trace_filter *f, uint32_t iface, uint32_t session,
		       const uint8_t *l3, size_t len);

/* Control thread.  start replaces a running trace.  -EINVAL for a bad filter or number, -ENOMEM. */
int trace_start(const struct hd_api_trace_start *req);
void trace_stop(void); /* what was traced can still be read */
void trace_fini(void); /* the workers have stopped */

/* Hand every finished packet not yet read to fn, oldest first per worker; stops the trace once max_packets were read.
 * Returns how many, or -ENOENT when no trace was started. */
int trace_read(void (*fn)(const struct hd_api_trace_packet *p, void *arg), void *arg);

#endif
