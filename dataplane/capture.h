/* SPDX-License-Identifier: BSD-3-Clause
 * Packet capture on the running graph, written as pcapng (draft-ietf-opsawg-pcapng).
 *
 * Workers copy what the filter wants into a bounded ring each; the control thread drains the rings into the file, and
 * what found its ring full is counted as missed.  The blocks are written here and not by librte_pcapng: that library
 * knows only Ethernet devices as interfaces and (in DPDK 22.11) no comment per packet, while this captures IP packets
 * inside the graph and says with each why it was dropped. */
#ifndef DATAPLANE_CAPTURE_H
#define DATAPLANE_CAPTURE_H

#include "dataplane/node.h"
#include "heddle/api/debug.h"

/* Worker, from node_watch_in() while watch has WATCH_CAPTURE. */
void capture_in(struct node_slot *s, struct rte_mbuf **m, unsigned n);

/* Control thread.  Takes over fd, a writable regular file or memfd, in every case.  *ret_id: as in the event.
 * Returns 0 or, with text (of size octets) filled: -EBUSY, -ENOENT, -EINVAL, -EBADF, -ENOMEM. */
int capture_start(const struct hd_api_capture_start *req, int fd, uint32_t *ret_id, char *text,
		  size_t size);

/* Ask the capture to end: what the workers hold is still written, then HD_EVENT_CAPTURE_DONE is sent.
 * -ENOENT when none runs. */
int capture_stop(void);

/* Control loop: write what the workers have copied; ends the capture when it is complete. */
void capture_poll(void);

/* Process end: write what is there and close, with the workers stopped. */
void capture_fini(void);

#endif
