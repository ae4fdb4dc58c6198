/* SPDX-License-Identifier: BSD-3-Clause
 * The Session-Reflector as a function: every rule of RFC 8762, RFC 8972 and RFC 9503 that shows in the reply. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/pm/reflect.h"

#define KEY "stamp-test-key-0"
#define T1  0xec00000080000000ull
#define T2  0xec00000080418937ull
#define T3  0xec0000008041cac0ull

static const uint8_t src[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
static const uint8_t dst[16] = { 0x20, 1, 0xd, 0xb8, [15] = 3 };
static const uint8_t sid[16] = { 0x20, 1, 0xd, 0xb8, [14] = 2 };
static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };

static bool ours(void *arg, unsigned family, const uint8_t *a)
{
	(void)arg;
	return family == 6 && memcmp(a, dst, 16) == 0;
}

static bool reachable(void *arg, const uint8_t *a, unsigned n)
{
	(void)arg;
	return n != 0 && memcmp(a, sid, 16) == 0;
}

static struct bed {
	struct reflector r;
	struct reflector_state st;
	struct stamp_rx rx;
	struct stamp_reply reply;
	uint8_t p[1500];
	unsigned len;
} b;

static void fresh(bool auth)
{
	memset(&b, 0, sizeof(b));
	b.r = (struct reflector){ .ts_method = STAMP_TS_SW,
				  .tlvs = true,
				  .authenticated = auth,
				  .has_key = auth,
				  .dscp_allowed = 1ull << 46 };
	hmac_key_init(&b.r.key, KEY, 16);
	b.rx = (struct stamp_rx){ .family = 6,
				  .src = src,
				  .dst = dst,
				  .src_mac = mac,
				  .src_port = 50000,
				  .dst_port = STAMP_PORT,
				  .ttl = 61,
				  .dscp = 34,
				  .ecn = 1,
				  .link = true,
				  .ts = T2,
				  .error = 0x8801,
				  .sync_source = STAMP_SYNC_NTP,
				  .ours = ours,
				  .reachable = reachable };
	wire_put32(b.p, 7);
	wire_put64(b.p + (auth ? 16 : 4), T1);
	wire_put16(b.p + (auth ? 24 : 12), 0x8801);
	wire_put16(b.p + (auth ? 26 : 14), 0x1234);
	b.len = auth ? STAMP_AUTH_BASE : STAMP_BASE;
}

/* Returns where the TLV is. */
static struct stamp_tlv *tlv(uint8_t type, const void *value, uint16_t len)
{
	struct stamp_tlv *t = (struct stamp_tlv *)(b.p + b.len);

	b.len += (unsigned)stamp_tlv_build(t, sizeof(b.p) - b.len, type, value, len);
	return t;
}

static void sign_base(void)
{
	const struct hmac_part text = { b.p, STAMP_AUTH_HASHED };
	uint8_t d[HMAC_SHA256_LEN];

	hmac_sha256(&b.r.key, &text, 1, d);
	memcpy(b.p + STAMP_AUTH_HASHED, d, STAMP_HMAC_LEN);
}

static void tlv_digest(const struct stamp_tlv *h, uint8_t ret[HMAC_SHA256_LEN])
{
	unsigned base = b.r.authenticated ? STAMP_AUTH_BASE : STAMP_BASE;
	const struct hmac_part text[] = {
		{ b.p, 4 }, { b.p + base, (size_t)((const uint8_t *)h - b.p - base) }
	};

	hmac_sha256(&b.r.key, text, 2, ret);
}

static struct stamp_tlv *sign_tlvs(void)
{
	struct stamp_tlv *t = tlv(STAMP_TLV_HMAC, NULL, STAMP_HMAC_LEN);
	uint8_t d[HMAC_SHA256_LEN];

	tlv_digest(t, d);
	memcpy(t->value, d, STAMP_HMAC_LEN);
	return t;
}

