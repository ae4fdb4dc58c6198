/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC TLV (RFC 8754 section 2.1.2) over the graph: a vector computed with another library, one thing broken at a time;
 * key roll; signatures of the headend; nothing that shows a secret. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <time.h>

#include "dataplane/engine.h"
#include "dataplane/hmac_many.h"
#include "dataplane/objects.h"
#include "pipelines/srv6/hmac.h"
#include "pipelines/srv6/tests/lab.h"

#define SRC    "2001:db8:0:1::1"
#define SID    "2001:db8:b:2::100"
#define LAST   "2001:db8:b:3::d6"
#define SECRET "srv6-test-key-00"
/* Key id 42, source and list as above, flags 0, D 0. */
#define RFC_DIGEST   "83f65c997fc132b27df8579e7eed05b1a28acd1692bcb7ba7c714863317a81d6"
#define LINUX_DIGEST "f40ef19e18e8005e484f7dc9985e67353a2870f3a1a2a0794b839885c3371cfa"
#define TLV        \
	"05260000" \
	"0000002a"
#define SIGNED \
	"ip6 " SRC " " SID " 64 / srh " LAST "," SID " 1 / tlv " TLV RFC_DIGEST " / udp / fill 16"
#define BY_LINUX \
	"ip6 " SRC " " SID " 64 / srh " LAST "," SID " 1 / tlv " TLV LINUX_DIGEST " / udp / fill 16"
#define BARE   "ip6 " SRC " " SID " 64 / srh " LAST "," SID " 1 / udp / fill 16"
#define TLV_AT 80 /* behind IPv6 and two segments */

static int key(uint32_t id, const char *secret, uint8_t format, uint64_t from, uint64_t until)
{
	struct hd_api_srv6_hmac_key k = { .key_id = id,
					  .format = format,
					  .secret_len = (uint8_t)strlen(secret),
					  .not_before = from,
					  .not_after = until };

	memcpy(k.secret, secret, strlen(secret));
	return hx_set(HD_API_SRV6_HMAC_KEY, &k, sizeof(k));
}

static void sid_hmac(uint16_t behavior, uint8_t hmac)
{
	struct hd_api_srv6_sid s = { .plen = 128,
				     .sid_id = 90,
				     .behavior = behavior,
				     .table6 = behavior == HD_SRV6_END_DT6 ? 10 : 0,
				     .upper_allow = HD_SRV6_UPPER_ICMP6,
				     .hmac = hmac };
	struct ip6_addr a = pktb_addr6(SID);

	memcpy(s.sid, &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), 0, "%s", hx_error());
}

static void up(void)
{
	lab_start();
	hx_route(0, "2001:db8:b:3::/64", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "2001:db8:0:1::/64", HD_TARGET_NEXTHOP, 1);
	cr_assert_eq(key(42, SECRET, HD_SRV6_HMAC_RFC8754, 0, 0), 0, "%s", hx_error());
	sid_hmac(HD_SRV6_END, HD_SRV6_HMAC_REQUIRE);
}

TestSuite(srv6_hmac, .init = up, .fini = lab_stop, .timeout = 60);

struct row {
	char why[56], in[260], set[40], verdict[16];
	uint8_t policy;
	uint32_t pointer; /* of the Parameter Problem; 0: silent */
};

