/* SPDX-License-Identifier: BSD-3-Clause
 * Explaining what would happen to a packet (explain.h).  Control thread only.
 *
 * meta->trace carries the packet's number: nodes that make packets of a packet (ip4-frag) leave it 0 in the new ones,
 * as a trace ends with its packet, so a 0 here is a packet seen for the first time. */
#include "dataplane/explain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dp_limits.h"
#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/stats.h"
#include "heddle/api/l2.h"
#include "heddle/wire/eth.h"

#define STEPS_MAX   256u /* over all packets: an ICMP error in a loop of VRFs takes about 20 */
#define PACKETS_MAX 128u /* fragments of the longest frame at the smallest MTU, twice */

struct step {
	struct hd_api_explain_step s;
	struct hd_meta in;
	bool open; /* its node has not said what it decided */
};

struct explain {
	unsigned n_steps, n_packets;
	uint16_t running; /* packet of the node that ran last */
	bool overflow;
	uint32_t row_drop, row_punt;
	uint16_t last_step[PACKETS_MAX + 1]; /* by packet, + 1; 0: none */
	struct rte_mbuf *sent[PACKETS_MAX];
	unsigned n_sent;
	uint16_t dropped[PACKETS_MAX +
			 1]; /* by packet: 1: reached drop; its octets are its last step's */
	struct step step[STEPS_MAX];
};

static struct worker *worker;
static struct explain *ex; /* == worker->explain */

#define NODES_MAX 32u
static struct {
	const char *node;
	explain_fn fn;
} registered[NODES_MAX];
static unsigned n_registered;

int explain_register(const char *node, explain_fn fn)
{
	unsigned i = 0;

	while (i < n_registered && strcmp(registered[i].node, node) != 0)
		i++;
	if (i == NODES_MAX)
		return -ENOSPC;
	registered[i].node = node;
	registered[i].fn = fn;
	n_registered = RTE_MAX(n_registered, i + 1);
	return 0;
}

/* ---- during the walk --------------------------------------------------------------------------------------- */

static struct step *last_of(uint16_t packet)
{
	return packet == 0 || packet > ex->n_packets || ex->last_step[packet] == 0 ?
		       NULL :
		       &ex->step[ex->last_step[packet] - 1];
}

/* The number of a packet; a new one when it was never seen.  0: there are too many. */
static uint16_t number_of(struct rte_mbuf *m, uint16_t from, uint16_t *made_from)
{
	struct hd_meta *mt = meta(m);

	*made_from = 0;
	if (mt->trace != 0 && mt->trace <= ex->n_packets)
		return mt->trace;
	if (ex->n_packets == PACKETS_MAX) {
		ex->overflow = true;
		return 0;
	}
	mt->trace = (uint16_t)++ex->n_packets;
	ex->last_step[mt->trace] = 0;
	ex->dropped[mt->trace] = 0;
	*made_from = from;
	return mt->trace;
}

/* A node that names its verdict in the metadata only (port-tx, those that skip node_watch_out()). */
static void verdict_from_meta(struct step *st, const struct hd_meta *mt)
{
	const struct node_desc *d = node_desc_first();

	while (d != NULL && d->row != st->s.node)
		d = d->next;
	if (d == NULL || !st->open || d->vec != mt->verdict_vec || mt->verdict >= d->n_verdicts)
		return;
	st->s.verdict = mt->verdict;
	st->s.verdict_vec = mt->verdict_vec;
	st->open = false;
}

static void step_add(const struct node_slot *s, struct rte_mbuf *m, uint16_t packet,
		     uint16_t made_from)
{
	const struct hd_meta *mt = meta(m);
	uint8_t copy[HD_EXPLAIN_HEAD];
	struct step *st;
	const void *head;

	if (ex->n_steps == STEPS_MAX) {
		ex->overflow = true;
		return;
	}
	st = &ex->step[ex->n_steps++];
	memset(st, 0, sizeof(*st));
	st->in = *mt;
	st->open = true;
	st->s.node = s->row;
	st->s.verdict = st->s.verdict_vec = 0xffff;
	st->s.packet = packet;
	st->s.made_from = made_from;
	st->s.result = mt->result;
	st->s.vrf_id = mt->vrf;
	st->s.length = (uint16_t)RTE_MIN(m->pkt_len, 0xffffu);
	st->s.offset = m->data_off;
	st->s.head_len = (uint16_t)RTE_MIN(m->pkt_len, HD_EXPLAIN_HEAD);
	head = rte_pktmbuf_read(m, 0, st->s.head_len, copy);
	if (head != NULL)
		memcpy(st->s.head, head, st->s.head_len);
	ex->last_step[packet] = (uint16_t)ex->n_steps;
}

void explain_in(struct node_slot *s, struct rte_mbuf **m, unsigned n)
{
	uint16_t from = ex->running; /* packets that come together were made together */

	for (unsigned i = 0; i < n; i++) {
		uint16_t made_from, packet = number_of(m[i], from, &made_from);
		struct step *before = last_of(packet);

		if (packet == 0)
			continue;
		if (before != NULL)
			verdict_from_meta(before, meta(m[i]));
		step_add(s, m[i], packet, made_from);
		if (s->row == ex->row_drop)
			ex->dropped[packet] = 1;
		ex->running = packet;
	}
}