static bool tlv_signed(const struct stamp_tlv *t)
{
	uint8_t d[HMAC_SHA256_LEN];

	tlv_digest(t, d);
	return memcmp(d, t->value, STAMP_HMAC_LEN) == 0;
}

static enum stamp_result reflect_with(struct reflector_state *st)
{
	enum stamp_result v = stamp_reflect(&b.r, st, &b.rx, b.p, b.len, sizeof(b.p), &b.reply);

	if (v == STAMP_REPLY)
		stamp_reply_finish(&b.r, st, b.p, T3);
	return v;
}

static enum stamp_result reflect(void)
{
	return reflect_with(b.r.stateful ? &b.st : NULL);
}

/* ---- base ---- */

Test(pm_reflect, stateless_base)
{
	static const uint8_t want[STAMP_BASE] = {
		0,    0,    0,    7,    0xec, 0,    0,    0,
		0x80, 0x41, 0xca, 0xc0, 0x88, 1,    0x12, 0x34, /* seq, T3, estimate, SSID */
		0xec, 0,    0,    0,    0x80, 0x41, 0x89, 0x37, /* T2 */
		0,    0,    0,    7,    0xec, 0,    0,    0,
		0x80, 0,    0,    0,    0x88, 1,    0,    0, /* what the sender sent */
		61,   0,    0,    0                          /* its hop limit as it arrived */
	};

	fresh(false);
	memset(b.p + 16, 0xff, 28); /* must-be-zero octets are not looked at */
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(b.reply.len, STAMP_BASE);
	cr_assert_arr_eq(b.p, want, sizeof(want));
	cr_assert_eq(b.reply.dscp, 34);
}

Test(pm_reflect, stateful_counts_by_itself)
{
	static const uint32_t seq[] = { 5, 9, 9 };

	fresh(false);
	for (uint32_t i = 0; i < 3; i++) {
		struct reflector_state st = b.st;

		fresh(false);
		b.st = st;
		b.r.stateful = true;
		wire_put32(b.p, seq[i]);
		cr_assert_eq(reflect(), STAMP_REPLY);
		cr_assert_eq(wire_get32(b.p), i);
		cr_assert_eq(wire_get32(b.p + 24), seq[i]);
	}
}

Test(pm_reflect, formats_of_both_sides_are_independent)
{
	fresh(false);
	wire_put16(b.p + 12, 0xc801); /* Z: the sender's timestamps are PTP's */
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(wire_get16(b.p + 12), 0x8801);
	cr_assert_eq(wire_get64(b.p + 28), T1);
	cr_assert_eq(wire_get16(b.p + 36), 0xc801);
}

Test(pm_reflect, short_and_long_requests)
{
	for (unsigned len = 0; len < STAMP_BASE; len++) {
		fresh(false);
		b.len = len;
		memset(b.p + len, 0xee, sizeof(b.p) - len);
		if (len < TWAMP_LIGHT_MIN) {
			cr_assert_eq(reflect(), STAMP_TRUNCATED, "%u octets", len);
			continue;
		}
		cr_assert_eq(reflect(), STAMP_REPLY, "%u octets", len);
		cr_assert_eq(b.reply.len, STAMP_BASE);
		cr_assert_eq(wire_get16(b.p + 14), len < 16 ? (len == 15 ? 0x1200 : 0) : 0x1234);
	}
	fresh(false); /* a TWAMP Light sender's padding is not taken for TLVs */
	b.r.tlvs = false;
	memset(b.p + STAMP_BASE, 0xab, 956);
	b.len = 1000;
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(b.reply.len, 1000);
	for (unsigned i = STAMP_BASE; i < 1000; i++)
		cr_assert_eq(b.p[i], 0xab);
	fresh(false); /* a buffer too small for the reply */
	cr_assert_eq(stamp_reflect(&b.r, NULL, &b.rx, b.p, 20, 43, &b.reply), STAMP_NO_ROOM);
}

