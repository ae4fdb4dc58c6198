/* SPDX-License-Identifier: BSD-3-Clause
 * A STAMP Session-Sender's packet and the reply to it, as functions over octets (RFC 8762 section 4.2, RFC 8972,
 * RFC 9503).  No mbuf, no graph: nodes, tests and the fuzzer share them. */
#ifndef PIPELINES_PM_SENDER_PACKET_H
#define PIPELINES_PM_SENDER_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/hmac.h"
#include "heddle/api/pm_session.h"
#include "heddle/wire/stamp.h"

#define SENDER_PACKET_MAX 1800u
#define SENDER_BASE(auth) ((auth) ? STAMP_AUTH_BASE : STAMP_BASE)

/* A session's packet but for what differs from one to the next.  Immutable once published. */
struct sender_packet {
	uint16_t len;   /* octets, from the outermost IP header on */
	uint16_t inner; /* where what an outer header carries begins; 0: there is none */
	uint16_t udp_off, payload, tlv_off; /* from the start; tlv_off 0: no TLVs */
	uint16_t payload_len;
	uint16_t hmac_tlv, direct, access; /* where these TLVs are, from the start; 0: not there */
	uint8_t family;                    /* of the outermost header */
	bool auth, ptp;
	uint64_t sum; /* of UDP and its pseudo header, with zeros where sender_packet_stamp() writes */
	uint8_t data[SENDER_PACKET_MAX];
};

/* 0, -EINVAL with *ret_why a sentence, or -EMSGSIZE.  Control thread. */
int sender_packet_build(const struct hd_api_pm_session *m, struct sender_packet *ret,
			const char **ret_why);

/* The same for what is no STAMP: where the payload goes, then all headers around len octets of it.  check: can packets
 * go this way?  0, or -EINVAL with *why a sentence.  sum: writes the checksum of the UDP packet in `data`. */
int sender_packet_check(const struct hd_api_pm_session *m, const char **why);
void sender_packet_begin(const struct hd_api_pm_session *m, struct sender_packet *ret);
void sender_packet_close(const struct hd_api_pm_session *m, struct sender_packet *p, unsigned len);
void sender_packet_sum(const struct sender_packet *p, uint8_t *data, uint64_t sum);

struct sender_stamp {
	uint32_t seq;
	uint64_t ts;    /* T1, in the session's format */
	uint16_t error; /* error estimate with S and Z */
	uint32_t direct_tx;
	bool access; /* the Access Report is to be sent; else its room is padding */
};

/* data: a copy of p->data, which becomes the packet.  key: of a session that has one, else NULL. */
void sender_packet_stamp(const struct sender_packet *p, const struct hmac_key *key, uint8_t *data,
			 const struct sender_stamp *s);

/* How replies are read. */
struct sender_how {
	uint32_t flags; /* HD_PM_S_* */
	bool has_key, hmac_tlv;
	uint32_t asked; /* bit n: TLV of type n was sent */
	struct hmac_key key;
};

struct answer_tlvs {
	uint32_t used, unknown; /* bit n: type n; U set on what was asked for */
	bool malformed, integrity;
	uint8_t cos_dscp, cos_ecn, cos_refused;
	uint8_t sync_in, method_in, sync_out, method_out;
	uint8_t follow_method;
	uint32_t direct[3];
	uint32_t follow_seq;
	uint64_t follow_ts;
};

struct stamp_answer {
	uint32_t seq, s_seq;  /* the reflector's; of our packet */
	uint64_t t1, t2, t3;  /* raw; T1 as echoed.  Loopback: T1 alone */
	uint16_t error, ssid; /* of the reflector */
	uint8_t s_ttl;
	struct answer_tlvs tlv;
};

enum answer_result {
	ANSWER_OK,
	ANSWER_TRUNCATED,    /* shorter than a reply's base */
	ANSWER_BAD_HMAC,     /* RFC 8762 section 4.4 */
	ANSWER_BAD_ESTIMATE, /* multiplier zero (RFC 4656 section 4.1.2) */
};

/* p: UDP payload.  Worker's thread; does not allocate. */
enum answer_result stamp_answer_parse(const struct sender_how *how, const uint8_t *p, unsigned len,
				      struct stamp_answer *ret);

#endif
