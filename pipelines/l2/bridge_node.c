/* SPDX-License-Identifier: BSD-3-Clause
 * Node l2-bridge: a frame to the members of its bridge domain that shall have it.
 * In: bridge.h.  Out: to port-tx as it is on the wire, or to srv6-encap-l2 with meta->result.
 * A flooded frame goes to the last member itself, to the others as copies: each gets headers of its own in front.
 * Copies come from the packet pool; when that is empty the member goes without and it is counted (NO_BUFFER).
 * Nothing here locks, logs or makes a system call.
 * Spec: IEEE 802.1Q section 8 for what a bridge does; RFC 8986 4.11, 4.12 for frames from SRv6. */
#include "dataplane/node.h"
#include "dataplane/punt.h"
#include "dataplane/result.h"
#include "pipelines/l2/bridge.h"
#include "pipelines/l2/frame.h"

#define BRIDGE_VERDICTS(V, P)                                                                           \
	V(P, PORT, "port-tx", INFO, "out of a member interface")                                        \
	V(P, POLICY, "srv6-encap-l2", INFO, "to a remote member over its SR policy")                    \
	V(P, BRIDGE_GONE, "drop", INFO,                                                                 \
	  "the bridge domain has just been deleted: nothing is wrong if that is over")                  \
	V(P, RUNT, "drop", ERROR,                                                                       \
	  "frame shorter than an Ethernet header (IEEE 802.3 3.1): look at the device that sends it")   \
	V(P, RESERVED, "drop", INFO,                                                                    \
	  "link-local group address, which no bridge forwards (IEEE 802.1Q 8.6.3): nothing is wrong")   \
	V(P, SAME_MEMBER, "drop", INFO,                                                                 \
	  "the destination is where the frame came from (IEEE 802.1Q 8.6.1): nothing is wrong")         \
	V(P, SPLIT_HORIZON, "drop", INFO,                                                               \
	  "source and destination are in one split horizon group or Ethernet segment (RFC 8986 4.12): " \
	  "see split-horizon-group")                                                                    \
	V(P, UNKNOWN_UNICAST, "drop", INFO,                                                             \
	  "destination not learned, and flooding is off: unknown-unicast flood, or a static-mac")       \
	V(P, NO_MEMBER, "drop", INFO,                                                                   \
	  "no other member to flood the frame to (IEEE 802.1Q 8.6.1): add one to the bridge")           \
	V(P, MEMBER_GONE, "drop", INFO,                                                                 \
	  "the member has just been deleted: nothing is wrong if that is over")                         \
	V(P, MEMBER_DOWN, "drop", WARN,                                                                 \
	  "the member's interface is down: see heddle show interfaces")                                 \
	V(P, TOO_BIG, "drop", WARN,                                                                     \
	  "frame longer than the member's MTU (IEEE 802.1Q 6.5.8): "                                    \
	  "raise that, or lower the sender's")                                                          \
	V(P, NO_HEADROOM, "drop", ERROR,                                                                \
	  "no room in the packet buffer for tags: raise --mbuf-room")                                   \
	V(P, NO_BUFFER, "drop", ERROR, "no packet buffer for a copy: raise --mbufs")
NODE_VERDICTS(l2_bridge, BRIDGE, BRIDGE_VERDICTS)

struct bridge_run {
	struct rte_graph *graph;
	struct rte_node *node;
	struct node_slot *slot;
	struct worker *w;
	struct iface_count *count;
};

static const struct bridge_member *member_by_id(const struct bridge *b, uint16_t id)
{
	for (unsigned i = 0; i < b->n; i++)
		if (b->member[i].member_id == id)
			return &b->member[i];
	return NULL;
}

/* Where the frame came from, as far as it decides where it may go. */
struct from {
	uint16_t member_id, segment;
	uint8_t group;
};

static inline bool may_have(const struct from *f, const struct bridge_member *to)
{
	return (f->group == 0 || f->group != to->group) &&
	       (f->segment == 0 || f->segment != to->segment);
}

static rte_edge_t deliver(struct bridge_run *r, struct rte_mbuf *m, const struct bridge_member *to)
{
	const struct iface *i;

	if (to->word != 0) {
		meta(m)->result = to->word;
		meta(m)->flow_hash = 0;
		return BRIDGE_POLICY;
	}
	i = iface_get(to->iface);
	if (i == NULL)
		return BRIDGE_MEMBER_GONE;
	if (!frame_push(m, i))
		return BRIDGE_NO_HEADROOM;
	switch (frame_out(m, i, r->count)) {
	case FRAME_OK:
		return BRIDGE_PORT;
	case FRAME_TOO_BIG:
		return BRIDGE_TOO_BIG;
	default:
		return BRIDGE_MEMBER_DOWN;
	}
}

