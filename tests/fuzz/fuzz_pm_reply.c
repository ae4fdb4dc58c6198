/* SPDX-License-Identifier: BSD-3-Clause */
/* What a Session-Sender reads out of any UDP payload, and what that does to its session.  Input: an octet of settings,
 * then replies of 2 octets of length and so much payload; setting bit 3 makes their HMAC right. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

#include "pipelines/pm/session.h"

static void take(struct session_state *st, const struct sender_how *how,
		 const struct session_conf *conf, const uint8_t *p, size_t len, uint64_t t)
{
	struct session_now now = { .tsc = t, .ns_per_tick = 1, .wall_ns = t, .tai_s = 37 };
	uint8_t *copy = malloc(len + !len), digest[HMAC_SHA256_LEN];
	const struct hmac_part text = { copy, STAMP_AUTH_HASHED };
	struct stamp_answer a;
	bool up;

	if (copy == NULL)
		abort();
	memcpy(copy, p, len);
	if ((how->flags & HD_PM_S_AUTHENTICATED) != 0 && len >= STAMP_AUTH_BASE) {
		hmac_sha256(&how->key, &text, 1, digest);
		memcpy(copy + STAMP_AUTH_HASHED, digest, STAMP_HMAC_LEN);
	}
	if (stamp_answer_parse(how, copy, (unsigned)len, &a) == ANSWER_OK) {
		a.s_seq &= 0xff; /* one that may have been sent */
		session_reply(st, conf, &st->bin[0], &a, &now, 1, &up);
	}
	session_alive_check(st, conf, &now);
	if (st->bin[0].c.received + st->bin[0].c.lost > st->bin[0].c.sent)
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t flag[] = { HD_PM_S_LIGHT, HD_PM_S_LOOPBACK, HD_PM_S_STATEFUL,
					 HD_PM_S_AUTHENTICATED, HD_PM_S_PTP };
	struct sender_how how = { .has_key = true, .asked = 0x7fe };
	struct session_conf conf = { .interval = 10, .timeout = 1000, .n_down = 3, .n_up = 2 };
	struct session_state *st = session_create(64, 1);
	uint64_t t = 1000;

	if (st == NULL || size == 0) {
		session_destroy(st);
		return 0;
	}
	for (unsigned i = 0; i < 5; i++)
		how.flags |= data[0] >> i & 1 ? flag[i] : 0;
	how.hmac_tlv = data[0] >> 5 & 1;
	conf.flags = how.flags;
	hmac_key_init(&how.key, "k", 1);
	for (size_t at = 1; at + 2 <= size;) {
		size_t len = wire_get16(data + at);
		struct session_now now = { .tsc = t, .ns_per_tick = 1, .wall_ns = t };

		at += 2;
		len = len < size - at ? len : size - at;
		for (unsigned i = 0; i < 5; i++)
			session_sent(st, &conf, &st->bin[0], &now);
		take(st, &how, &conf, data + at, len, t + 5);
		at += len;
		t += 50;
	}
	session_destroy(st);
	return 0;
}
