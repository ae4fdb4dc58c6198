/* SPDX-License-Identifier: BSD-3-Clause
 * Table API requests for looking into a running data plane (include/heddle/api/debug.h), types 0xf00 and up. */
#ifndef DATAPLANE_DEBUG_API_H
#define DATAPLANE_DEBUG_API_H

#include <rte_mbuf.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/worker.h"
#include "heddle/api/api.h"
#include "heddle/api/debug.h"

int debug_init(void);  /* after workers_create() */
void debug_fini(void); /* the workers have stopped */

/* Send one message in answer to the request that is handled. */
typedef void (*debug_send_fn)(void *arg, uint16_t type, const void *body, size_t size);

/* Handle a request: answers by send, any number of times, and fills the final reply.  fd: a descriptor that came with
 * the request, or -1; taken over in every case.  Returns 0, or -Exxx with reply->error and text set. */
int debug_request(uint16_t type, const void *body, size_t size, int fd, debug_send_fn send,
		  void *arg, struct hd_api_reply *reply);

/* A pipeline's own request types, and the types whose answer only a pipeline knows (NEIGH_STATE).
 * -EEXIST, -ENOSPC. */
typedef int (*debug_handler)(const void *body, size_t size, debug_send_fn send, void *arg,
			     struct hd_api_reply *reply);
int debug_request_register(uint16_t type, debug_handler fn);

/* Worker: remember the packet as the last one of its drop reason (meta->verdict_vec, verdict).  Called by node drop,
 * which begins with its last packet, and by icmp-error for what it answers.  The first call of a walk counts. */
void drop_sample_note(struct worker *w, struct rte_mbuf *m);

/* Row in vector "node" of the node whose verdict vector this is; UINT32_MAX: of none.  Any thread. */
uint32_t node_row_of_vec(uint16_t vec);

/* Control thread: send a packet that came by the punt socket. */
void debug_inject(const struct hd_api_punt *h, const void *packet, size_t size);

#endif