static void entries_add(struct step *st, const char *node, struct rte_mbuf *m, rte_edge_t verdict)
{
	const struct explain_at at = { .m = m,
				       .verdict = verdict,
				       .in = &st->in,
				       .head = st->s.head,
				       .head_len = st->s.head_len,
				       .len = st->s.length };

	for (unsigned i = 0; i < n_registered; i++)
		if (strcmp(registered[i].node, node) == 0)
			st->s.n_entries = (uint16_t)registered[i].fn(&at, st->s.entry,
								     HD_EXPLAIN_ENTRIES_MAX);
}

void explain_out(struct node_slot *s, struct rte_mbuf **m, const rte_edge_t *verdict, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct step *st = last_of(meta(m[i])->trace);

		if (st == NULL || !st->open || st->s.node != s->row)
			continue;
		st->open = false;
		st->s.verdict = verdict[i];
		st->s.verdict_vec = s->vec;
		st->s.result = meta(m[i])->result;
		entries_add(st, s->desc->name, m[i], verdict[i]);
		ex->running = st->s.packet;
	}
}

void explain_sent(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	(void)w;
	for (unsigned i = 0; i < n; i++) {
		if (ex->n_sent == PACKETS_MAX) {
			rte_pktmbuf_free(m[i]);
			ex->overflow = true;
		} else {
			ex->sent[ex->n_sent++] = m[i];
		}
	}
}

/* ---- the request ------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int refuse(struct hd_api_reply *reply, int rc,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reply->text, sizeof(reply->text), fmt, ap);
	va_end(ap);
	return rc;
}

/* The frame in buffers as a driver fills them: chained when one is too small. */
static struct rte_mbuf *frame_alloc(const uint8_t *l2, size_t l2_len, const uint8_t *p, size_t len)
{
	struct rte_mbuf *first = packet_alloc(), *m = first;

	if (first == NULL)
		return NULL;
	if (l2_len != 0)
		memcpy(rte_pktmbuf_append(first, (uint16_t)l2_len), l2, l2_len);
	for (size_t at = 0;;) {
		size_t part = RTE_MIN((size_t)rte_pktmbuf_tailroom(m), len - at);

		memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len), p + at, part);
		m->data_len = (uint16_t)(m->data_len + part);
		first->pkt_len += (uint32_t)part;
		at += part;
		if (at == len)
			return first;
		m->next = rte_pktmbuf_alloc(packet_pool());
		m = m->next;
		if (m == NULL)
			break;
		first->nb_segs++;
	}
	rte_pktmbuf_free(first);
	return NULL;
}

/* An Ethernet header to the interface, with its tags, from a locally administered station. */
static size_t header_make(const struct hd_api_explain *req, const struct hd_api_iface *i,
			  const struct port *p, uint8_t version, uint8_t *buf, size_t size)
{
	static const struct mac_addr from = { { 0x02, 0, 0, 0, 0, 0x01 } };
	static const uint8_t none[6];
	struct eth_tag_view tag[ETH_MAX_TAGS];
	bool own = (req->flags & HD_EXPLAIN_F_TAGS) == 0;
	uint16_t outer_tpid = own ? i->outer_tpid : req->outer_tpid,
		 outer_vid = own ? i->outer_vid : req->outer_vid,
		 inner_vid = own ? i->inner_vid : req->inner_vid;
	struct mac_addr to;
	unsigned n = 0;

	memcpy(&to, memcmp(i->mac, none, 6) != 0 ? i->mac : p->mac.addr_bytes, 6);
	if (outer_tpid != 0)
		tag[n++] = (struct eth_tag_view){ .tpid = outer_tpid, .vid = outer_vid };
	if (inner_vid != 0)
		tag[n++] = (struct eth_tag_view){ .tpid = ETHTYPE_VLAN, .vid = inner_vid };
	return (size_t)eth_build(buf, size, &to, &from, tag, n,
				 version == 4 ? ETHTYPE_IP4 : ETHTYPE_IP6);
}

struct answer {
	debug_send_fn send;
	void *arg;
	uint8_t buf[sizeof(struct hd_api_explain_end) + 16384];
};

static void end_send(struct answer *a, struct hd_api_explain_end *e, const struct rte_mbuf *m,
		     const struct step *st)
{
	size_t len = 0;

	if (m != NULL) {
		uint8_t *to = a->buf + sizeof(*e);
		const void *p;

		len = RTE_MIN(m->pkt_len, sizeof(a->buf) - sizeof(*e));
		p = rte_pktmbuf_read(m, 0, (uint32_t)len, to);
		if (p != to && p != NULL)
			memcpy(to, p, len);
		e->offset = m->data_off;
		e->length = (uint16_t)len;
	} else if (st != NULL) {
		len = st->s.head_len;
		memcpy(a->buf + sizeof(*e), st->s.head, len);
		e->offset = st->s.offset;
		e->length = (uint16_t)len;
	}
	memcpy(a->buf, e, sizeof(*e));
	a->send(a->arg, HD_API_EXPLAIN_END, a->buf, sizeof(*e) + len);
}

