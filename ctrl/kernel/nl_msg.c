/* SPDX-License-Identifier: BSD-3-Clause
 * Attribute lengths are checked here one by one: libmnl's iteration keeps inside the message, its getters trust the
 * payload. */
#include "ctrl/kernel/nl_msg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/lwtunnel.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <linux/seg6.h>
#include <linux/seg6_iptunnel.h>
#include <linux/seg6_local.h>
#include <string.h>
#include <sys/socket.h>

static unsigned addr_size(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static bool get_octets(const struct nlattr *a, void *to, unsigned size)
{
	if (mnl_attr_get_payload_len(a) < size)
		return false;
	memcpy(to, mnl_attr_get_payload(a), size);
	return true;
}

static bool get_u32(const struct nlattr *a, uint32_t *to)
{
	return get_octets(a, to, sizeof(*to));
}

static bool get_u16(const struct nlattr *a, uint16_t *to)
{
	return get_octets(a, to, sizeof(*to));
}

static bool get_u8(const struct nlattr *a, uint8_t *to)
{
	return get_octets(a, to, sizeof(*to));
}

/* Does the attribute that iteration stands on lie inside its parent, and the rest too? */
#define attrs_foreach(a, first, len)                                                 \
	for (const struct nlattr *a = (first);                                       \
	     mnl_attr_ok(a, (int)((const char *)(first) + (len) - (const char *)a)); \
	     a = mnl_attr_next(a))

/* --- lightweight tunnels --------------------------------------------------------------------- */

/* RFC 8754 section 2: segment n of the list is the n-th last of the journey. */
static void srh_read(const uint8_t *p, unsigned len, struct nl_seg6 *s)
{
	struct ipv6_sr_hdr h;
	unsigned n, size;

	if (len < sizeof(h))
		return;
	memcpy(&h, p, sizeof(h));
	size = (h.hdrlen + 1u) * 8u;
	n = h.first_segment + 1u;
	if (h.type != 4 || size > len || sizeof(h) + n * 16u > size || n > NL_SEGS_MAX)
		return;
	s->tlvs = size > sizeof(h) + n * 16u;
	for (unsigned i = 0; i < n; i++)
		memcpy(s->seg[i], p + sizeof(h) + (n - 1 - i) * 16u, 16);
	s->n_seg = (uint8_t)n;
}

static int seg6_read(const struct nlattr *nest, struct nl_seg6 *s)
{
	int mode;

	s->mode = -1;
	attrs_foreach(a, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest))
	{
		if (mnl_attr_get_type(a) != SEG6_IPTUNNEL_SRH)
			continue;
		if (!get_octets(a, &mode, sizeof(mode)))
			return -EBADMSG;
		s->mode = mode;
		srh_read((const uint8_t *)mnl_attr_get_payload(a) + sizeof(mode),
			 mnl_attr_get_payload_len(a) - (unsigned)sizeof(mode), s);
	}
	return 0;
}

static int flavors_read(const struct nlattr *nest, struct nl_seg6local *l)
{
	bool ok = true;

	l->lcblock = 32; /* the kernel's defaults: it leaves them out when they are these */
	l->lcnode = 16;
	attrs_foreach(a, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest))
	{
		switch (mnl_attr_get_type(a)) {
		case SEG6_LOCAL_FLV_OPERATION:
			ok &= get_u32(a, &l->flavors);
			break;
		case SEG6_LOCAL_FLV_LCBLOCK_BITS:
			ok &= get_u8(a, &l->lcblock);
			break;
		case SEG6_LOCAL_FLV_LCNODE_FN_BITS:
			ok &= get_u8(a, &l->lcnode);
			break;
		default:
			l->unknown = true;
		}
	}
	return ok ? 0 : -EBADMSG;
}

