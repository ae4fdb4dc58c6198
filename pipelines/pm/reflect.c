/* SPDX-License-Identifier: BSD-3-Clause
 * STAMP Session-Reflector: base packet and the frame of TLV processing; what each TLV means is in reflect_tlv.c.
 * Spec: RFC 8762 section 4.3, RFC 8972 sections 3 and 4. */
#include "pipelines/pm/reflect.h"

#include <string.h>

#include "pipelines/pm/reflect_tlv.h"

/* ---- integrity of TLVs: RFC 8972 section 4.8 --------------------------------------------------------------------- */

struct tlv_scan {
	const struct stamp_tlv *hmac; /* or NULL */
	unsigned n;                   /* TLVs before the end or the first malformed one */
	bool only_padding;            /* all of them are Extra Padding */
	bool misplaced;               /* something but Extra Padding follows the HMAC */
};

static struct tlv_scan scan(const uint8_t *tlvs, unsigned len)
{
	struct wire_cur c = wire_cur_init(tlvs, len);
	struct tlv_scan s = { .only_padding = true };
	const struct stamp_tlv *t;

	while (stamp_tlv_next(&c, &t) == 1) {
		s.n++;
		if (t->type != STAMP_TLV_PADDING) {
			s.only_padding = false;
			s.misplaced |= s.hmac != NULL;
		}
		if (t->type == STAMP_TLV_HMAC && s.hmac == NULL)
			s.hmac = t;
	}
	return s;
}

static_assert(STAMP_HMAC_LEN == HMAC_SHA256_128_LEN, "");

/* Text of the HMAC TLV: the base's sequence number, then every TLV in front of it. */
static void tlv_text(const uint8_t *base, const uint8_t *tlvs, const struct stamp_tlv *hmac,
		     struct hmac_part ret[2])
{
	ret[0] = (struct hmac_part){ base, 4 };
	ret[1] = (struct hmac_part){ tlvs, (size_t)((const uint8_t *)hmac - tlvs) };
}

/* May the TLVs be used? */
static bool tlvs_intact(const struct reflector *r, const struct tlv_scan *s, const uint8_t *base,
			const uint8_t *tlvs)
{
	struct hmac_part text[2];

	if (s->hmac == NULL)
		return s->n == 0 || !(r->authenticated || r->hmac_tlv) ||
		       (s->only_padding && s->n == 1);
	if (!r->has_key)
		return true; /* not recognised then: U says so */
	if (s->misplaced || be16_get(s->hmac->len) != STAMP_HMAC_LEN)
		return false;
	tlv_text(base, tlvs, s->hmac, text);
	return hmac_sha256_128_is(&r->key, text, 2, s->hmac->value);
}

/* RFC 8972 section 4: the check failed, so every TLV says so and none is looked at. */
static void tlvs_refuse(uint8_t *tlvs, unsigned len)
{
	struct wire_cur c = wire_cur_init(tlvs, len);
	const struct stamp_tlv *t;
	int rc;

	do {
		rc = stamp_tlv_next(&c, &t);
		if (t != NULL)
			((struct stamp_tlv *)(uintptr_t)t)->flags =
				(uint8_t)((t->flags & STAMP_TLV_U) | STAMP_TLV_I);
	} while (rc == 1);
}

/* Each TLV in turn, in place, until the end or a malformed one; the HMAC TLV gets its digest last. */
static void tlvs_process(struct reflect_tlv *x, uint8_t *tlvs, unsigned len)
{
	struct wire_cur c = wire_cur_init(tlvs, len);
	const struct stamp_tlv *seen;
	int rc;

	do {
		rc = stamp_tlv_next(&c, &seen);
		if (seen == NULL)
			return;
		struct stamp_tlv *t = (struct stamp_tlv *)(uintptr_t)seen;

		t->flags = rc < 0 ? STAMP_TLV_M : reflect_tlv(x, t);
		if (t->flags & STAMP_TLV_M) /* what follows stays as it came */
			return;
	} while (!x->no_reply);
}

/* ---- base packet ------------------------------------------------------------------------------------------------- */

static uint32_t next_seq(const struct reflector *r, struct reflector_state *st, uint32_t asked)
{
	return r->stateful && st != NULL ? __atomic_fetch_add(&st->tx, 1, __ATOMIC_RELAXED) : asked;
}

static be16_t error_estimate(const struct reflector *r, const struct stamp_rx *rx)
{
	return be16_make((uint16_t)(rx->error | (r->ptp ? STAMP_ERR_Z : 0)));
}