Test(pm_reflect, multiplier_zero_is_corrupt)
{
	fresh(false);
	b.r.stateful = true;
	wire_put16(b.p + 12, 0x8800);
	cr_assert_eq(reflect(), STAMP_BAD_ESTIMATE);
	cr_assert_eq(b.st.rx, 0);
}

/* ---- authenticated ---- */

Test(pm_reflect, authenticated)
{
	uint8_t hmac[STAMP_HMAC_LEN];

	fresh(true);
	sign_base();
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(b.reply.len, STAMP_AUTH_BASE);
	cr_assert_eq(wire_get64(b.p + 16), T3);
	cr_assert_eq(wire_get64(b.p + 32), T2);
	cr_assert_eq(wire_get64(b.p + 64), T1);
	cr_assert_eq(b.p[80], 61);
	memcpy(hmac, b.p + STAMP_AUTH_HASHED, sizeof(hmac));
	sign_base();
	cr_assert_arr_eq(hmac, b.p + STAMP_AUTH_HASHED, sizeof(hmac), "the HMAC covers T3");
}

Test(pm_reflect, every_flipped_bit_is_refused)
{
	for (unsigned bit = 0; bit < STAMP_AUTH_BASE * 8; bit++) {
		fresh(true);
		b.r.stateful = true;
		sign_base();
		b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_eq(reflect(), STAMP_BAD_HMAC, "bit %u", bit);
		cr_assert_eq(b.st.rx + b.st.tx, 0, "no state changes");
	}
	fresh(true); /* an unauthenticated packet */
	b.len = STAMP_BASE;
	cr_assert_eq(reflect(), STAMP_TRUNCATED);
}

Test(pm_reflect, hmac_vectors)
{
	/* computed with another implementation of HMAC-SHA-256 */
	static const uint8_t base[16] = { 0xfa, 0x55, 0x82, 0x4f, 0x4d, 0xeb, 0x3a, 0x5d,
					  0x01, 0x09, 0x50, 0xc9, 0xb2, 0xf3, 0xc6, 0xee };

	fresh(true);
	wire_put32(b.p, 1);
	sign_base();
	cr_assert_arr_eq(b.p + STAMP_AUTH_HASHED, base, sizeof(base));
}

/* ---- TLVs ---- */