static int seg6local_read(const struct nlattr *nest, struct nl_seg6local *l)
{
	bool ok = true;

	attrs_foreach(a, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest))
	{
		switch (mnl_attr_get_type(a)) {
		case SEG6_LOCAL_ACTION:
			ok &= get_u32(a, &l->action);
			break;
		case SEG6_LOCAL_TABLE:
			ok &= get_u32(a, &l->table);
			break;
		case SEG6_LOCAL_VRFTABLE:
			ok &= get_u32(a, &l->vrf_table);
			break;
		case SEG6_LOCAL_IIF:
			ok &= get_u32(a, &l->iif);
			break;
		case SEG6_LOCAL_OIF:
			ok &= get_u32(a, &l->oif);
			break;
		case SEG6_LOCAL_NH4:
			ok &= l->has_nh4 = get_octets(a, l->nh4, 4);
			break;
		case SEG6_LOCAL_NH6:
			ok &= l->has_nh6 = get_octets(a, l->nh6, 16);
			break;
		case SEG6_LOCAL_SRH:
			l->has_srh = true;
			srh_read(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a), &l->srh);
			break;
		case SEG6_LOCAL_BPF:
			l->has_bpf = true;
			break;
		case SEG6_LOCAL_FLAVORS:
			ok &= flavors_read(a, l) == 0;
			break;
		case SEG6_LOCAL_COUNTERS:
			break;
		default:
			l->unknown = true;
		}
	}
	return ok ? 0 : -EBADMSG;
}

/* type and nest come in any order, so they are read when both are known. */
static int encap_read(struct nl_leg *leg, const struct nlattr *type, const struct nlattr *nest)
{
	if (type == NULL && nest == NULL)
		return 0;
	if (type == NULL || !get_u16(type, &leg->encap_type))
		return -EBADMSG;
	switch (leg->encap_type) {
	case LWTUNNEL_ENCAP_NONE:
		return 0;
	case LWTUNNEL_ENCAP_SEG6:
		leg->encap = NL_ENCAP_SEG6;
		return nest != NULL ? seg6_read(nest, &leg->u.seg6) : -EBADMSG;
	case LWTUNNEL_ENCAP_SEG6_LOCAL:
		leg->encap = NL_ENCAP_SEG6LOCAL;
		return nest != NULL ? seg6local_read(nest, &leg->u.local) : -EBADMSG;
	default:
		leg->encap = NL_ENCAP_OTHER;
		return 0;
	}
}

/* --- routes ---------------------------------------------------------------------------------- */

/* What a next hop may have, in the route itself or in a member of RTA_MULTIPATH. */
struct leg_attrs {
	const struct nlattr *gateway, *via, *oif, *encap_type, *encap, *newdst;
};

static void leg_attr(struct leg_attrs *l, const struct nlattr *a)
{
	switch (mnl_attr_get_type(a)) {
	case RTA_GATEWAY:
		l->gateway = a;
		break;
	case RTA_VIA:
		l->via = a;
		break;
	case RTA_OIF:
		l->oif = a;
		break;
	case RTA_ENCAP_TYPE:
		l->encap_type = a;
		break;
	case RTA_ENCAP:
		l->encap = a;
		break;
	case RTA_NEWDST:
		l->newdst = a;
		break;
	default:
		break;
	}
}

static int leg_read(struct nl_leg *leg, const struct leg_attrs *l, uint8_t family)
{
	uint16_t via_family;

	leg->mpls = l->newdst != NULL;
	if (l->oif != NULL && !get_u32(l->oif, &leg->oif))
		return -EBADMSG;
	if (l->gateway != NULL) {
		leg->gw_family = family;
		if (!get_octets(l->gateway, leg->gw, addr_size(family)))
			return -EBADMSG;
	} else if (l->via != NULL) { /* struct rtvia: family, then the address */
		if (!get_u16(l->via, &via_family) ||
		    (via_family != AF_INET && via_family != AF_INET6) ||
		    mnl_attr_get_payload_len(l->via) < 2 + addr_size((uint8_t)via_family))
			return -EBADMSG;
		leg->gw_family = (uint8_t)via_family;
		memcpy(leg->gw, (const uint8_t *)mnl_attr_get_payload(l->via) + 2,
		       addr_size(leg->gw_family));
	}
	return encap_read(leg, l->encap_type, l->encap);
}

