/* SPDX-License-Identifier: BSD-3-Clause
 * O-flag of the SRH (RFC 9259 section 2.1.1).  The last HD_SRV6_OAM_KEEP copies wait here until somebody reads them. */
#include "pipelines/srv6/oam.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/debug_api.h"
#include "dataplane/punt.h"
#include "dataplane/wallclock.h"
#include "dataplane/worker.h"
#include "heddle/api/srv6.h"

static uint8_t oam_punt;
static struct hd_api_srv6_oam
	*kept; /* HD_SRV6_OAM_KEEP of them; next % HD_SRV6_OAM_KEEP is the oldest */
static uint64_t next;

void srv6_oam_copy(struct worker *w, struct rte_mbuf *m, const struct srv6_pkt *p)
{
	struct srv6_pkt q = { .ip = p->ip, .head = p->head, .len = p->len };

	/* the walk of the behavior may have ended elsewhere: "when an SRH is processed" is about the first one */
	if (srv6_walk_to_srh(&q) != SRV6_EP_FORWARD || q.srh_off == 0 ||
	    (q.ip[q.srh_off + SRH_OFF_FLAGS] & SRH_FLAG_O) == 0)
		return;
	punt_copy(w, m, oam_punt, HD_SRV6_OAM_HEAD);
}

static void oam_rx(struct rte_mbuf *m, void *arg)
{
	struct hd_api_srv6_oam *o = &kept[next % HD_SRV6_OAM_KEEP];
	const struct wallclock *clock = wallclock_get();
	const struct hd_meta *mt = meta(m);

	(void)arg;
	memset(o, 0, sizeof(*o));
	o->seq = ++next;
	o->time_ns = clock != NULL ? wallclock_at(clock, mt->rx_tsc) : 0;
	o->iface_id = mt->iface;
	o->sid_id = mt->object;
	o->captured = (uint16_t)m->data_len;
	memcpy(o->data, rte_pktmbuf_mtod(m, const void *), m->data_len);
	o->length = m->data_len >= 40 ? 40u + wire_get16(o->data + IP6_OFF_PAYLOAD_LEN) : 0;
	rte_pktmbuf_free(m);
}

/* SRV6_OAM_STATE: the copies, oldest first. */
static int oam_state(const void *body, size_t size, debug_send_fn send, void *arg,
		     struct hd_api_reply *reply)
{
	uint64_t from = next > HD_SRV6_OAM_KEEP ? next - HD_SRV6_OAM_KEEP : 0;

	(void)body;
	(void)size;
	(void)reply;
	for (; from < next; from++)
		send(arg, HD_API_SRV6_OAM_STATE, &kept[from % HD_SRV6_OAM_KEEP], sizeof(*kept));
	return 0;
}

int srv6_oam_init(void)
{
	int rc;

	next = 0;
	kept = calloc(HD_SRV6_OAM_KEEP, sizeof(*kept));
	if (kept == NULL)
		return -ENOMEM;
	rc = punt_reason_register("srv6-oam", "copies of packets with the O-flag (RFC 9259 2.1)",
				  100, 20, oam_rx, NULL);
	if (rc < 0)
		return rc;
	oam_punt = (uint8_t)rc;
	return debug_request_register(HD_API_SRV6_OAM_STATE, oam_state);
}

void srv6_oam_fini(void)
{
	free(kept);
	kept = NULL;
}