static struct row rows[] = {
	{ "S-115 verifies", SIGNED, "", "forward", HD_SRV6_HMAC_REQUIRE, 0 },
	{ "S-116 a bit of the digest", SIGNED, "88=82", "hmac-bad", HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "S-116 the last bit of it", SIGNED, "119=d7", "hmac-bad", HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "S-117 no TLV", BARE, "", "hmac-missing", HD_SRV6_HMAC_REQUIRE, 0 },
	{ "S-118 unknown key", SIGNED, "87=2b", "hmac-bad", HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "S-119 list changed", SIGNED, "63=d7", "hmac-bad", HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "source changed", SIGNED, "23=02", "hmac-bad", HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "S-121 not the current segment, D 0", SIGNED, "43=2", "hmac-bad", HD_SRV6_HMAC_REQUIRE,
	  TLV_AT },
	{ "D set afterwards", SIGNED, "82=80", "hmac-bad", HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "S-123 tag is not covered", SIGNED, "46=be 47=ef", "forward", HD_SRV6_HMAC_REQUIRE, 0 },
	{ "S-124 Linux' digest", BY_LINUX, "", "hmac-bad", HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "S-126 flags are covered", SIGNED, "45=08", "hmac-bad", HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "S-125 length 37", SIGNED, "81=25", "tlv-overrun", HD_SRV6_HMAC_REQUIRE, 41 },
	{ "S-125 a digest of 24 octets", SIGNED, "81=1e 112=04 113=06", "hmac-bad",
	  HD_SRV6_HMAC_REQUIRE, TLV_AT },
	{ "S-110 TLV past the SRH", SIGNED, "81=27", "tlv-overrun", HD_SRV6_HMAC_REQUIRE, 41 },
	{ "S-112 a type without length", SIGNED, "81=25 119=04", "tlv-overrun",
	  HD_SRV6_HMAC_REQUIRE, 41 },
	{ "S-133 LE outside", SIGNED, "44=09", "bad-list", HD_SRV6_HMAC_REQUIRE, 43 },
	{ "if present: none", BARE, "", "forward", HD_SRV6_HMAC_IF_PRESENT, 0 },
	{ "if present: good", SIGNED, "", "forward", HD_SRV6_HMAC_IF_PRESENT, 0 },
	{ "if present: bad", SIGNED, "88=82", "hmac-bad", HD_SRV6_HMAC_IF_PRESENT, TLV_AT },
	{ "S-114 another TLV", SIGNED, "80=7c", "forward", HD_SRV6_HMAC_IF_PRESENT, 0 },
	{ "S-111 ignored", SIGNED, "81=27", "forward", HD_SRV6_HMAC_IGNORE, 0 },
	{ "ignored: bad digest", SIGNED, "88=82", "forward", HD_SRV6_HMAC_IGNORE, 0 },
	{ "no SRH needs none", "ip6 " SRC " " SID " 64 / udp / fill 16", "", "upper-refused",
	  HD_SRV6_HMAC_REQUIRE, 40 },
};