struct tlv_row {
	char why[64];
	uint8_t type;
	uint16_t len;
	uint8_t first; /* octet of the value */
	uint8_t flags; /* in the reply */
};
ParameterizedTestParameters(pm_reflect, one_tlv)
{
	static struct tlv_row rows[] = {
		{ "type 200 is not known", 200, 8, 1, STAMP_TLV_U },
		{ "type 0 is reserved", 0, 8, 1, STAMP_TLV_U },
		{ "Extra Padding of any length", STAMP_TLV_PADDING, 500, 0x5a, 0 },
		{ "Extra Padding of none", STAMP_TLV_PADDING, 0, 0, 0 },
		{ "Location needs its ports", STAMP_TLV_LOCATION, 3, 0, STAMP_TLV_M },
		{ "Location without questions", STAMP_TLV_LOCATION, 4, 0, 0 },
		{ "Timestamp Information", STAMP_TLV_TIMESTAMP, 4, 0, 0 },
		{ "Timestamp Information, short", STAMP_TLV_TIMESTAMP, 3, 0, STAMP_TLV_M },
		{ "Class of Service", STAMP_TLV_COS, 4, 46 << 2, 0 },
		{ "Class of Service of 5 octets", STAMP_TLV_COS, 5, 46 << 2, STAMP_TLV_M },
		{ "Direct Measurement, stateless", STAMP_TLV_DIRECT, 12, 0, STAMP_TLV_U },
		{ "Direct Measurement of 8 octets", STAMP_TLV_DIRECT, 8, 0, STAMP_TLV_M },
		{ "Access Report, 3GPP", STAMP_TLV_ACCESS, 4, 0x10, 0 },
		{ "Access Report, non-3GPP", STAMP_TLV_ACCESS, 4, 0x20, 0 },
		{ "Access Report of another access", STAMP_TLV_ACCESS, 4, 0x30, STAMP_TLV_U },
		{ "Access Report of 5 octets", STAMP_TLV_ACCESS, 5, 0x10, STAMP_TLV_M },
		{ "Follow-Up, stateless", STAMP_TLV_FOLLOW_UP, 16, 0, 0 },
		{ "Follow-Up of 12 octets", STAMP_TLV_FOLLOW_UP, 12, 9, STAMP_TLV_M },
		{ "HMAC without a key here", STAMP_TLV_HMAC, 16, 1, STAMP_TLV_U },
		{ "Destination Node, somebody else", STAMP_TLV_DEST_NODE, 16, 0x20, STAMP_TLV_U },
		{ "Destination Node, other family", STAMP_TLV_DEST_NODE, 4, 10, STAMP_TLV_U },
		{ "Destination Node of 8 octets", STAMP_TLV_DEST_NODE, 8, 10, STAMP_TLV_M },
		{ "Return Path without room", STAMP_TLV_RETURN_PATH, 3, 0, STAMP_TLV_M },
		{ "Micro-session without a LAG", STAMP_TLV_MICRO_SESSION, 4, 0, STAMP_TLV_U },
	};

	return cr_make_param_array(struct tlv_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct tlv_row *row, pm_reflect, one_tlv)
{
	uint8_t value[512] = { row->first };
	struct stamp_tlv *t, *after;

	fresh(false);
	t = tlv(row->type, value, row->len);
	t->flags = 0xff; /* what the sender says there does not matter */
	after = tlv(STAMP_TLV_PADDING, NULL, 4);
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(b.reply.len, b.len, "sizes are symmetric");
	cr_assert_eq(t->flags, row->flags, "%s: %02x", row->why, t->flags);
	cr_assert_eq(be16_get(t->len), row->len);
	cr_assert_eq(after->flags, row->flags & STAMP_TLV_M ? STAMP_TLV_U : 0,
		     "%s: malformed stops, else goes on", row->why);
}

Test(pm_reflect, tlv_beyond_the_packet)
{
	struct stamp_tlv *t;

	fresh(false);
	t = tlv(STAMP_TLV_PADDING, NULL, 8);
	t->len = be16_make(9);
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->flags, STAMP_TLV_M);
	cr_assert_eq(b.reply.len, STAMP_BASE + 12);
	for (unsigned extra = 1; extra < 4; extra++) { /* not even a TLV header */
		fresh(false);
		memset(b.p + b.len, 0xee, extra);
		b.len += extra;
		cr_assert_eq(reflect(), STAMP_REPLY);
		cr_assert_eq(b.p[STAMP_BASE], 0xee);
	}
}

Test(pm_reflect, location)
{
	static const uint8_t question[8 + 12 + 20 + 20] = {
		[4] = 0x80,  STAMP_LOC_MAC, 0, 8, [16] = 0x80, STAMP_LOC_DST, 0, 16,
		[36] = 0x80, STAMP_LOC_SRC, 0, 16
	};
	struct stamp_tlv *t;

	for (int hide = 0; hide < 2; hide++) {
		fresh(false);
		b.r.hide_location = hide;
		t = tlv(STAMP_TLV_LOCATION, question, 56);
		cr_assert_eq(reflect(), STAMP_REPLY);
		cr_assert_eq(t->flags, 0);
		cr_assert_eq(wire_get16(t->value), hide ? 0 : STAMP_PORT);
		cr_assert_eq(wire_get16(t->value + 2), hide ? 0 : 50000);
		cr_assert_eq(t->value[5], STAMP_LOC_EUI48);
		cr_assert_eq(t->value[17], STAMP_LOC_DST6);
		cr_assert_eq(t->value[37], STAMP_LOC_SRC6);
		cr_assert_eq(t->value[4] | t->value[16] | t->value[36], 0);
		cr_assert_eq(memcmp(t->value + 8, mac, 6) == 0, !hide);
		cr_assert_eq(memcmp(t->value + 20, dst, 16) == 0, !hide);
		cr_assert_eq(memcmp(t->value + 40, src, 16) == 0, !hide);
	}
	fresh(false); /* no source MAC: EUI-64, zero */
	b.rx.src_mac = NULL;
	t = tlv(STAMP_TLV_LOCATION, question, 16);
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->value[5], STAMP_LOC_EUI64);
	fresh(false); /* a sub-TLV of a wrong length is malformed, the rest stays */
	t = tlv(STAMP_TLV_LOCATION, question, 56);
	t->value[7] = 4;
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->flags, 0);
	cr_assert_eq(t->value[4], STAMP_TLV_M);
	cr_assert_eq(t->value[5], STAMP_LOC_MAC);
}

