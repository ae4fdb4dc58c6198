/* SPDX-License-Identifier: BSD-3-Clause
 * What `explain` says about interfaces and bridges.  Control thread. */
#include "dataplane/explain.h"

#include <string.h>

#include "pipelines/l2/bridge.h"
#include "pipelines/l2/internal.h"
#include "pipelines/l2/l2.h"

static unsigned add(struct hd_api_explain_entry *e, unsigned room, uint16_t kind, uint32_t id,
		    uint32_t arg)
{
	if (room == 0)
		return 0;
	*e = (struct hd_api_explain_entry){ .kind = kind, .id = id, .arg = arg };
	return 1;
}

/* The interface that took the frame. */
static unsigned eth_input_explain(const struct explain_at *at, struct hd_api_explain_entry *e,
				  unsigned room)
{
	return meta(at->m)->iface != 0 ? add(e, room, HD_EXPLAIN_IFACE, meta(at->m)->iface, 0) : 0;
}

/* The bridge, where the frame came from, and what is known of its destination. */
static unsigned bridge_explain(const struct explain_at *at, struct hd_api_explain_entry *e,
			       unsigned room)
{
	struct bridge_in in;
	unsigned n;

	memcpy(&in, at->in->pipe, sizeof(in));
	n = add(e, room, HD_EXPLAIN_BRIDGE, in.bridge_id, 0);
	if (in.member_id != 0)
		n += add(e + n, room - n, HD_EXPLAIN_MEMBER, in.member_id, HD_EXPLAIN_MEMBER_FROM);
	if (at->head_len < 14 || bridge_get(in.bridge_id) == NULL)
		return n;
	const struct bridge_mac *mac =
		(at->head[0] & 1) == 0 && (in.flags & BRIDGE_IN_FLOOD) == 0 ?
			bridge_mac_find(bridge_mac_key(in.bridge_id, at->head)) :
			NULL;
	if (mac != NULL && mac->member != 0)
		return n +
		       add(e + n, room - n, HD_EXPLAIN_MEMBER, mac->member,
			   mac->is_static ? HD_EXPLAIN_MEMBER_STATIC : HD_EXPLAIN_MEMBER_LEARNED);
	return n + add(e + n, room - n, HD_EXPLAIN_MEMBER, 0, HD_EXPLAIN_MEMBER_ALL);
}

int l2_explain_init(void)
{
	int rc = explain_register("eth-input", eth_input_explain);

	return rc < 0 ? rc : explain_register("l2-bridge", bridge_explain);
}
