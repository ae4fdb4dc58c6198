/* SPDX-License-Identifier: BSD-3-Clause */
/* The Session-Reflector over any UDP payload.  Input: an octet of settings, one of reply room, then the request; with
 * the settings' bit 6 its HMACs are made right, so that what they protect is reached. */
#include "tests/fuzz/fuzz.h"

#include "pipelines/pm/reflect.h"

static bool ours(void *arg, unsigned family, const uint8_t *a)
{
	(void)arg;
	fuzz_touch(a, family == 4 ? 4 : 16);
	return a[0] & 1;
}

static bool reachable(void *arg, const uint8_t *sids, unsigned n)
{
	(void)arg;
	fuzz_touch(sids, 16 * n);
	return sids[0] & 1;
}

static void sign(const struct reflector *r, uint8_t *p, size_t len)
{
	size_t base = r->authenticated ? STAMP_AUTH_BASE : STAMP_BASE;
	uint8_t digest[HMAC_SHA256_LEN];
	const struct stamp_tlv *t;
	struct wire_cur c;

	if (r->authenticated && len >= base) {
		const struct hmac_part text = { p, STAMP_AUTH_HASHED };

		hmac_sha256(&r->key, &text, 1, digest);
		memcpy(p + STAMP_AUTH_HASHED, digest, STAMP_HMAC_LEN);
	}
	if (len <= base)
		return;
	c = wire_cur_init(p + base, len - base);
	while (stamp_tlv_next(&c, &t) == 1) {
		const struct hmac_part text[] = {
			{ p, 4 }, { p + base, (size_t)((const uint8_t *)t - p) - base }
		};

		if (t->type != STAMP_TLV_HMAC || be16_get(t->len) != STAMP_HMAC_LEN)
			continue;
		hmac_sha256(&r->key, text, 2, digest);
		memcpy((uint8_t *)(uintptr_t)t->value, digest, STAMP_HMAC_LEN);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t addr[16] = { 0x20, 1 }, mac[6] = { 2 };
	struct reflector r = { .dscp_allowed = 0x5555555555555555ull };
	struct reflector_state st = { 0 };
	struct stamp_rx rx = { .src = addr,
			       .dst = addr,
			       .ours = ours,
			       .reachable = reachable,
			       .ts = 1,
			       .error = 0x8801 };
	struct stamp_reply reply;
	enum stamp_result v;
	size_t len, room;
	uint8_t *p;

	if (size < 2)
		return 0;
	r.authenticated = data[0] & 1;
	r.stateful = data[0] & 2;
	r.tlvs = data[0] & 4;
	r.hmac_tlv = data[0] & 8;
	r.has_key = r.authenticated || data[0] & 16;
	rx.family = data[0] & 32 ? 4 : 6;
	rx.src_mac = data[0] & 128 ? mac : NULL;
	hmac_key_init(&r.key, "k", 1);
	len = size - 2;
	room = len + data[1];
	p = malloc(room != 0 ? room : 1); /* exactly the room there is */
	memcpy(p, data + 2, len);
	if (data[0] & 64)
		sign(&r, p, len);
	v = stamp_reflect(&r, r.stateful ? &st : NULL, &rx, p, (unsigned)len, (unsigned)room,
			  &reply);
	if (v == STAMP_REPLY) {
		fuzz_assert(reply.len <= room && reply.len >= len && reply.dscp < 64);
		stamp_reply_finish(&r, r.stateful ? &st : NULL, p, 2);
		if (reply.path == STAMP_RETURN_SRV6) {
			fuzz_assert(reply.n_sids != 0 && reply.sids >= p &&
				    reply.sids + reply.n_sids * 16u <= p + room);
			fuzz_touch(reply.sids, reply.n_sids * 16u);
		}
	} else if (v != STAMP_NO_REPLY) {
		fuzz_assert(st.tx == 0 && st.rx == 0);
	}
	free(p);
	return 0;
}
