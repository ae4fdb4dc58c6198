// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/* XDP steering: which frames of a kernel-driven port are Heddle's.  Those go to the AF_XDP socket of their queue, all
 * others on to the kernel as if nothing stood here.  What is malformed, unknown or cut short is the kernel's.
 *
 * Without a socket in xsks_map (before the data plane has made it, after it has gone or died) every frame passes.
 *
 * Order: VLAN tags, ethertype, destination address by longest prefix, UDP destination port, then all unicast IP in mode
 * "all".  The maps are filled by steer.c. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "steer_shared.h"

#define ETH_P_IP      0x0800
#define ETH_P_ARP     0x0806
#define ETH_P_VLAN    0x8100
#define ETH_P_IPV6    0x86dd
#define ETH_P_QINQ    0x88a8
#define IPPROTO_UDP   17
#define IPPROTO_ICMP6 58
#define ND_SOLICIT    135 /* RFC 4861 section 4.3 */
#define ND_ADVERT     136 /* RFC 4861 section 4.4 */
#define EXT_MAX       6   /* extension headers looked behind */

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, STEER_QUEUES_MAX);
	__type(key, int);
	__type(value, int);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STEER_FIXED_MAX);
	__type(key, __u32);
	__type(value, struct steer_rule);
} steer_fixed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STEER_SMALL_MAX);
	__type(key, __u16);
	__type(value, struct steer_rule);
} steer_type SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STEER_SMALL_MAX);
	__type(key, __u16);
	__type(value, struct steer_rule);
} steer_udp SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STEER_VLANS_MAX);
	__type(key, struct steer_vlan_key);
	__type(value, struct steer_rule);
} steer_vlan SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, STEER_PREFIXES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct steer_ip4_key);
	__type(value, struct steer_rule);
} steer_ip4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, STEER_PREFIXES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct steer_ip6_key);
	__type(value, struct steer_rule);
} steer_ip6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STEER_RULES_MAX);
	__type(key, __u32);
	__type(value, struct steer_count);
} steer_count SEC(".maps");

/* The frame: p moves, nothing is read at or behind end. */
struct cur {
	const __u8 *p, *end;
};

static __always_inline __u16 get16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

static __always_inline struct steer_rule *by_ip4(const __u8 *addr)
{
	struct steer_ip4_key k = { .plen = 32 };

	__builtin_memcpy(k.addr, addr, 4);
	return bpf_map_lookup_elem(&steer_ip4, &k);
}

static __always_inline struct steer_rule *by_ip6(const __u8 *addr)
{
	struct steer_ip6_key k = { .plen = 128 };

	__builtin_memcpy(k.addr, addr, 16);
	return bpf_map_lookup_elem(&steer_ip6, &k);
}

/* Only what is said about the address itself: a neighbour asks for it, or answers it. */
static __always_inline struct steer_rule *own(struct steer_rule *r)
{
	return r && (r->own || r->action == STEER_PASS) ? r : 0;
}

static __always_inline struct steer_rule *fixed(__u32 which)
{
	struct steer_rule *r = bpf_map_lookup_elem(&steer_fixed, &which);

	return r && r->rule ? r : 0;
}

static __always_inline struct steer_rule *by_udp(const struct cur *c)
{
	__u16 port;

	if (c->p + 8 > c->end)
		return 0;
	port = get16(c->p + 2);
	return bpf_map_lookup_elem(&steer_udp, &port);
}

static __always_inline struct steer_rule *arp(const struct cur *c)
{
	/* Ethernet and IPv4 (RFC 826); the target protocol address is who is asked, or who asked */
	if (c->p + 28 > c->end || get16(c->p) != 1 || get16(c->p + 2) != ETH_P_IP)
		return 0;
	return own(by_ip4(c->p + 24));
}

static __always_inline struct steer_rule *ip4(struct cur *c)
{
	const __u8 *h = c->p;
	struct steer_rule *r;
	__u32 len;

	if (h + 20 > c->end || h[0] >> 4 != 4)
		return 0;
	len = (h[0] & 15) * 4;
	if (len < 20 || h + len > c->end)
		return 0;
	r = by_ip4(h + 16);
	if (r)
		return r;
	if (h[9] == IPPROTO_UDP && (get16(h + 6) & 0x1fff) == 0) {
		c->p = h + len;
		r = by_udp(c);
		if (r)
			return r;
	}
	/* 224/3: multicast, reserved, broadcast */
	return h[16] < 224 ? fixed(STEER_UNICAST) : 0;
}

