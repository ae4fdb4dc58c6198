/* SPDX-License-Identifier: BSD-3-Clause */
/* STAMP test packets (RFC 8762), SSID and TLVs (RFC 8972, RFC 9503, RFC 9534), and their time formats (RFC 9197
 * section 5).  Offsets count from the first octet of the UDP payload. */
#ifndef HEDDLE_WIRE_STAMP_H
#define HEDDLE_WIRE_STAMP_H

#include <heddle/wire/wire.h>

#define STAMP_PORT        862u /* RFC 8762 section 4.1 */
#define STAMP_BASE        44u /* octets of a base packet, unauthenticated (RFC 8762 section 4.2.1) */
#define STAMP_AUTH_BASE   112u /* ... authenticated (RFC 8762 section 4.2.2) */
#define STAMP_AUTH_HASHED 96u  /* octets the HMAC of the base covers (RFC 8762 section 4.4) */
#define STAMP_HMAC_LEN \
	16u /* HMAC-SHA-256 cut to 128 bits (RFC 8762 section 4.4, RFC 8972 section 4.8) */
#define TWAMP_LIGHT_MIN 14u /* sequence, timestamp, error estimate (RFC 5357 section 4.1.2) */

/* Unauthenticated.  A sender's packet is zero from rx_ts on; RFC 8762 sections 4.2.1, 4.3.1, RFC 8972 section 3. */
struct stamp_base {
	be32_t seq;
	be64_t ts;      /* T1 of a request, T3 of a reply */
	be16_t error;   /* error estimate of ts (and of rx_ts) */
	be16_t ssid;    /* 0: not used */
	be64_t rx_ts;   /* T2 */
	be32_t s_seq;   /* of the request */
	be64_t s_ts;    /* T1 */
	be16_t s_error; /* of the request */
	be16_t mbz;
	uint8_t s_ttl; /* as received; 255: could not be read (RFC 5357 section 4.2) */
	uint8_t mbz2[3];
} __attribute__((packed));
static_assert(sizeof(struct stamp_base) == STAMP_BASE, "RFC 8762 section 4.3.1");

/* Authenticated.  RFC 8762 sections 4.2.2, 4.3.2, RFC 8972 section 3. */
struct stamp_auth {
	be32_t seq;
	uint8_t mbz[12];
	be64_t ts;
	be16_t error, ssid;
	uint8_t mbz2[4];
	be64_t rx_ts;
	uint8_t mbz3[8];
	be32_t s_seq;
	uint8_t mbz4[12];
	be64_t s_ts;
	be16_t s_error;
	uint8_t mbz5[6];
	uint8_t s_ttl;
	uint8_t mbz6[15];
	uint8_t hmac[STAMP_HMAC_LEN];
} __attribute__((packed));
static_assert(sizeof(struct stamp_auth) == STAMP_AUTH_BASE, "RFC 8762 section 4.3.2");
static_assert(offsetof(struct stamp_auth, hmac) == STAMP_AUTH_HASHED, "RFC 8762 section 4.4");
static_assert(offsetof(struct stamp_auth, s_ts) == 64 && offsetof(struct stamp_auth, s_ttl) == 80,
	      "RFC 8762 section 4.3.2");

/* ---- error estimate: RFC 8762 section 4.2.1, RFC 4656 section 4.1.2 ---------------------------------------------- */

#define STAMP_ERR_S      0x8000u /* the clock is synchronised to UTC by an external source */
#define STAMP_ERR_Z      0x4000u /* timestamps are PTP's, not NTP's */
#define STAMP_ERR_SCALE  0x3f00u
#define STAMP_ERR_MULTIP 0x00ffu /* zero: corrupt */

/* The estimate, Multiplier * 2^(Scale - 32) s, that is at least ns; beyond its reach: the largest. */
static inline uint16_t stamp_error_make(uint64_t ns, bool synchronised, bool ptp)
{
	/* in units of 2^-32 s, rounded up */
	unsigned __int128 v = (((unsigned __int128)ns << 32) + 999999999u) / 1000000000u;
	unsigned scale = 0;

	while (v > 255 && scale < 63) {
		v = (v + 1) >> 1;
		scale++;
	}
	if (v > 255)
		v = 255;
	if (v == 0)
		v = 1;
	return (uint16_t)((synchronised ? STAMP_ERR_S : 0) | (ptp ? STAMP_ERR_Z : 0) | scale << 8 |
			  (unsigned)v);
}

/* Nanoseconds, rounded up; UINT64_MAX beyond that. */
static inline uint64_t stamp_error_ns(uint16_t error)
{
	unsigned scale = (error & STAMP_ERR_SCALE) >> 8;
	unsigned __int128 v = (unsigned __int128)(error & STAMP_ERR_MULTIP) * 1000000000u << scale;

	v = (v + 0xffffffffu) >> 32;
	return v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
}

/* ---- timestamps: RFC 9197 sections 5.1 (PTP), 5.2 (NTP) ---------------------------------------------------------- */

#define STAMP_NTP_UNIX 2208988800u /* seconds from 1900 to 1970 */

/* utc_ns: since 1970, UTC. */
static inline uint64_t stamp_ntp_make(uint64_t utc_ns)
{
	uint64_t s = utc_ns / 1000000000u, ns = utc_ns % 1000000000u;

	return (s + STAMP_NTP_UNIX) << 32 | (ns << 32) / 1000000000u;
}

