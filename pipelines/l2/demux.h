/* SPDX-License-Identifier: BSD-3-Clause
 * (port, outer tag, inner tag) -> interface id, by direct index.
 * Writer: the control thread.  Readers: workers; each answer is one 16-bit load, so it is the old or the new one.
 * Memory per port: 16 octets; with VLANs 40 KiB per outer TPID in use, and 8 KiB per outer VLAN with inner tags. */
#ifndef PIPELINES_L2_DEMUX_H
#define PIPELINES_L2_DEMUX_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/worker.h"
#include "heddle/api/l2.h"
#include "heddle/wire/eth.h"

#define DEMUX_VIDS 4096u

struct demux_inner {
	uint32_t n;                 /* ids set; writer's */
	uint16_t iface[DEMUX_VIDS]; /* by inner vid; 0: none */
};

struct demux_outer {
	uint32_t n;                            /* ids set, also in inner tables; writer's */
	uint16_t single[DEMUX_VIDS];           /* by outer vid, frames with one tag */
	struct demux_inner *inner[DEMUX_VIDS]; /* frames with two; NULL: none (RCU) */
};

struct demux {
	uint16_t untagged;
	struct demux_outer *outer[2]; /* TPID 0x8100, 0x88a8; NULL: no VLANs (RCU) */
};

extern struct demux demux[WORKER_PORTS_MAX]; /* by port id */

static inline unsigned demux_tpid(uint16_t tpid)
{
	return tpid == ETHTYPE_QINQ;
}

/* The interface of a frame with one or two tags; 0: none.  inner_vid 0: one tag. */
static inline uint16_t demux_find(const struct demux *d, uint16_t tpid, uint16_t outer_vid,
				  uint16_t inner_vid)
{
	const struct demux_outer *o =
		__atomic_load_n(&d->outer[demux_tpid(tpid)], __ATOMIC_ACQUIRE);
	const struct demux_inner *i;

	if (o == NULL)
		return 0;
	if (inner_vid == 0)
		return __atomic_load_n(&o->single[outer_vid & VLAN_VID_MASK], __ATOMIC_RELAXED);
	i = __atomic_load_n(&o->inner[outer_vid & VLAN_VID_MASK], __ATOMIC_ACQUIRE);
	return i == NULL ? 0 :
			   __atomic_load_n(&i->iface[inner_vid & VLAN_VID_MASK], __ATOMIC_RELAXED);
}

/* The interface of a frame whose first ethertype (*type) is a tag; the length of its L2 header and the ethertype behind
 * its tags.  0: none; UINT16_MAX: truncated. */
static inline uint16_t demux_tagged(const struct demux *d, const uint8_t *p, unsigned len,
				    unsigned *ret_off, uint16_t *type)
{
	uint16_t tpid = *type, inner = 0, vid;

	if (len < 18)
		return UINT16_MAX;
	vid = wire_get16(p + 14) & VLAN_VID_MASK;
	*type = wire_get16(p + 16);
	*ret_off = 18;
	if (ethtype_is_tag(*type)) {
		if (len < 22)
			return UINT16_MAX;
		if (*type != ETHTYPE_VLAN)
			return 0; /* inner tags are customer tags */
		inner = wire_get16(p + 18) & VLAN_VID_MASK;
		*type = wire_get16(p + 20);
		*ret_off = 22;
		if (inner == 0)
			return 0; /* a priority tag inside a VLAN: nothing here is configured so */
	}
	if (vid == 0) /* priority tag, IEEE 802.1Q section 9.6: as if untagged */
		return inner == 0 ? d->untagged : 0;
	return demux_find(d, tpid, vid, inner);
}

/* The same for any frame of at least 14 octets: *ret_type is its ethertype behind tags, if it has any. */
static inline uint16_t demux_frame(const struct demux *d, const uint8_t *p, unsigned len,
				   unsigned *ret_off, uint16_t *ret_type)
{
	*ret_off = 14;
	*ret_type = wire_get16(p + 12);
	return ethtype_is_tag(*ret_type) ? demux_tagged(d, p, len, ret_off, ret_type) : d->untagged;
}

/* What holds the tags of an interface now; 0: nobody. */
uint16_t demux_get(const struct hd_api_iface *tags);
/* Let the tags of an interface lead to id.  -ENOMEM, then nothing has changed. */
int demux_set(const struct hd_api_iface *tags, uint16_t id);
void demux_clear(const struct hd_api_iface *tags);

#endif
