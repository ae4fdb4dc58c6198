/* SPDX-License-Identifier: BSD-3-Clause */
/* BFD Control packet (RFC 5880 section 4.1). */
#ifndef HEDDLE_WIRE_BFD_H
#define HEDDLE_WIRE_BFD_H

#include <errno.h>

#include <heddle/wire/wire.h>

#define BFD_LEN           24u
#define BFD_VERSION       1u
#define BFD_PORT          3784u  /* RFC 5881 section 4 */
#define BFD_PORT_MULTIHOP 4784u  /* RFC 5883 section 5 */
#define BFD_SOURCE_PORT   49152u /* and above: RFC 5881 section 4 */

enum bfd_fsm { BFD_ADMIN_DOWN = 0, BFD_DOWN = 1, BFD_INIT = 2, BFD_UP = 3 };

enum bfd_diag { /* section 4.1; those that are set here */
		BFD_DIAG_NONE = 0,
		BFD_DIAG_EXPIRED = 1,
		BFD_DIAG_NEIGHBOR_DOWN = 3,
		BFD_DIAG_ADMIN_DOWN = 7,
};

#define BFD_F_POLL   0x20u /* of the second octet, below the state */
#define BFD_F_FINAL  0x10u
#define BFD_F_CPI    0x08u /* control plane independent */
#define BFD_F_AUTH   0x04u
#define BFD_F_DEMAND 0x02u
#define BFD_F_MULTI  0x01u

struct bfd_packet {
	uint8_t diag, state, flags, mult;
	uint32_t my_discr, your_discr;
	uint32_t min_tx_us, min_rx_us, min_echo_us;
};

/* A packet of len octets of UDP payload, as far as it can be judged without a session (section 6.8.6).
 * Returns 0; -EBADMSG shorter than it says or than it must be; -EPROTONOSUPPORT another version; -EINVAL a field
 * that must not be zero, or a state that cannot be with Your Discriminator zero; -EKEYREJECTED authenticated,
 * which nobody here is. */
static inline int bfd_parse(const uint8_t *p, size_t len, struct bfd_packet *ret)
{
	struct bfd_packet b;

	if (len < BFD_LEN)
		return -EBADMSG;
	if (p[0] >> 5 != BFD_VERSION)
		return -EPROTONOSUPPORT;
	b = (struct bfd_packet){ .diag = p[0] & 0x1f,
				 .state = p[1] >> 6,
				 .flags = p[1] & 0x3f,
				 .mult = p[2],
				 .my_discr = wire_get32(p + 4),
				 .your_discr = wire_get32(p + 8),
				 .min_tx_us = wire_get32(p + 12),
				 .min_rx_us = wire_get32(p + 16),
				 .min_echo_us = wire_get32(p + 20) };
	if (p[3] < ((b.flags & BFD_F_AUTH) != 0 ? BFD_LEN + 2 : BFD_LEN) || p[3] > len)
		return -EBADMSG;
	if (b.mult == 0 || (b.flags & BFD_F_MULTI) != 0 || b.my_discr == 0 ||
	    (b.your_discr == 0 && b.state != BFD_DOWN && b.state != BFD_ADMIN_DOWN))
		return -EINVAL;
	if ((b.flags & BFD_F_AUTH) != 0)
		return -EKEYREJECTED;
	*ret = b;
	return 0;
}

static inline void bfd_build(uint8_t p[BFD_LEN], const struct bfd_packet *b)
{
	p[0] = (uint8_t)(BFD_VERSION << 5 | b->diag);
	p[1] = (uint8_t)(b->state << 6 | b->flags);
	p[2] = b->mult;
	p[3] = BFD_LEN;
	wire_put32(p + 4, b->my_discr);
	wire_put32(p + 8, b->your_discr);
	wire_put32(p + 12, b->min_tx_us);
	wire_put32(p + 16, b->min_rx_us);
	wire_put32(p + 20, b->min_echo_us);
}

#endif
