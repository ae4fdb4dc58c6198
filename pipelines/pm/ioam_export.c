/* SPDX-License-Identifier: BSD-3-Clause
 * What IOAM lets out of the packet path: records for whoever reads them, and copies on their way back.
 * Both are rate-limited by their policers (RFC 9326 section 3.1.2, RFC 9322 section 4.2). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/debug_api.h"
#include "dataplane/punt.h"
#include "dataplane/result.h"
#include "dataplane/wallclock.h"
#include "dataplane/worker.h"
#include "pipelines/ip/ip.h"
#include "pipelines/pm/ioam.h"

#define EXPORT_PPS    10000u
#define LOOP_BACK_PPS 100u
#define REPLY_HOPS    64

static uint8_t export_punt, loop_punt;
static struct hd_api_ioam_record *kept; /* HD_IOAM_KEPT of them; number n is at n % HD_IOAM_KEPT */
static uint64_t next;                   /* number of the next record; the first is 1 */

/* ---- worker ---------------------------------------------------------------------------------------------------- */

void ioam_export(struct worker *w, struct rte_mbuf *m, unsigned off, enum hd_ioam_why why,
		 uint16_t ns, const struct ioam_hop *hop)
{
	/* nobody but the control thread, for a packet of its own, has written metadata yet */
	*meta(m) =
		(struct hd_meta){ .rx_tsc = w->now,
				  .port = meta(m)->port,
				  .l2_len = (uint8_t)off,
				  .icmp_type = hop->hop_limit,
				  .pipe = { (uint32_t)why << 16 | ns, hop->ingress, hop->egress } };
	punt_copy(w, m, export_punt, off + HD_IOAM_HEAD);
}

void ioam_loop_back(struct worker *w, struct rte_mbuf *m, unsigned off, unsigned end,
		    uint32_t iface)
{
	*meta(m) = (struct hd_meta){ .rx_tsc = w->now,
				     .port = meta(m)->port,
				     .l2_len = (uint8_t)off,
				     .iface = (uint16_t)iface,
				     .arg = end };
	punt_copy(w, m, loop_punt, off + end);
}

/* ---- control thread -------------------------------------------------------------------------------------------- */

static void export_rx(struct rte_mbuf *m, void *arg)
{
	struct hd_api_ioam_record *r = &kept[next % HD_IOAM_KEPT];
	const struct wallclock *clock = wallclock_get();
	const struct hd_meta *mt = meta(m);
	const struct hd_api_ioam_ns *ns = ioam_ns_get((uint16_t)mt->pipe[0]);
	unsigned len = m->data_len - mt->l2_len;

	(void)arg;
	memset(r, 0, sizeof(*r));
	r->seq = next++;
	r->time_ns = wallclock_at(clock, mt->rx_tsc);
	r->why = mt->pipe[0] >> 16;
	r->ns = mt->pipe[0] & 0xffff;
	r->ingress = mt->pipe[1];
	r->egress = mt->pipe[2];
	r->hop_limit = mt->icmp_type;
	if (ns != NULL)
		r->node_id = ns->node_id_wide != 0 ? ns->node_id_wide : ns->node_id;
	r->head = (uint16_t)RTE_MIN(len, HD_IOAM_HEAD);
	memcpy(r->data, rte_pktmbuf_mtod_offset(m, const uint8_t *, mt->l2_len), r->head);
	rte_pktmbuf_free(m);
}

/* IOAM_READ */
static int read_request(const void *body, size_t size, debug_send_fn send, void *arg,
			struct hd_api_reply *reply)
{
	uint64_t from = 0;

	(void)reply;
	memcpy(&from, body, RTE_MIN(size, sizeof(from)));
	if (from + HD_IOAM_KEPT < next)
		from = next - HD_IOAM_KEPT;
	for (from = RTE_MAX(from, 1u); from < next; from++)
		send(arg, HD_API_IOAM_READ, &kept[from % HD_IOAM_KEPT], sizeof(*kept));
	return 0;
}

/* Flags of the first trace among the hop-by-hop options of len octets at p; NULL: there is none. */
static uint8_t *trace_flags(uint8_t *p, unsigned len)
{
	struct ip6_ext_view e = { .p = p, .len = (uint16_t)len, .type = IP_NH_HOPOPTS };
	struct ip6_opt_view opt;
	struct ip6_opts opts;

	ip6_opts_init(&opts, &e);
	while (ip6_opts_next(&opts, &opt) == 1)
		if (opt.type == IOAM_OPT_MUTABLE && opt.len >= 2 + IOAM_TRACE_HDR)
			return p + opt.off + 4 + 2;
	return NULL;
}

/* The copy becomes a packet of this node to the source: cut behind its options, the flag cleared. */
static void loop_rx(struct rte_mbuf *m, void *arg)
{
	const struct iface *in = iface_get(meta(m)->iface);
	unsigned end = meta(m)->arg;
	struct ip6_fixed *h;
	struct ip6_addr own;
	uint8_t *flags;

	(void)arg;
	rte_pktmbuf_adj(m, meta(m)->l2_len);
	h = rte_pktmbuf_mtod(m, struct ip6_fixed *);
	flags = m->data_len == end ? trace_flags((uint8_t *)(h + 1), end - sizeof(*h)) : NULL;
	if (in == NULL || flags == NULL || !ip_source6(in->id, &own)) {
		rte_pktmbuf_free(m);
		return;
	}
	*flags &= (uint8_t) ~(IOAM_F_LOOPBACK >> 1);
	((struct ip6_ext_hdr *)(h + 1))->next_header = IP_NH_NONE;
	h->payload_len = be16_make((uint16_t)(end - sizeof(*h)));
	h->hop_limit = REPLY_HOPS;
	h->dst = h->src;
	h->src = own;
	*meta(m) = (struct hd_meta){ .vrf = in->vrf, .flags = META_F_LOCAL };
	inject(m, INJECT_IP6_LOOKUP);
}

int ioam_export_init(void)
{
	int rc;

	next = 1;
	kept = calloc(HD_IOAM_KEPT, sizeof(*kept));
	if (kept == NULL)
		return -ENOMEM;
	rc = punt_reason_register(
		"ioam-export", "copies for export: traces that end here, direct export (RFC 9326)",
		EXPORT_PPS, EXPORT_PPS / 10, export_rx, NULL);
	if (rc < 0)
		return rc;
	export_punt = (uint8_t)rc;
	rc = punt_reason_register("ioam-loopback", "copies sent back to the source (RFC 9322 4)",
				  LOOP_BACK_PPS, LOOP_BACK_PPS / 5, loop_rx, NULL);
	if (rc < 0)
		return rc;
	loop_punt = (uint8_t)rc;
	return debug_request_register(HD_API_IOAM_READ, read_request);
}

void ioam_export_fini(void)
{
	free(kept);
	kept = NULL;
}