static void base_reply(const struct reflector *r, const struct stamp_rx *rx, uint8_t *p,
		       uint32_t seq)
{
	struct stamp_base q, a = { 0 };

	memcpy(&q, p, sizeof(q));
	a.seq = be32_make(seq);
	a.error = error_estimate(r, rx);
	a.ssid = q.ssid;
	a.rx_ts = be64_make(rx->ts);
	a.s_seq = q.seq;
	a.s_ts = q.ts;
	a.s_error = q.error;
	a.s_ttl = rx->ttl;
	memcpy(p, &a, sizeof(a));
}

static void auth_reply(const struct reflector *r, const struct stamp_rx *rx, uint8_t *p,
		       uint32_t seq)
{
	struct stamp_auth q, a = { 0 };

	memcpy(&q, p, sizeof(q));
	a.seq = be32_make(seq);
	a.error = error_estimate(r, rx);
	a.ssid = q.ssid;
	a.rx_ts = be64_make(rx->ts);
	a.s_seq = q.seq;
	a.s_ts = q.ts;
	a.s_error = q.error;
	a.s_ttl = rx->ttl;
	memcpy(p, &a, sizeof(a));
}

static bool auth_ok(const struct reflector *r, const uint8_t *p)
{
	const struct hmac_part text = { p, STAMP_AUTH_HASHED };

	return hmac_sha256_128_is(&r->key, &text, 1, p + STAMP_AUTH_HASHED);
}

enum stamp_result stamp_reflect(const struct reflector *r, struct reflector_state *st,
				const struct stamp_rx *rx, uint8_t *p, unsigned len, unsigned room,
				struct stamp_reply *ret)
{
	unsigned base = r->authenticated ? STAMP_AUTH_BASE : STAMP_BASE;
	unsigned error_at = r->authenticated ? offsetof(struct stamp_auth, error) :
					       offsetof(struct stamp_base, error);
	struct reflect_tlv x = { .r = r, .st = st, .rx = rx, .reply = ret };
	struct hmac_part text[2];
	struct tlv_scan s;

	/* an HMAC needs the whole base; without one a TWAMP Light sender may be shorter (RFC 8762 section 4.6) */
	if (len < (r->authenticated ? STAMP_AUTH_BASE : TWAMP_LIGHT_MIN))
		return STAMP_TRUNCATED;
	if (r->authenticated && !auth_ok(r, p))
		return STAMP_BAD_HMAC;
	if ((wire_get16(p + error_at) & STAMP_ERR_MULTIP) == 0)
		return STAMP_BAD_ESTIMATE;
	if (room < base)
		return STAMP_NO_ROOM;
	if (len < base) {
		memset(p + len, 0, base - len);
		len = base;
	}
	*ret = (struct stamp_reply){ .len = (uint16_t)len, .dscp = rx->dscp };
	if (st != NULL) {
		x.rx_count = __atomic_add_fetch(&st->rx, 1, __ATOMIC_RELAXED);
		x.tx_count = __atomic_load_n(&st->tx, __ATOMIC_RELAXED) + 1;
	}
	if (r->tlvs && len > base) {
		s = scan(p + base, len - base);
		if (tlvs_intact(r, &s, p, p + base)) {
			x.hmac = r->has_key ? s.hmac : NULL;
			tlvs_process(&x, p + base, len - base);
		} else {
			tlvs_refuse(p + base, len - base);
		}
		if (x.no_reply)
			return STAMP_NO_REPLY;
	}
	if (r->authenticated)
		auth_reply(r, rx, p, next_seq(r, st, wire_get32(p)));
	else
		base_reply(r, rx, p, next_seq(r, st, wire_get32(p)));
	if (x.hmac_reached) {
		tlv_text(p, p + base, s.hmac, text);
		hmac_sha256_128(&r->key, text, 2, (uint8_t *)(uintptr_t)s.hmac->value);
	}
	return STAMP_REPLY;
}

void stamp_reply_finish(const struct reflector *r, struct reflector_state *st, uint8_t *p,
			uint64_t ts)
{
	if (r->authenticated) {
		const struct hmac_part text = { p, STAMP_AUTH_HASHED };

		wire_put64(p + offsetof(struct stamp_auth, ts), ts);
		hmac_sha256_128(&r->key, &text, 1, p + STAMP_AUTH_HASHED);
	} else {
		wire_put64(p + offsetof(struct stamp_base, ts), ts);
	}
	if (st != NULL) {
		__atomic_store_n(&st->last_seq, wire_get32(p), __ATOMIC_RELAXED);
		__atomic_store_n(&st->last_ts, ts, __ATOMIC_RELAXED);
	}
}
