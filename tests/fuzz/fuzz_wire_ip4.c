/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 and what it carries: UDP, TCP with options, ICMP, and the decision whether an error may be sent. The header
 * checksum is made right first, since no fuzzer guesses one. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/icmp4.h>
#include <heddle/wire/tcp.h>
#include <heddle/wire/udp.h>

static void upper(const struct ip4_view *v, struct wire_cur c)
{
	uint8_t err[576];
	struct icmp4_view i;
	struct tcp_view t;
	struct udp_view u;
	uint16_t off;
	int rc;

	(void)icmp4_error_allowed(v, &c, false);
	rc = icmp4_error_build(err, sizeof(err), ICMP4_UNREACH, 0, 0, v->hdr, v->total_len);
	fuzz_assert(rc >= 28 && rc <= ICMP4_ERROR_MAX - 20);
	switch (v->hdr->proto) {
	case IP_NH_UDP:
		if (udp_parse(&c, &u) == 0) {
			fuzz_assert(u.len == 8 + wire_left(&c));
			(void)udp_csum_check_ip4(&u, v->hdr->src, v->hdr->dst);
		}
		break;
	case IP_NH_TCP:
		if (tcp_parse(&c, &t) < 0)
			break;
		fuzz_touch(t.hdr, t.hdr_len);
		if (tcp_mss_find(&t, &off) == 1)
			fuzz_assert(off >= 22 && off + 2 <= t.hdr_len);
		break;
	case IP_NH_ICMP4:
		if (icmp4_parse(&c, &i) == 0)
			fuzz_touch(i.msg, i.len);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_cur c = wire_cur_init(data, size);
	struct ip4_view v, again;
	struct wire_cur c2;
	struct ip4_hdr *h;
	uint8_t *copy;

	if (ip4_parse(&c, &v) < 0)
		fuzz_assert(c.p == data && wire_left(&c) == size);
	c = wire_cur_init(data, size);
	if (ip4_parse_nocsum(&c, &v) < 0) {
		fuzz_assert(c.p == data && wire_left(&c) == size);
		return 0;
	}
	fuzz_assert(v.hdr_len >= 20 && v.hdr_len <= 60 && v.total_len <= size);
	fuzz_assert(c.p == data + v.hdr_len && c.end == data + v.total_len);

	copy = malloc(size);
	memcpy(copy, data, size);
	h = (struct ip4_hdr *)copy;
	h->csum = be16_make(0);
	h->csum = hd_csum(copy, v.hdr_len);
	c2 = wire_cur_init(copy, size);
	fuzz_assert(ip4_parse(&c2, &again) == 0);
	fuzz_assert(again.total_len == v.total_len && again.hdr_len == v.hdr_len);
	upper(&again, c2);
	if (h->ttl > 0)
		ip4_ttl_decrement(h);
	ip4_tos_set(h, data[size - 1]);
	fuzz_assert(hd_csum_ok(hd_csum_add(0, copy, v.hdr_len)));
	free(copy);
	return 0;
}
