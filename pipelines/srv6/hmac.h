/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC TLV of the SRH (RFC 8754 section 2.1.2): keys, verification, signature.
 * Keys: written by the control thread, read by workers without locks; only keys that are valid now are in the table,
 * so a packet asks for no clock.  Two key ids that are valid at once make a key roll. */
#ifndef PIPELINES_SRV6_HMAC_H
#define PIPELINES_SRV6_HMAC_H

#include <heddle/api/srv6.h>

#include "dataplane/hmac.h"
#include "pipelines/srv6/packet.h"

#define SRV6_HMAC_TLV_LEN \
	(sizeof(struct srh_hmac_tlv) + HMAC_SHA256_LEN) /* 40: no padding needed */

/* Linux takes the TLV for there only with this flag of the old drafts. */
#define SRV6_LINUX_FLAG_H 0x08

struct srv6_hmac_key {
	uint32_t key_id;
	uint8_t format; /* enum hd_srv6_hmac_format */
	struct hmac_key key;
};

/* Immutable once published; ids go up. */
struct srv6_hmac_keys {
	unsigned n;
	struct srv6_hmac_key key[];
};
extern struct srv6_hmac_keys *srv6_hmac_keys; /* NULL: none; RCU */

/* Judge the first SRH of a packet by a policy (enum hd_srv6_hmac_policy) other than IGNORE.  s: the SID it is for, or
 * NULL: it has not come to one.  p->ip, head and len are set; fills what srv6_walk() fills for that SRH.  Returns
 * SRV6_EP_FORWARD, or a verdict with its ICMPv6 error. */
enum srv6_endpoint_verdict srv6_hmac_check(unsigned policy, const struct srv6_sid *s,
					   struct srv6_pkt *p);

/* The same for those of n packets, all that wait for their SIDs in one moment, whose SID has such a policy: digests are
 * computed side by side.  What was found is left in p, for srv6_hmac_plan().  sid[i] may be NULL; n is at most
 * SRV6_HMAC_MANY. */
#define SRV6_HMAC_MANY 64u
void srv6_hmac_check_many(const struct srv6_sid *const *sid, struct srv6_pkt *p, unsigned n);

/* The plan of a SID with an HMAC policy: the check, unless it was made already, then s->then. */
enum srv6_endpoint_verdict srv6_hmac_plan(const struct srv6_sid *s, struct srv6_pkt *p);

/* Fill the digest of an SRH whose last SRV6_HMAC_TLV_LEN octets are its HMAC TLV, key id and D included, as it will be
 * sent by src.  len: octets of the SRH. */
void srv6_hmac_sign(const struct hmac_key *key, enum hd_srv6_hmac_format format,
		    const struct ip6_addr *src, uint8_t *srh, size_t len);

#endif