static int multipath_read(const struct nlattr *nest, struct nl_route *r)
{
	const uint8_t *p = mnl_attr_get_payload(nest);
	unsigned left = mnl_attr_get_payload_len(nest);

	while (left >= sizeof(struct rtnexthop)) {
		struct leg_attrs l = { 0 };
		struct rtnexthop nh;
		memcpy(&nh, p, sizeof(nh));
		if (nh.rtnh_len < sizeof(nh) || nh.rtnh_len > left)
			return -EBADMSG;
		if (r->n_legs == NL_LEGS_MAX)
			return -E2BIG;
		struct nl_leg *leg = &r->leg[r->n_legs++];
		memset(leg, 0, sizeof(*leg)); /* legs are compared as octets */
		leg->oif = (uint32_t)nh.rtnh_ifindex;
		leg->weight = (uint16_t)(nh.rtnh_hops + 1u);
		leg->down = (nh.rtnh_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
		attrs_foreach(a, (const struct nlattr *)(const void *)(p + sizeof(nh)),
			      nh.rtnh_len - sizeof(nh)) leg_attr(&l, a);
		int rc = leg_read(leg, &l, r->family);
		if (rc < 0)
			return rc;
		unsigned step = RTNH_ALIGN(nh.rtnh_len);
		p += step < left ? step : left;
		left -= step < left ? step : left;
	}
	return left == 0 ? 0 : -EBADMSG;
}

/* Is there room for the fixed part of a message? */
static bool fixed_ok(const struct nlmsghdr *h, size_t size)
{
	return h->nlmsg_len >= NLMSG_HDRLEN + MNL_ALIGN(size);
}

#define msg_attrs(h, size)                                                         \
	((const struct nlattr *)mnl_nlmsg_get_payload_offset(h, MNL_ALIGN(size))), \
		((h)->nlmsg_len - NLMSG_HDRLEN - MNL_ALIGN(size))
#define msg_attrs_foreach(a, h, size) attrs_foreach_(a, msg_attrs(h, size))
#define attrs_foreach_(a, ...)        attrs_foreach(a, __VA_ARGS__)

int nl_route_parse(const struct nlmsghdr *h, struct nl_route *ret)
{
	const struct nlattr *multipath = NULL;
	struct leg_attrs l = { 0 };
	bool ok = true;

	if (!fixed_ok(h, sizeof(struct rtmsg)))
		return -EBADMSG;
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	if (m->rtm_family != AF_INET && m->rtm_family != AF_INET6)
		return -EAFNOSUPPORT;
	memset(ret, 0, offsetof(struct nl_route, leg));
	ret->family = m->rtm_family;
	ret->plen = m->rtm_dst_len;
	ret->tos = m->rtm_tos;
	ret->type = m->rtm_type;
	ret->scope = m->rtm_scope;
	ret->protocol = m->rtm_protocol;
	ret->cloned = (m->rtm_flags & RTM_F_CLONED) != 0;
	ret->src_specific = m->rtm_src_len != 0;
	ret->table = m->rtm_table;
	if (m->rtm_dst_len > 8 * addr_size(m->rtm_family))
		return -EBADMSG;
	msg_attrs_foreach(a, h, sizeof(*m))
	{
		leg_attr(&l, a);
		switch (mnl_attr_get_type(a)) {
		case RTA_TABLE:
			ok &= get_u32(a, &ret->table);
			break;
		case RTA_PRIORITY:
			ok &= get_u32(a, &ret->priority);
			break;
		case RTA_NH_ID:
			ok &= get_u32(a, &ret->nh_id);
			break;
		case RTA_DST:
			ok &= get_octets(a, ret->dst, addr_size(ret->family));
			break;
		case RTA_PREFSRC:
			ok &= get_octets(a, ret->prefsrc, addr_size(ret->family));
			break;
		case RTA_MULTIPATH:
			multipath = a;
			break;
		default:
			break;
		}
	}
	if (!ok)
		return -EBADMSG;
	for (unsigned bit = ret->plen; bit < 8 * addr_size(ret->family); bit++)
		ret->dst[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	if (l.oif != NULL && !get_u32(l.oif, &ret->oif))
		return -EBADMSG;
	if (multipath != NULL)
		return multipath_read(multipath, ret);
	if (l.oif == NULL && l.gateway == NULL && l.via == NULL && l.encap == NULL &&
	    l.encap_type == NULL)
		return 0;
	ret->n_legs = 1;
	memset(&ret->leg[0], 0, sizeof(ret->leg[0]));
	ret->leg[0].weight = 1;
	ret->leg[0].down = (m->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
	return leg_read(&ret->leg[0], &l, ret->family);
}

/* --- next hops ------------------------------------------------------------------------------- */

static int group_read(const struct nlattr *a, struct nl_nexthop *n)
{
	struct { /* struct nexthop_grp as of Linux 6.12: before that, weight_high was reserved and 0 */
		uint32_t id;
		uint8_t weight, weight_high;
		uint16_t resvd;
	} g;
	unsigned count = mnl_attr_get_payload_len(a) / sizeof(g);

	if (count == 0 || mnl_attr_get_payload_len(a) % sizeof(g) != 0)
		return -EBADMSG;
	if (count > NL_LEGS_MAX)
		return -E2BIG;
	for (unsigned i = 0; i < count; i++) {
		memcpy(&g, (const uint8_t *)mnl_attr_get_payload(a) + i * sizeof(g), sizeof(g));
		n->group[i].id = g.id;
		unsigned weight = (g.weight_high << 8 | g.weight) + 1u;
		n->group[i].weight = (uint16_t)(weight < UINT16_MAX ? weight : UINT16_MAX);
	}
	n->n_group = count;
	return 0;
}

int nl_nexthop_parse(const struct nlmsghdr *h, struct nl_nexthop *ret)
{
	const struct nlattr *type = NULL, *encap = NULL;
	bool ok = true;
	int rc = 0;

	if (!fixed_ok(h, sizeof(struct nhmsg)))
		return -EBADMSG;
	const struct nhmsg *m = mnl_nlmsg_get_payload(h);
	memset(ret, 0, sizeof(*ret)); /* objects are compared as octets */
	ret->protocol = m->nh_protocol;
	ret->leg.weight = 1;
	ret->leg.down = (m->nh_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
	msg_attrs_foreach(a, h, sizeof(*m))
	{
		switch (mnl_attr_get_type(a)) {
		case NHA_ID:
			ok &= get_u32(a, &ret->id);
			break;
		case NHA_GROUP:
			rc = rc < 0 ? rc : group_read(a, ret);
			break;
		case NHA_BLACKHOLE:
			ret->blackhole = true;
			break;
		case NHA_FDB:
			ret->fdb = true;
			break;
		case NHA_OIF:
			ok &= get_u32(a, &ret->leg.oif);
			break;
		case NHA_GATEWAY:
			if (m->nh_family != AF_INET && m->nh_family != AF_INET6)
				return -EBADMSG;
			ret->leg.gw_family = m->nh_family;
			ok &= get_octets(a, ret->leg.gw, addr_size(m->nh_family));
			break;
		case NHA_ENCAP_TYPE:
			type = a;
			break;
		case NHA_ENCAP:
			encap = a;
			break;
		default:
			break;
		}
	}
	if (!ok || ret->id == 0)
		return -EBADMSG;
	return rc < 0 ? rc : encap_read(&ret->leg, type, encap);
}

/* --- links, addresses, neighbours ------------------------------------------------------------ */

static void linkinfo_read(const struct nlattr *nest, struct nl_link *l)
{
	const struct nlattr *kind = NULL, *data = NULL;

	attrs_foreach(a, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest))
	{
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			kind = a;
		if (mnl_attr_get_type(a) == IFLA_INFO_DATA)
			data = a;
	}
	if (kind == NULL || data == NULL || mnl_attr_get_payload_len(kind) < 3 ||
	    memcmp(mnl_attr_get_payload(kind), "vrf", 3) != 0)
		return;
	attrs_foreach(a, mnl_attr_get_payload(data),
		      mnl_attr_get_payload_len(data)) if (mnl_attr_get_type(a) == IFLA_VRF_TABLE)
		get_u32(a, &l->vrf_table);
}

/* IFLA_AF_SPEC: the first words of the settings of each family are those looked for. */
static void af_spec_read(const struct nlattr *nest, struct nl_link *l)
{
	uint32_t on;

	attrs_foreach(f, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest))
	{
		uint16_t family = mnl_attr_get_type(f);
		attrs_foreach(a, mnl_attr_get_payload(f), mnl_attr_get_payload_len(f))
		{
			uint16_t type = mnl_attr_get_type(a);
			if (family == AF_INET && type == IFLA_INET_CONF && get_u32(a, &on))
				l->forwards4 = on != 0; /* IPV4_DEVCONF_FORWARDING */
			if (family == AF_INET6 && type == IFLA_INET6_CONF && get_u32(a, &on))
				l->forwards6 = on != 0; /* DEVCONF_FORWARDING */
		}
	}
}

int nl_link_parse(const struct nlmsghdr *h, struct nl_link *ret)
{
	if (!fixed_ok(h, sizeof(struct ifinfomsg)))
		return -EBADMSG;
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	if (m->ifi_family != AF_UNSPEC) /* a bridge's view of its port */
		return -EAFNOSUPPORT;
	*ret = (struct nl_link){ .index = (uint32_t)m->ifi_index, .flags = m->ifi_flags };
	msg_attrs_foreach(a, h, sizeof(*m))
	{
		size_t len = mnl_attr_get_payload_len(a);
		if (mnl_attr_get_type(a) == IFLA_IFNAME)
			memcpy(ret->name, mnl_attr_get_payload(a),
			       len < sizeof(ret->name) - 1 ? len : sizeof(ret->name) - 1);
		if (mnl_attr_get_type(a) == IFLA_LINKINFO)
			linkinfo_read(a, ret);
		if (mnl_attr_get_type(a) == IFLA_AF_SPEC)
			af_spec_read(a, ret);
	}
	return ret->name[0] != '\0' ? 0 : -EBADMSG;
}

int nl_addr_parse(const struct nlmsghdr *h, struct nl_addr *ret)
{
	const struct nlattr *address = NULL, *local = NULL;
	bool ok = true;

	if (!fixed_ok(h, sizeof(struct ifaddrmsg)))
		return -EBADMSG;
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return -EAFNOSUPPORT;
	unsigned size = addr_size(m->ifa_family);
	*ret = (struct nl_addr){ .index = m->ifa_index,
				 .flags = m->ifa_flags,
				 .family = m->ifa_family,
				 .plen = m->ifa_prefixlen,
				 .scope = m->ifa_scope };
	if (m->ifa_prefixlen > 8 * size)
		return -EBADMSG;
	msg_attrs_foreach(a, h, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == IFA_ADDRESS)
			address = a;
		if (mnl_attr_get_type(a) == IFA_LOCAL)
			local = a;
		if (mnl_attr_get_type(a) == IFA_FLAGS)
			ok &= get_u32(a, &ret->flags);
	}
	const struct nlattr *ours = local != NULL ? local : address;
	if (!ok || ours == NULL || !get_octets(ours, ret->addr, size) ||
	    (address != NULL && mnl_attr_get_payload_len(address) < size))
		return -EBADMSG;
	ret->peer = address != NULL && memcmp(mnl_attr_get_payload(address), ret->addr, size) != 0;
	return 0;
}

int nl_neigh_parse(const struct nlmsghdr *h, struct nl_neigh *ret)
{
	bool have_dst = false;

	if (!fixed_ok(h, sizeof(struct ndmsg)))
		return -EBADMSG;
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	if (m->ndm_family != AF_INET && m->ndm_family != AF_INET6)
		return -EAFNOSUPPORT;
	*ret = (struct nl_neigh){ .index = (uint32_t)m->ndm_ifindex,
				  .state = m->ndm_state,
				  .flags = m->ndm_flags,
				  .family = m->ndm_family };
	msg_attrs_foreach(a, h, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == NDA_DST)
			have_dst = get_octets(a, ret->addr, addr_size(ret->family));
		if (mnl_attr_get_type(a) == NDA_LLADDR)
			ret->has_mac = mnl_attr_get_payload_len(a) == 6 &&
				       get_octets(a, ret->mac, 6);
	}
	return have_dst ? 0 : -EBADMSG;
}