ParameterizedTestParameters(srv6_hmac, rows)
{
	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *r, srv6_hmac, rows)
{
	bool forward = strcmp(r->verdict, "forward") == 0;
	uint8_t b[PKTB_CAP];
	struct pktb in;
	uint64_t octets;

	sid_hmac(HD_SRV6_END, r->policy);
	packet_make(&in, r->in, r->set);
	lab_send(1, in.buf, in.len);
	cr_assert_eq(hx_verdict("srv6-endpoint", r->verdict), 1, "%s: not %s", r->why, r->verdict);
	if (r->pointer != 0)
		lab_expect_icmp6(r->why, 1, in.buf, in.len, 4,
				 strcmp(r->verdict, "upper-refused") == 0 ? 4 : 0, r->pointer);
	if (forward)
		cr_assert_eq(lab_recv(2, b, sizeof(b)), in.len, "%s", r->why);
	lab_nothing_left(r->why);
	cr_assert_eq(hx_stat("sid", 90, "packets"), forward);
	cr_assert_eq(hx_stat("sid", 90, "errors"), !forward);
	cr_assert_eq(hx_object_drop("sid", 90, "srv6-endpoint", r->verdict, &octets), !forward);
	cr_assert_eq(octets, forward ? 0 : in.len);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

static void sends(const char *why, const char *text, const char *set, const char *verdict)
{
	uint64_t before = hx_verdict("srv6-endpoint", verdict);
	uint8_t b[PKTB_CAP];
	struct pktb in;

	packet_make(&in, text, set);
	lab_send(1, in.buf, in.len);
	cr_assert_eq(hx_verdict("srv6-endpoint", verdict), before + 1, "%s: not %s", why, verdict);
	for (uint32_t p = 1; p <= LAB_PORTS; p++)
		while (lab_recv(p, b, sizeof(b)) != 0)
			;
}

/* Judged together, every row and a list too long for that come out as each alone, whoever computes the digests. */
Test(srv6_hmac, together)
{
	static const unsigned min[] = { 1, 8, 64 };
	static struct pktb in[SRV6_HMAC_MANY];
	struct srv6_pkt p[SRV6_HMAC_MANY], alone;
	const struct srv6_sid *at[SRV6_HMAC_MANY];
	struct srv6_sid sid[3] = { 0 };
	char list[1200] = "ip6 " SRC " " SID " 64 / srh " LAST;
	struct hmac_key k;

	hmac_key_init(&k, SECRET, strlen(SECRET));
	cr_assert_eq(key(43, SECRET, HD_SRV6_HMAC_LINUX, 0, 0), 0, "%s", hx_error());
	for (unsigned i = 0; i < 18; i++)
		strcat(list, "," SID);
	strcat(list, " 1 / tlv " TLV RFC_DIGEST " / udp / fill 16");
	for (unsigned i = 0; i < SRV6_HMAC_MANY; i++) {
		const struct row *r = &rows[i * 7 % (sizeof(rows) / sizeof(rows[0]))];

		at[i] = &sid[r->policy];
		sid[r->policy].hmac = r->policy;
		packet_make(&in[i], i % 10 == 9 ? list : r->in, i % 10 == 9 ? "" : r->set);
		if (i % 20 == 9)
			srv6_hmac_sign(&k, HD_SRV6_HMAC_RFC8754,
				       (const struct ip6_addr *)(in[i].buf + 8), in[i].buf + 40,
				       8 + 19 * 16 + 40);
		if (i % 5 == 3 && strcmp(r->in, BY_LINUX) == 0)
			in[i].buf[87] = 43;
	}
	at[5] = NULL;
	for (unsigned turn = 0; turn < sizeof(min) / sizeof(min[0]); turn++) {
		unsigned verdicts[SRV6_EP_N_VERDICTS] = { 0 };

		hmac_many_min = min[turn];
		for (unsigned i = 0; i < SRV6_HMAC_MANY; i++)
			p[i] = (struct srv6_pkt){ .ip = in[i].buf,
						  .head = (uint32_t)in[i].len,
						  .len = (uint32_t)in[i].len };
		srv6_hmac_check_many(at, p, SRV6_HMAC_MANY);
		for (unsigned i = 0; i < SRV6_HMAC_MANY; i++) {
			bool known = at[i] != NULL && at[i]->hmac != HD_SRV6_HMAC_IGNORE;

			cr_assert_eq(p[i].hmac_known, known, "%u", i);
			if (!known)
				continue;
			alone = (struct srv6_pkt){ .ip = in[i].buf,
						   .head = (uint32_t)in[i].len,
						   .len = (uint32_t)in[i].len };
			cr_assert_eq(p[i].hmac, srv6_hmac_check(at[i]->hmac, at[i], &alone), "%u",
				     i);
			cr_assert_eq(p[i].icmp_data, alone.icmp_data, "%u", i);
			cr_assert_eq(p[i].icmp_type, alone.icmp_type, "%u", i);
			verdicts[p[i].hmac]++;
		}
		cr_assert_gt(verdicts[SRV6_EP_FORWARD], 5);
		cr_assert_gt(verdicts[SRV6_EP_HMAC_BAD], 5);
	}
}

/* A burst through the node, one signature of forty wrong: that packet alone is lost, the others keep their order. */
Test(srv6_hmac, burst)
{
	uint8_t b[PKTB_CAP];
	struct pktb in[40];

	for (hmac_many_min = 1; hmac_many_min != 0; hmac_many_min = hmac_many_min == 1 ? 64 : 0) {
		for (unsigned i = 0; i < 40; i++) {
			packet_make(&in[i], SIGNED, i == 17 ? "100=00" : "");
			in[i].buf[in[i].len - 1] = (uint8_t)i;
			lab_queue(1, in[i].buf, in[i].len);
		}
		hx_turn();
		for (unsigned i = 0; i < 40; i++) {
			if (i == 17)
				continue;
			cr_assert_eq(lab_recv(2, b, sizeof(b)), in[i].len, "%u", i);
			cr_assert_eq(b[in[i].len - 1], i);
		}
		cr_assert_eq(lab_recv(1, b, sizeof(b)) > 0, true, "the parameter problem");
		lab_nothing_left("burst");
	}
	cr_assert_eq(hx_verdict("srv6-endpoint", "hmac-bad"), 2);
}

/* S-131: also at a behavior without a next segment, and a wrong list does not slip by. */
Test(srv6_hmac, last_segment)
{
	const char *text = "ip6 " SRC " " SID " 64 / srh " SID " 0 / ip6 $A $B 10 / udp / fill 16";

	sid_hmac(HD_SRV6_END_DT6, HD_SRV6_HMAC_REQUIRE);
	sends("none", text, "", "hmac-missing");
	sends("LE outside", text, "44=09", "hmac-missing");
}

Test(srv6_hmac, linux_format)
{
	cr_assert_eq(key(42, SECRET, HD_SRV6_HMAC_LINUX, 0, 0), 0, "%s", hx_error());
	sends("Linux' digest", BY_LINUX, "", "forward");
	sends("the RFC's", SIGNED, "", "hmac-bad");
}

/* S-132: both keys of a roll hold until the old one is taken away; times do the same by themselves. */
Test(srv6_hmac, key_roll)
{
	uint64_t now = (uint64_t)time(NULL);
	uint32_t id = 42;

	cr_assert_eq(key(43, "another", HD_SRV6_HMAC_RFC8754, 0, 0), 0, "%s", hx_error());
	cr_assert_eq(key(7, "a third", HD_SRV6_HMAC_RFC8754, 0, 0), 0, "%s", hx_error());
	sends("among others", SIGNED, "", "forward");
	cr_assert_eq(key(42, "not the secret", HD_SRV6_HMAC_RFC8754, 0, 0), 0, "%s", hx_error());
	sends("another secret", SIGNED, "", "hmac-bad");
	cr_assert_eq(key(42, SECRET, HD_SRV6_HMAC_RFC8754, now + 1000, 0), 0, "%s", hx_error());
	sends("not yet", SIGNED, "", "hmac-bad");
	cr_assert_eq(key(42, SECRET, HD_SRV6_HMAC_RFC8754, 0, now - 10), 0, "%s", hx_error());
	sends("no more", SIGNED, "", "hmac-bad");
	cr_assert_eq(key(42, SECRET, HD_SRV6_HMAC_RFC8754, now - 10, now + 2), 0, "%s", hx_error());
	sends("now", SIGNED, "", "forward");
	while ((uint64_t)time(NULL) < now + 2)
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	for (int i = 0; i < 10; i++)
		engine_tick();
	sends("expired", SIGNED, "", "hmac-bad");
	cr_assert_eq(key(42, SECRET, HD_SRV6_HMAC_RFC8754, 0, 0), 0, "%s", hx_error());
	sends("back", SIGNED, "", "forward");
	cr_assert_eq(hx_del(HD_API_SRV6_HMAC_KEY, &id, sizeof(id)), 0, "%s", hx_error());
	sends("withdrawn", SIGNED, "", "hmac-bad");
}

static int find_secret(uint16_t type, const void *msg, size_t size, void *arg)
{
	(void)type;
	*(unsigned *)arg += 1;
	cr_assert_null(memmem(msg, size, SECRET, strlen(SECRET)), "a dump shows the secret");
	return 0;
}

Test(srv6_hmac, secret_is_not_dumped)
{
	unsigned n = 0;

	cr_assert_eq(objects_walk(HD_API_SRV6_HMAC_KEY, find_secret, &n), 0);
	cr_assert_eq(n, 1);
	/* an identical key is still found to be the same */
	cr_assert_eq(key(42, SECRET, HD_SRV6_HMAC_RFC8754, 0, 0), 0);
	sends("still", SIGNED, "", "forward");
}

Test(srv6_hmac, keys_refused)
{
	cr_assert_eq(key(0, SECRET, 0, 0, 0), -EINVAL);
	cr_assert_eq(key(1, "", 0, 0, 0), -EINVAL);
	cr_assert_eq(key(1, SECRET, 9, 0, 0), -EINVAL);
	cr_assert_eq(key(1, SECRET, 0, 20, 10), -EINVAL);
}

/* ---- the headend signs ----------------------------------------------------------------------------------------- */

static void policy(uint8_t encap, uint32_t key_id, unsigned n_segs)
{
	struct hd_api_srv6_seglist sl = { .seglist_id = 20, .n_segs = n_segs };
	struct hd_api_srv6_policy p = { .policy_id = 20,
					.encap = encap,
					.n_lists = 1,
					.list = { { 20, 1 } },
					.hmac_key_id = key_id };
	struct ip6_addr a = pktb_addr6(SID);

	memcpy(sl.seg[0], &a, 16);
	a = pktb_addr6(LAST);
	memcpy(sl.seg[1], &a, 16);
	a = pktb_addr6(SRC);
	memcpy(p.source, &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &sl, sizeof(sl)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	hx_route(0, "2001:db8:cc::/64", HD_TARGET_POLICY, 20);
}

/* The encapsulated packet comes back to this node as the first segment: the SID is local, so it is verified at once. */
static void signed_and_verified(const char *why, uint8_t encap, unsigned n_segs)
{
	struct pktb in;
	uint8_t b[PKTB_CAP];

	policy(encap, 42, n_segs);
	packet_make(&in, "ip6 $A 2001:db8:cc::1 64 / udp / fill 16", "");
	lab_send(1, in.buf, in.len);
	if (n_segs > 1) {
		cr_assert_eq(hx_verdict("srv6-endpoint", "forward"), 1, "%s", why);
		cr_assert_neq(lab_recv(2, b, sizeof(b)), 0, "%s", why);
	} else {
		cr_assert_eq(hx_verdict("srv6-endpoint", "upper-refused"), 1, "%s", why);
		lab_recv(1, b, sizeof(b));
	}
	cr_assert_eq(hx_verdict("srv6-endpoint", "hmac-bad"), 0, "%s", why);
}

Test(srv6_hmac, h_encaps_signs)
{
	signed_and_verified("H.Encaps", HD_SRV6_H_ENCAPS, 2);
}

Test(srv6_hmac, h_encaps_red_signs)
{
	signed_and_verified("H.Encaps.Red", HD_SRV6_H_ENCAPS_RED, 2);
}

Test(srv6_hmac, one_segment_keeps_the_srh)
{
	signed_and_verified("S-093", HD_SRV6_H_ENCAPS_RED, 1);
}

/* S-091 with a key: the octets are those of the vector. */
Test(srv6_hmac, golden_digest)
{
	struct hd_api_srv6_sid s = { .plen = 128 };
	struct ip6_addr a = pktb_addr6(SID);
	uint8_t b[PKTB_CAP];
	struct pktb in, want;

	memcpy(s.sid, &a, 16);
	cr_assert_eq(hx_del(HD_API_SRV6_SID, &s, HD_API_SRV6_SID_KEY), 0);
	hx_route(0, "2001:db8:b:2::/64", HD_TARGET_NEXTHOP, 2);
	policy(HD_SRV6_H_ENCAPS, 42, 2);
	packet_make(&in, "ip6 $A 2001:db8:cc::1 64 / udp / fill 16", "");
	packet_make(&want, SIGNED, "");
	lab_send(1, in.buf, in.len);
	cr_assert_geq(lab_recv(2, b, sizeof(b)), 120u);
	cr_assert_arr_eq(b + 41, want.buf + 41, 79, "%s", pktb_hexdump(b, 120));
	/* Linux' way: its flag and its digest, which covers the flag */
	cr_assert_eq(key(42, SECRET, HD_SRV6_HMAC_LINUX, 0, 0), 0, "%s", hx_error());
	lab_send(1, in.buf, in.len);
	cr_assert_geq(lab_recv(2, b, sizeof(b)), 120u);
	cr_assert_eq(b[45], 0x08);
	cr_assert_neq(memcmp(b + 88, want.buf + 88, 32), 0);
}

/* RFC 8754 section 5.2: from outside only signed packets reach SIDs, those of this node and those behind it. */
Test(srv6_hmac, edge)
{
	struct hd_api_iface i = { .iface_id = 1,
				  .port_id = 1,
				  .mac = { 2, 0, 0, 0, 0, 1 },
				  .flags = HD_IFACE_F_UP | HD_IFACE_F_INGRESS };
	struct hd_api_srv6_ingress in = { .iface_id = 1,
					  .flags = HD_SRV6_INGRESS_OUTSIDE | HD_SRV6_INGRESS_HMAC };
	struct hd_api_srv6_domain d = { .n_prefixes = 1 };
	struct ip6_addr a = pktb_addr6("2001:db8:b::");
	uint8_t b[PKTB_CAP];
	struct pktb p;

	memcpy(d.prefix[0].prefix, &a, 16);
	d.prefix[0].kind = HD_SRV6_DOMAIN_SIDS;
	d.prefix[0].plen = 48;
	sid_hmac(HD_SRV6_END, HD_SRV6_HMAC_IGNORE);
	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_DOMAIN, &d, sizeof(d)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_INGRESS, &in, sizeof(in)), 0, "%s", hx_error());
	packet_make(&p, SIGNED, "");
	lab_send(1, p.buf, p.len);
	cr_assert_eq(lab_recv(2, b, sizeof(b)), p.len, "signed");
	packet_make(&p, SIGNED, "88=82");
	lab_send(1, p.buf, p.len);
	packet_make(&p, BARE, "");
	lab_send(1, p.buf, p.len);
	cr_assert_eq(hx_verdict("srv6-ingress", "hmac-bad"), 2);
	packet_make(&p, "ip6 " SRC " " SID " 64 / udp / fill 16", "");
	lab_send(1, p.buf, p.len);
	cr_assert_eq(hx_verdict("srv6-ingress", "sid-from-outside"), 1, "nothing signed at all");
	lab_nothing_left("edge");
}