static struct rte_mbuf *find(struct rte_mbuf **list, unsigned n, uint16_t packet)
{
	for (unsigned i = 0; i < n; i++)
		if (meta(list[i])->trace == packet)
			return list[i];
	return NULL;
}

/* Everything that is known, and the buffers given back. */
static void answer(struct answer *a)
{
	struct rte_mbuf *punted[PACKETS_MAX];
	unsigned n_punted =
		rte_ring_sc_dequeue_burst(worker->punt, (void **)punted, PACKETS_MAX, NULL);

	for (unsigned i = 0; i < ex->n_steps; i++)
		a->send(a->arg, HD_API_EXPLAIN_STEP, &ex->step[i].s, sizeof(ex->step[i].s));
	for (uint16_t p = 1; p <= ex->n_packets; p++) {
		struct hd_api_explain_end e = { .packet = p, .fate = HD_EXPLAIN_REPLACED };
		struct rte_mbuf *m = find(ex->sent, ex->n_sent, p);

		if (m != NULL) {
			e.fate = HD_EXPLAIN_SENT;
			e.iface_id = meta(m)->tx_iface;
		} else if ((m = find(punted, n_punted, p)) != NULL) {
			e.fate = HD_EXPLAIN_PUNTED;
			e.reason = meta(m)->punt;
			e.iface_id = meta(m)->iface;
			punt_explain_text(m, e.text, sizeof(e.text));
		} else if (ex->dropped[p]) {
			e.fate = HD_EXPLAIN_DROPPED;
		}
		end_send(a, &e, m, last_of(p));
	}
	rte_pktmbuf_free_bulk(ex->sent, ex->n_sent);
	rte_pktmbuf_free_bulk(punted, n_punted);
}

int explain_packet(const struct hd_api_explain *req, const uint8_t *packet, size_t len,
		   debug_send_fn send, void *arg, struct hd_api_reply *reply)
{
	const struct hd_api_iface *iface = object_find(HD_API_IFACE, &req->iface_id);
	const struct port *port = iface != NULL ? port_get(iface->port_id) : NULL;
	uint8_t l2[32];
	size_t l2_len = 0;
	struct rte_mbuf *m;
	struct answer *a;

	if (port == NULL)
		return refuse(reply, -ENOENT, "interface %u is not there, or its port is not",
			      req->iface_id);
	if (len > HD_EXPLAIN_FRAME_MAX)
		return refuse(reply, -EMSGSIZE, "the packet has more than %u octets",
			      HD_EXPLAIN_FRAME_MAX);
	if (req->flags & HD_EXPLAIN_F_L3) {
		if (len == 0 || (packet[0] >> 4 != 4 && packet[0] >> 4 != 6))
			return refuse(reply, -EINVAL, "the packet begins with no IP header");
		l2_len = header_make(req, iface, port, packet[0] >> 4, l2, sizeof(l2));
	}
	a = malloc(sizeof(*a));
	m = frame_alloc(l2, l2_len, packet, len);
	if (a == NULL || m == NULL) {
		rte_pktmbuf_free(m);
		free(a);
		return refuse(reply, -ENOMEM, "no packet buffer is free: see heddle show drops");
	}
	a->send = send;
	a->arg = arg;
	ex->n_steps = ex->n_packets = ex->n_sent = ex->running = 0;
	ex->overflow = false;
	punt_worker_refill(worker);
	meta(m)->port = (uint16_t)iface->port_id;
	meta(m)->arg = INJECT_ETH_INPUT;
	rte_ring_sp_enqueue(worker->inject, m); /* empty: it takes one */
	worker_walking = worker;
	rte_graph_walk(worker->graph);
	worker_walking = NULL;
	answer(a);
	free(a);
	return ex->overflow ? refuse(reply, -E2BIG,
				     "the packet became more packets or steps than are kept: the "
				     "first are shown") :
			      0;
}

/* ---- set-up ------------------------------------------------------------------------------------------------ */

int explain_init(void)
{
	const struct node_desc *drop = node_desc_find("drop"), *punt = node_desc_find("punt");

	worker = worker_create(stats_hidden_slice(), "explain");
	ex = calloc(1, sizeof(*ex));
	if (worker == NULL || ex == NULL) {
		explain_fini();
		return -ENOMEM;
	}
	ex->row_drop = drop != NULL ? drop->row : UINT32_MAX;
	ex->row_punt = punt != NULL ? punt->row : UINT32_MAX;
	worker->explain = ex;
	worker->watch = WATCH_EXPLAIN;
	return 0;
}

void explain_fini(void)
{
	worker_destroy(worker);
	free(ex);
	worker = NULL;
	ex = NULL;
}
