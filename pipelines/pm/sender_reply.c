/* SPDX-License-Identifier: BSD-3-Clause
 * What a Session-Sender reads out of a reply: base packet, and TLVs as far as their flags allow.
 * Spec: RFC 8762 section 4.3, RFC 8972 sections 4 and 4.8; RFC 5357 section 4.2.1 for TWAMP Light peers. */
#include <stddef.h>
#include <string.h>

#include "pipelines/pm/sender_packet.h"

#define LIGHT_MIN 41u /* octets of a TWAMP reply without padding (RFC 5357 section 4.2.1) */

/* ---- TLVs -------------------------------------------------------------------------------------------------------- */

/* Every TLV without I, and a good HMAC where one was sent?  Else none is used (RFC 8972 section 4.8). */
static bool intact(const struct sender_how *how, const uint8_t *base, const uint8_t *tlvs,
		   unsigned len)
{
	struct wire_cur c = wire_cur_init(tlvs, len);
	const struct stamp_tlv *t, *hmac = NULL;

	while (stamp_tlv_next(&c, &t) == 1) {
		if ((t->flags & STAMP_TLV_I) != 0)
			return false;
		if (t->type == STAMP_TLV_HMAC && hmac == NULL)
			hmac = t;
		else if (hmac != NULL && t->type != STAMP_TLV_PADDING)
			return false; /* behind the HMAC nothing else may be */
	}
	if (!how->hmac_tlv)
		return true;
	if (hmac == NULL || be16_get(hmac->len) != STAMP_HMAC_LEN ||
	    (hmac->flags & STAMP_TLV_U) != 0)
		return false;
	const struct hmac_part text[] = { { base, 4 },
					  { tlvs, (size_t)((const uint8_t *)hmac - tlvs) } };
	return hmac_sha256_128_is(&how->key, text, 2, hmac->value);
}

/* False: the value is not as long as its type has it. */
static bool take(struct answer_tlvs *r, const struct stamp_tlv *t)
{
	const uint8_t *v = t->value;
	unsigned len = be16_get(t->len);

	switch (t->type) {
	case STAMP_TLV_TIMESTAMP:
		if (len < 4)
			return false;
		r->sync_in = v[0];
		r->method_in = v[1];
		r->sync_out = v[2];
		r->method_out = v[3];
		break;
	case STAMP_TLV_COS: /* DSCP1(6) DSCP2(6) ECN(2) RP(2) */
		if (len != 4)
			return false;
		r->cos_dscp = wire_get16(v) >> 4 & 63;
		r->cos_ecn = wire_get16(v) >> 2 & 3;
		r->cos_refused = wire_get16(v) & 3;
		break;
	case STAMP_TLV_DIRECT:
		if (len != 12)
			return false;
		for (unsigned i = 0; i < 3; i++)
			r->direct[i] = wire_get32(v + 4 * i);
		break;
	case STAMP_TLV_ACCESS:
		if (len != 4)
			return false;
		break;
	case STAMP_TLV_FOLLOW_UP:
		if (len != 16)
			return false;
		r->follow_seq = wire_get32(v);
		r->follow_ts = wire_get64(v + 4);
		r->follow_method = v[12];
		break;
	default: /* nothing in them that is measured */
		break;
	}
	return true;
}

static void read_tlvs(const struct sender_how *how, const uint8_t *base, const uint8_t *tlvs,
		      unsigned len, struct answer_tlvs *r)
{
	struct wire_cur c = wire_cur_init(tlvs, len);
	const struct stamp_tlv *t;
	int rc;

	if (!intact(how, base, tlvs, len)) {
		r->integrity = true;
		return;
	}
	while ((rc = stamp_tlv_next(&c, &t)) == 1) {
		uint32_t bit = t->type < 32 ? 1u << t->type : 0;

		if ((t->flags & STAMP_TLV_M) != 0) { /* what follows was not looked at */
			rc = -EBADMSG;
			break;
		}
		if ((t->flags & STAMP_TLV_U) != 0) {
			r->unknown |= bit & how->asked;
			continue;
		}
		if (!take(r, t)) {
			rc = -EBADMSG;
			break;
		}
		r->used |= bit;
	}
	r->malformed = rc < 0;
}

/* ---- base packet ------------------------------------------------------------------------------------------------- */

static void read_loopback(bool auth, const uint8_t *p, struct stamp_answer *a)
{
	size_t ts = auth ? offsetof(struct stamp_auth, ts) : offsetof(struct stamp_base, ts);

	a->s_seq = a->seq = wire_get32(p);
	a->t1 = wire_get64(p + ts);
	a->error = wire_get16(p + ts + 8);
	a->ssid = wire_get16(p + ts + 10);
}

static void read_base(const uint8_t *p, struct stamp_answer *a)
{
	struct stamp_base b;

	memcpy(&b, p, LIGHT_MIN); /* what lies behind is zero by definition */
	a->seq = be32_get(b.seq);
	a->t3 = be64_get(b.ts);
	a->error = be16_get(b.error);
	a->ssid = be16_get(b.ssid);
	a->t2 = be64_get(b.rx_ts);
	a->s_seq = be32_get(b.s_seq);
	a->t1 = be64_get(b.s_ts);
	a->s_ttl = b.s_ttl;
}

static void read_auth(const uint8_t *p, struct stamp_answer *a)
{
	struct stamp_auth b;

	memcpy(&b, p, sizeof(b));
	a->seq = be32_get(b.seq);
	a->t3 = be64_get(b.ts);
	a->error = be16_get(b.error);
	a->ssid = be16_get(b.ssid);
	a->t2 = be64_get(b.rx_ts);
	a->s_seq = be32_get(b.s_seq);
	a->t1 = be64_get(b.s_ts);
	a->s_ttl = b.s_ttl;
}

enum answer_result stamp_answer_parse(const struct sender_how *how, const uint8_t *p, unsigned len,
				      struct stamp_answer *ret)
{
	bool auth = (how->flags & HD_PM_S_AUTHENTICATED) != 0,
	     light = (how->flags & HD_PM_S_LIGHT) != 0,
	     loopback = (how->flags & HD_PM_S_LOOPBACK) != 0;
	unsigned base = SENDER_BASE(auth);

	memset(ret, 0, sizeof(*ret));
	if (len < (light && !loopback && !auth ? LIGHT_MIN : base))
		return ANSWER_TRUNCATED;
	if (auth) {
		const struct hmac_part text = { p, STAMP_AUTH_HASHED };

		if (!how->has_key ||
		    !hmac_sha256_128_is(&how->key, &text, 1, p + STAMP_AUTH_HASHED))
			return ANSWER_BAD_HMAC;
	}
	if (loopback)
		read_loopback(auth, p, ret);
	else if (auth)
		read_auth(p, ret);
	else
		read_base(p, ret);
	if ((ret->error & STAMP_ERR_MULTIP) == 0)
		return ANSWER_BAD_ESTIMATE;
	if (!loopback && how->asked != 0 && len > base)
		read_tlvs(how, p, p + base, len - base, &ret->tlv);
	return ANSWER_OK;
}