/* Every truncation of a signed packet, in a buffer of exactly its size. */
Test(srv6_hmac, truncated)
{
	struct srv6_sid s = { .plan = srv6_hmac_plan,
			      .base = srv6_behavior_find(HD_SRV6_END),
			      .hmac = HD_SRV6_HMAC_REQUIRE };
	struct pktb in;

	s.then = s.base;
	packet_make(&in, SIGNED, "");
	for (size_t n = 0; n < in.len; n++) {
		uint8_t *exact = malloc(n);
		struct srv6_pkt p = { .ip = exact, .head = (uint32_t)n, .len = (uint32_t)n };

		memcpy(exact, in.buf, n);
		cr_assert_eq(s.plan(&s, &p), SRV6_EP_TRUNCATED, "%zu octets", n);
		free(exact);
	}
}

/* ---- containers of compressed SIDs ------------------------------------------------------------------------------ */

#define NEXT    HD_SRV6_FLAVOR_NEXT_CSID
#define REPLACE HD_SRV6_FLAVOR_REPLACE_CSID

struct csid_row {
	char why[64], sid[40];
	uint8_t plen, block, csid;
	uint16_t flavor, behavior;
	char dst[48], entry[48]; /* list of LAST and this entry, Segments Left 1 */
	char verdict[16];
};