/* The upper layer behind the extension headers: its protocol, c moved to it.  0: not found, or not in this packet. */
static __always_inline __u32 upper(struct cur *c, __u32 next)
{
#pragma unroll
	for (int i = 0; i < EXT_MAX; i++) {
		const __u8 *h = c->p;

		if (next != 0 && next != 43 && next != 44 && next != 60)
			return next;
		if (h + 8 > c->end)
			return 0;
		if (next == 44) { /* later fragments have no upper-layer header */
			if ((get16(h + 2) & 0xfff8) != 0)
				return 0;
			c->p = h + 8;
		} else {
			c->p = h + (h[1] + 1) * 8;
		}
		next = h[0];
		if (c->p > c->end)
			return 0;
	}
	return next == 0 || next == 43 || next == 44 || next == 60 ? 0 : next;
}

/* A Neighbor Discovery message whose target says whose it is. */
static __always_inline bool is_nd(const struct cur *c, __u32 proto)
{
	return proto == IPPROTO_ICMP6 && c->p + 24 <= c->end &&
	       (c->p[0] == ND_SOLICIT || c->p[0] == ND_ADVERT);
}

static __always_inline struct steer_rule *ip6(struct cur *c)
{
	const __u8 *h = c->p, *dst = h + 24;
	struct steer_rule *r;
	__u32 proto;

	if (h + 40 > c->end || h[0] >> 4 != 6)
		return 0;
	c->p = h + 40;
	if (dst[0] == 0xff) { /* solicitations go to groups */
		proto = upper(c, h[6]);
		return is_nd(c, proto) && c->p[0] == ND_SOLICIT ? own(by_ip6(c->p + 8)) : 0;
	}
	if (dst[0] == 0xfe && (dst[1] & 0xc0) == 0x80) {
		proto = upper(c, h[6]);
		return is_nd(c, proto) ? fixed(STEER_LINK_LOCAL) : 0;
	}
	r = by_ip6(dst);
	if (r)
		return r;
	proto = upper(c, h[6]);
	if (proto == IPPROTO_UDP) {
		r = by_udp(c);
		if (r)
			return r;
	}
	return fixed(STEER_UNICAST);
}

static __always_inline struct steer_rule *find(struct cur *c)
{
	struct steer_vlan_key vlan = { 0 };
	__u16 type;

	if (c->p + 14 > c->end)
		return 0;
	type = get16(c->p + 12);
	c->p += 14;
	if (type == ETH_P_VLAN || type == ETH_P_QINQ) {
		if (c->p + 4 > c->end)
			return 0;
		vlan.outer = get16(c->p) & 0xfff;
		type = get16(c->p + 2);
		c->p += 4;
		if (type == ETH_P_VLAN || type == ETH_P_QINQ) {
			if (c->p + 4 > c->end)
				return 0;
			vlan.inner = get16(c->p) & 0xfff;
			type = get16(c->p + 2);
			c->p += 4;
		}
		/* vid 0 alone is a priority tag: as if untagged (IEEE 802.1Q section 9.6) */
		if (vlan.outer != 0 || vlan.inner != 0)
			return bpf_map_lookup_elem(&steer_vlan, &vlan);
	}
	if (type == ETH_P_IP)
		return ip4(c);
	if (type == ETH_P_IPV6)
		return ip6(c);
	if (type == ETH_P_ARP)
		return arp(c);
	return bpf_map_lookup_elem(&steer_type, &type);
}

SEC("xdp")
int heddle_steer(struct xdp_md *ctx)
{
	struct cur c = { (const __u8 *)(long)ctx->data, (const __u8 *)(long)ctx->data_end };
	__u32 queue = ctx->rx_queue_index, rule = 0, octets = (__u32)(ctx->data_end - ctx->data);
	struct steer_rule *r = find(&c);
	struct steer_count *count;
	bool take = r && r->action == STEER_TAKE && bpf_map_lookup_elem(&xsks_map, &queue);

	if (r)
		rule = r->rule;
	count = bpf_map_lookup_elem(&steer_count, &rule);
	if (count && take) {
		count->packets++;
		count->octets += octets;
	} else if (count) {
		count->passed++;
	}
	return take ? bpf_redirect_map(&xsks_map, queue, XDP_PASS) : XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