Test(pm_reflect, class_of_service)
{
	static const uint8_t ask[4] = { 46 << 2 };
	struct stamp_tlv *t;

	fresh(false);
	t = tlv(STAMP_TLV_COS, ask, 4);
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(b.reply.dscp, 46);
	cr_assert_eq(wire_get16(t->value), 0xba24);
	fresh(false);
	b.r.dscp_allowed = 0;
	t = tlv(STAMP_TLV_COS, ask, 4);
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(b.reply.dscp, 34);
	cr_assert_eq(wire_get16(t->value), 0xba25);
}

Test(pm_reflect, direct_measurement_and_follow_up)
{
	uint8_t ask[12] = { 0, 0, 0, 100 };
	struct reflector_state st = { 0 };
	struct stamp_tlv *d, *f;

	for (uint32_t i = 0; i < 3; i++) {
		fresh(false);
		b.r.stateful = true;
		d = tlv(STAMP_TLV_DIRECT, ask, 12);
		f = tlv(STAMP_TLV_FOLLOW_UP, NULL, 16);
		cr_assert_eq(reflect_with(&st), STAMP_REPLY);
		cr_assert_eq(wire_get32(d->value), 100);
		cr_assert_eq(wire_get32(d->value + 4), i + 1);
		cr_assert_eq(wire_get32(d->value + 8), i + 1);
		cr_assert_eq(wire_get32(f->value), i == 0 ? 0 : i - 1);
		cr_assert_eq(wire_get64(f->value + 4), i == 0 ? 0 : T3);
		cr_assert_eq(f->value[12], i == 0 ? 0 : STAMP_TS_SW);
	}
}

/* ---- the HMAC TLV ---- */

Test(pm_reflect, hmac_tlv)
{
	struct stamp_tlv *cos, *h, *pad;

	fresh(false); /* optional when unauthenticated: verified and answered */
	b.r.has_key = true;
	b.r.stateful = true;
	b.st.tx = 77;
	cos = tlv(STAMP_TLV_COS, NULL, 4);
	h = sign_tlvs();
	pad = tlv(STAMP_TLV_PADDING, NULL, 3); /* may follow */
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(cos->flags | h->flags | pad->flags, 0);
	cr_assert_eq(wire_get32(b.p), 77);
	cr_assert(tlv_signed(h), "over the reply's own sequence number and final flags");

	fresh(false); /* broken */
	b.r.has_key = true;
	cos = tlv(STAMP_TLV_COS, NULL, 4);
	h = sign_tlvs();
	h->value[3] ^= 1;
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(cos->flags, STAMP_TLV_U | STAMP_TLV_I);
	cr_assert_eq(h->flags, STAMP_TLV_U | STAMP_TLV_I);
	cr_assert_eq(wire_get16(cos->value), 0, "not processed");

	fresh(false); /* in front of another TLV */
	b.r.has_key = true;
	h = sign_tlvs();
	cos = tlv(STAMP_TLV_COS, NULL, 4);
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(cos->flags & h->flags, STAMP_TLV_U | STAMP_TLV_I);
}