ParameterizedTestParameters(srv6_hmac, csid)
{
	static struct csid_row rows[] = {
		{ "first of the container", "2001:db8:100::", 48, 32, 16, NEXT, HD_SRV6_END,
		  "2001:db8:100:200:300::", "2001:db8:100:200:300::", "forward" },
		{ "one was shifted out", "2001:db8:100::", 48, 32, 16, NEXT, HD_SRV6_END,
		  "2001:db8:100:200:300::", "2001:db8:900:100:200:300::", "forward" },
		{ "one of 32 bits was", "2001:db8:100::", 48, 32, 16, NEXT, HD_SRV6_END,
		  "2001:db8:100:200::", "2001:db8:900:e001:100:200::", "forward" },
		{ "five were", "2001:db8:100::", 48, 32, 16, NEXT, HD_SRV6_END,
		  "2001:db8:100::", "2001:db8:1:2:3:4:5:100", "forward" },
		{ "the CSID behind is another", "2001:db8:100::", 48, 32, 16, NEXT, HD_SRV6_END,
		  "2001:db8:100:201:300::", "2001:db8:900:100:200:300::", "hmac-bad" },
		{ "one is left out", "2001:db8:100::", 48, 32, 16, NEXT, HD_SRV6_END,
		  "2001:db8:100:300::", "2001:db8:900:100:200:300::", "hmac-bad" },
		{ "one is put behind", "2001:db8:100::", 48, 32, 16, NEXT, HD_SRV6_END,
		  "2001:db8:100:200:300:400::", "2001:db8:900:100:200:300::", "hmac-bad" },
		{ "another block", "2001:db8:100::", 48, 32, 16, NEXT, HD_SRV6_END,
		  "2001:db8:100:200::", "2001:db9:900:100:200::", "hmac-bad" },
		{ "no CSID at all", "2001:db8:100::", 128, 0, 0, 0, HD_SRV6_END,
		  "2001:db8:100::", "2001:db8:900:100::", "hmac-bad" },
		{ "REPLACE: slot 3", "2001:db8:b2:77:1::", 80, 48, 32, REPLACE, HD_SRV6_END,
		  "2001:db8:b2:77:1::3", "0:0:21:1:22:1:77:1", "forward" },
		{ "REPLACE: slot 2", "2001:db8:b2:77:1::", 80, 48, 32, REPLACE, HD_SRV6_END,
		  "2001:db8:b2:77:1::2", "0:0:21:1:77:1:22:1", "forward" },
		{ "REPLACE: another slot's", "2001:db8:b2:77:1::", 80, 48, 32, REPLACE, HD_SRV6_END,
		  "2001:db8:b2:77:1::2", "0:0:21:1:22:1:77:1", "hmac-bad" },
	};

	return cr_make_param_array(struct csid_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct csid_row *r, srv6_hmac, csid)
{
	struct hd_api_srv6_sid s = { .plen = r->plen,
				     .sid_id = 91,
				     .behavior = r->behavior,
				     .flavors = r->flavor,
				     .hmac = HD_SRV6_HMAC_REQUIRE,
				     .lb_len = r->block,
				     .ln_len = r->csid };
	struct ip6_addr a = pktb_addr6(r->sid);
	uint8_t b[PKTB_CAP];
	struct hmac_key k;
	struct pktb in;
	char text[300];

	memcpy(s.sid, &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), 0, "%s", hx_error());
	hx_route(0, "::/0", HD_TARGET_NEXTHOP, 2);
	snprintf(text, sizeof(text),
		 "ip6 " SRC " %s 64 / srh " LAST ",%s 1 / tlv " TLV RFC_DIGEST " / udp / fill 16",
		 r->dst, r->entry);
	packet_make(&in, text, "");
	hmac_key_init(&k, (const uint8_t *)SECRET, strlen(SECRET));
	srv6_hmac_sign(&k, HD_SRV6_HMAC_RFC8754, (const struct ip6_addr *)(in.buf + 8), in.buf + 40,
		       80);
	lab_send(1, in.buf, in.len);
	cr_assert_eq(hx_verdict("srv6-endpoint", r->verdict), 1, "%s: not %s", r->why, r->verdict);
	if (strcmp(r->verdict, "forward") == 0)
		cr_assert_eq(lab_recv(2, b, sizeof(b)), in.len, "%s", r->why);
	else
		lab_expect_icmp6(r->why, 1, in.buf, in.len, 4, 0, TLV_AT);
	lab_nothing_left(r->why);
}