static void send_copy(struct bridge_run *r, const struct rte_mbuf *m,
		      const struct bridge_member *to)
{
	struct rte_mbuf *c = rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX);
	void *obj = c;

	if (c == NULL) {
		r->slot->count[BRIDGE_NO_BUFFER]++;
		return;
	}
	*meta(c) = *meta((struct rte_mbuf *)(uintptr_t)m);
	meta(c)->trace = 0;
	node_run_flush(r->graph, r->node, r->slot, &obj, 0, 1, deliver(r, c, to));
}

static rte_edge_t flood(struct bridge_run *r, struct rte_mbuf *m, const struct bridge *b,
			const struct from *f)
{
	const struct bridge_member *last = NULL;

	for (unsigned i = 0; i < b->n; i++) {
		const struct bridge_member *to = &b->member[i];

		if (to->member_id == f->member_id || !may_have(f, to))
			continue;
		if (last != NULL)
			send_copy(r, m, last);
		last = to;
	}
	return last != NULL ? deliver(r, m, last) : BRIDGE_NO_MEMBER;
}

static inline void learn(struct bridge_run *r, const struct bridge *b, const uint8_t *frame,
			 uint16_t member)
{
	uint64_t key = bridge_mac_key(b->bridge_id, frame + 6);
	struct bridge_mac *e;

	if ((frame[6] & 1) != 0 || (key & 0xffffffffffffull) == 0) /* no station's address */
		return;
	e = bridge_mac_find(key);
	if (unlikely(e == NULL || (e->member != member && !e->is_static)))
		bridge_mac_tell(r->w->id, key, member);
	else if (e->member == member && e->seen == 0)
		e->seen = 1;
}

/* 01-80-c2-00-00-0x: spanning tree, pause, LACP and their like (IEEE 802.1Q table 8-1). */
static inline bool reserved(const uint8_t *dst)
{
	return wire_get32(dst) == 0x0180c200 && dst[4] == 0 && (dst[5] & 0xf0) == 0;
}

static inline rte_edge_t bridge_one(struct rte_mbuf *m, void *arg)
{
	struct bridge_run *r = arg;
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct bridge_member *from, *to;
	const struct bridge_mac *e;
	const struct bridge *b;
	struct bridge_in in;
	struct from f;

	memcpy(&in, meta(m)->pipe, sizeof(in));
	b = bridge_get(in.bridge_id);
	if (unlikely(b == NULL))
		return BRIDGE_BRIDGE_GONE;
	meta(m)->object = b->bridge_id;
	if (unlikely(m->data_len < 14))
		return BRIDGE_RUNT;
	if (unlikely(reserved(frame)))
		return BRIDGE_RESERVED;
	from = in.member_id != 0 ? member_by_id(b, in.member_id) : NULL;
	f = (struct from){
		.member_id = in.member_id,
		.segment = in.segment != 0 ? in.segment :
			   from != NULL    ? from->segment :
					     0,
		.group = from != NULL                     ? from->group :
			 (in.flags & BRIDGE_IN_CORE) != 0 ? HD_BRIDGE_GROUP_CORE :
							    0,
	};
	if ((b->flags & HD_BRIDGE_F_NO_LEARN) == 0 && from != NULL)
		learn(r, b, frame, in.member_id);
	if ((frame[0] & 1) != 0 || (in.flags & BRIDGE_IN_FLOOD) != 0)
		return flood(r, m, b, &f);
	e = bridge_mac_find(bridge_mac_key(b->bridge_id, frame));
	to = e != NULL ? member_by_id(b, e->member) : NULL;
	if (unlikely(to == NULL))
		return (b->flags & HD_BRIDGE_F_NO_FLOOD) != 0 ? BRIDGE_UNKNOWN_UNICAST :
								flood(r, m, b, &f);
	if (unlikely(to->member_id == f.member_id))
		return BRIDGE_SAME_MEMBER;
	return likely(may_have(&f, to)) ? deliver(r, m, to) : BRIDGE_SPLIT_HORIZON;
}

static uint16_t l2_bridge_process(struct rte_graph *g, struct rte_node *node, void **objs,
				  uint16_t n)
{
	struct node_slot *s = node_slot(node);
	struct bridge_run r = { .graph = g,
				.node = node,
				.slot = s,
				.w = s->worker,
				.count = iface_counts[s->worker->id] };

	return node_run(g, node, objs, n, bridge_one, &r);
}
NODE_REGISTER(l2_bridge, "l2-bridge", BRIDGE, BRIDGE_VERDICTS, l2_bridge_process)