Test(pm_reflect, hmac_tlv_is_needed_when_authenticated)
{
	struct stamp_tlv *t;

	fresh(true);
	t = tlv(STAMP_TLV_PADDING, NULL, 9); /* padding alone needs none */
	sign_base();
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->flags, 0);
	fresh(true);
	t = tlv(STAMP_TLV_COS, NULL, 4);
	sign_base();
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->flags, STAMP_TLV_U | STAMP_TLV_I);
	fresh(true);
	t = tlv(STAMP_TLV_COS, NULL, 4);
	sign_tlvs();
	sign_base();
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->flags, 0);
	fresh(false); /* the knob of unauthenticated mode */
	b.r.has_key = b.r.hmac_tlv = true;
	t = tlv(STAMP_TLV_COS, NULL, 4);
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->flags, STAMP_TLV_U | STAMP_TLV_I);
}

/* ---- RFC 9503 ---- */

Test(pm_reflect, destination_node)
{
	struct stamp_tlv *t;

	fresh(false);
	t = tlv(STAMP_TLV_DEST_NODE, dst, 16);
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->flags, 0);
	cr_assert(b.reply.own_src);
	cr_assert_arr_eq(b.reply.src, dst, 16);
}

struct path_row {
	char why[56];
	uint8_t sub[2], len[2],
		fill[2]; /* fill: 's' the SID, 'x' unroutable, 'r' the sender, 'o' another, else octet */
	uint8_t flags;
	int result;
	int path, n_sids;
};
ParameterizedTestParameters(pm_reflect, return_path)
{
	static struct path_row rows[] = {
		{ "control code 0: no reply", { 1 }, { 4 }, { 0 }, 0, STAMP_NO_REPLY, 0, 0 },
		{ "only the lowest bit counts", { 1 }, { 4 }, { 0xfe }, 0, STAMP_NO_REPLY, 0, 0 },
		{ "same link", { 1 }, { 4 }, { 1 }, 0, STAMP_REPLY, STAMP_RETURN_SAME_LINK, 0 },
		{ "control code 0 beats a list",
		  { 1, 4 },
		  { 4, 32 },
		  { 0, 's' },
		  0,
		  STAMP_NO_REPLY,
		  0,
		  0 },
		{ "segment list", { 4 }, { 32 }, { 's' }, 0, STAMP_REPLY, STAMP_RETURN_SRV6, 2 },
		{ "only the first list",
		  { 4, 4 },
		  { 32, 16 },
		  { 's', 'x' },
		  0,
		  STAMP_REPLY,
		  STAMP_RETURN_SRV6,
		  2 },
		{ "list and the sender's address",
		  { 2, 4 },
		  { 16, 16 },
		  { 'r', 's' },
		  0,
		  STAMP_REPLY,
		  STAMP_RETURN_SRV6,
		  1 },
		{ "list of 20 octets", { 4 }, { 20 }, { 's' }, STAMP_TLV_U, STAMP_REPLY, 0, 0 },
		{ "list of none", { 4 }, { 0 }, { 0 }, STAMP_TLV_U, STAMP_REPLY, 0, 0 },
		{ "unroutable list", { 4 }, { 16 }, { 'x' }, STAMP_TLV_U, STAMP_REPLY, 0, 0 },
		{ "label stack", { 3 }, { 4 }, { 1 }, STAMP_TLV_U, STAMP_REPLY, 0, 0 },
		{ "unknown sub-TLV", { 99 }, { 4 }, { 1 }, STAMP_TLV_U, STAMP_REPLY, 0, 0 },
		{ "the sender's own address", { 2 }, { 16 }, { 'r' }, 0, STAMP_REPLY, 0, 0 },
		{ "somebody else's address", { 2 }, { 16 }, { 'o' }, STAMP_TLV_U, STAMP_REPLY, 0, 0 },
		{ "address of another family", { 2 }, { 4 }, { 10 }, STAMP_TLV_U, STAMP_REPLY, 0, 0 },
	};

	return cr_make_param_array(struct path_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct path_row *row, pm_reflect, return_path)
{
	uint8_t value[128] = { 0 };
	struct stamp_tlv *t, *second;
	unsigned at = 0;

	for (unsigned i = 0; i < 2 && row->sub[i] != 0; i++) {
		uint8_t one[64];

		memset(one, row->fill[i], sizeof(one));
		if (row->fill[i] == 's' || row->fill[i] == 'r')
			for (unsigned k = 0; k < sizeof(one); k += 16)
				memcpy(one + k, row->fill[i] == 's' ? sid : src, 16);
		at += (unsigned)stamp_tlv_build(value + at, sizeof(value) - at, row->sub[i], one,
						row->len[i]);
	}
	fresh(false);
	t = tlv(STAMP_TLV_RETURN_PATH, value, (uint16_t)at);
	second = tlv(STAMP_TLV_RETURN_PATH, value, (uint16_t)at);
	cr_assert_eq((int)reflect(), row->result, "%s", row->why);
	if (row->result != STAMP_REPLY)
		return;
	cr_assert_eq(t->flags, row->flags, "%s: %02x", row->why, t->flags);
	cr_assert_eq(second->flags, STAMP_TLV_U, "only the first one counts");
	cr_assert_eq((int)b.reply.path, row->path, "%s", row->why);
	cr_assert_eq(b.reply.n_sids, row->n_sids, "%s", row->why);
	if (row->n_sids != 0)
		cr_assert_arr_eq(b.reply.sids, sid, 16);
}

Test(pm_reflect, same_link_of_no_link)
{
	static const uint8_t ask[] = { 0x80, STAMP_RET_CONTROL, 0, 4, 0, 0, 0, 1 };
	struct stamp_tlv *t;

	fresh(false);
	b.rx.link = false;
	t = tlv(STAMP_TLV_RETURN_PATH, ask, sizeof(ask));
	cr_assert_eq(reflect(), STAMP_REPLY);
	cr_assert_eq(t->flags, STAMP_TLV_U);
	cr_assert_eq(b.reply.path, STAMP_RETURN_ROUTED);
}

/* ---- hostile lengths: every prefix of a packet with all TLVs, in a block of exactly its size ---- */

Test(pm_reflect, every_truncation)
{
	static const uint8_t question[] = { 0, 0, 0, 0, 0x80, STAMP_LOC_MAC, 0, 8, 0, 0, 0,
					    0, 0, 0, 0, 0 };
	uint8_t list[36] = { 0x80, STAMP_RET_SRV6, 0, 32 };

	memcpy(list + 4, sid, 16);
	for (int auth = 0; auth < 2; auth++) {
		unsigned whole;

		fresh(auth);
		tlv(STAMP_TLV_LOCATION, question, sizeof(question));
		for (uint8_t type = STAMP_TLV_TIMESTAMP; type <= STAMP_TLV_FOLLOW_UP; type++)
			tlv(type, NULL,
			    type == STAMP_TLV_FOLLOW_UP ? 16 :
			    type == STAMP_TLV_DIRECT    ? 12 :
							  4);
		tlv(STAMP_TLV_RETURN_PATH, list, sizeof(list));
		sign_tlvs();
		if (auth)
			sign_base();
		whole = b.len;
		for (unsigned len = 0; len <= whole; len++) {
			unsigned base = auth ? STAMP_AUTH_BASE : STAMP_BASE,
				 room = len > base ? len : base;
			uint8_t *p = malloc(room);
			enum stamp_result v;

			memcpy(p, b.p, len);
			v = stamp_reflect(&b.r, NULL, &b.rx, p, len, room, &b.reply);
			if (v == STAMP_REPLY) {
				cr_assert_eq(b.reply.len, room);
				stamp_reply_finish(&b.r, NULL, p, T3);
			} else {
				cr_assert_lt(len, auth ? STAMP_AUTH_BASE : TWAMP_LIGHT_MIN);
			}
			free(p);
		}
	}
}