/* tai_utc_s: TAI - UTC, 37 since 2017; 0 for peers that put UTC into the PTP format. */
static inline uint64_t stamp_ptp_make(uint64_t utc_ns, int32_t tai_utc_s)
{
	uint64_t s = utc_ns / 1000000000u + (uint64_t)(int64_t)tai_utc_s, ns = utc_ns % 1000000000u;

	return s << 32 | ns;
}

/* Nanoseconds since 1970 UTC of a timestamp in either format.  Seconds are 32 bits of a longer count: the moment
 * nearest to near_ns (a rough "now", within 68 years) is meant, so an era change (NTP: 2036) is no event. */
static inline int64_t stamp_ts_ns(uint64_t ts, bool ptp, int32_t tai_utc_s, uint64_t near_ns)
{
	uint32_t low = (uint32_t)(ts >> 32), frac = (uint32_t)ts;
	uint64_t near_s = near_ns / 1000000000u;
	int64_t s, ns;

	if (ptp)
		low -= (uint32_t)tai_utc_s;
	else
		low -= STAMP_NTP_UNIX;
	s = (int64_t)near_s + (int32_t)(low - (uint32_t)near_s);
	ns = ptp ? (int64_t)frac : (int64_t)(((uint64_t)frac * 1000000000u + (1u << 31)) >> 32);
	return s * 1000000000 + ns;
}

/* ---- TLVs: RFC 8972 section 4 ------------------------------------------------------------------------------------ */

struct stamp_tlv {
	uint8_t flags, type;
	be16_t len; /* octets of the value */
	uint8_t value[];
} __attribute__((packed));
static_assert(sizeof(struct stamp_tlv) == 4, "RFC 8972 section 4");

#define STAMP_TLV_U 0x80u /* not recognised; set by the sender, cleared by who understands */
#define STAMP_TLV_M 0x40u /* malformed */
#define STAMP_TLV_I 0x20u /* integrity check failed */

enum stamp_tlv_type {
	STAMP_TLV_PADDING = 1,        /* RFC 8972 section 4.1 */
	STAMP_TLV_LOCATION = 2,       /* 4.2 */
	STAMP_TLV_TIMESTAMP = 3,      /* 4.3 */
	STAMP_TLV_COS = 4,            /* 4.4 */
	STAMP_TLV_DIRECT = 5,         /* 4.5 */
	STAMP_TLV_ACCESS = 6,         /* 4.6 */
	STAMP_TLV_FOLLOW_UP = 7,      /* 4.7 */
	STAMP_TLV_HMAC = 8,           /* 4.8 */
	STAMP_TLV_DEST_NODE = 9,      /* RFC 9503 */
	STAMP_TLV_RETURN_PATH = 10,   /* RFC 9503 */
	STAMP_TLV_MICRO_SESSION = 11, /* RFC 9534 */
};

enum stamp_location_sub { /* RFC 8972 section 4.2.1 */
			  STAMP_LOC_MAC = 1,
			  STAMP_LOC_EUI48 = 2,
			  STAMP_LOC_EUI64 = 3,
			  STAMP_LOC_DST = 4,
			  STAMP_LOC_DST4 = 5,
			  STAMP_LOC_DST6 = 6,
			  STAMP_LOC_SRC = 7,
			  STAMP_LOC_SRC4 = 8,
			  STAMP_LOC_SRC6 = 9,
};

enum stamp_return_sub { /* RFC 9503 */
			STAMP_RET_CONTROL = 1,
			STAMP_RET_ADDRESS = 2,
			STAMP_RET_MPLS = 3,
			STAMP_RET_SRV6 = 4,
};
#define STAMP_RET_REPLY_SAME_LINK \
	1u /* lowest bit of the control code: reply on the link of the request; 0: none */

enum stamp_sync_source { /* RFC 8972 section 5.4 */
			 STAMP_SYNC_NTP = 1,
			 STAMP_SYNC_PTP = 2,
			 STAMP_SYNC_SSU_BITS = 3,
			 STAMP_SYNC_GNSS = 4,
			 STAMP_SYNC_FREE_RUNNING = 5,
};

enum stamp_ts_method {
	STAMP_TS_HW = 1,
	STAMP_TS_SW = 2,
	STAMP_TS_CONTROL = 3
}; /* RFC 8972 section 5.5 */

/* The next TLV, and moves behind it.  Returns 1 and *ret, 0 at the end, or -EBADMSG when the value runs past the
 * packet: then *ret is the TLV whose header is there, or NULL when not even that is, and the cursor has not moved. */
static inline int stamp_tlv_next(struct wire_cur *c, const struct stamp_tlv **ret)
{
	const struct stamp_tlv *t = wire_peek(c, sizeof(*t));

	*ret = t;
	if (t == NULL)
		return wire_left(c) == 0 ? 0 : -EBADMSG;
	return wire_pull(c, sizeof(*t) + be16_get(t->len)) != NULL ? 1 : -EBADMSG;
}

/* Appends a TLV as a sender does, U set (RFC 8972 section 4); value NULL: zeros.  Returns its octets or -ENOSPC. */
static inline int stamp_tlv_build(void *buf, size_t cap, uint8_t type, const void *value,
				  uint16_t len)
{
	struct stamp_tlv *t = buf;

	if (cap < sizeof(*t) + len)
		return -ENOSPC;
	t->flags = STAMP_TLV_U;
	t->type = type;
	t->len = be16_make(len);
	if (value != NULL)
		memcpy(t->value, value, len);
	else
		memset(t->value, 0, len);
	return (int)(sizeof(*t) + len);
}

#endif
