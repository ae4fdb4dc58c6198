/* SPDX-License-Identifier: BSD-3-Clause
 * Compression of a SID list by the headend (RFC 9800): which SIDs travel together in one container.
 * Pure: octets in, octets out. */
#ifndef CTRL_SRV6_CSID_H
#define CTRL_SRV6_CSID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csid_block {
	uint8_t prefix[16]; /* locator block */
	uint8_t len;        /* its bits, 1..120 */
	uint8_t csid_len;   /* bits of one compressed SID; len + csid_len <= 128 */
	bool replace;       /* REPLACE-CSID, else NEXT-CSID */
};

/* The entries to put into the segment list for n SIDs, in the order of travel.
 * NEXT-CSID: a container is the block and the CSIDs behind each other; a SID of several CSIDs (node and function) stays
 * together.  REPLACE-CSID: the first SID of a series as it is, then containers of CSIDs from the lowest slot upwards.
 * SIDs of no block stay as they are.
 *   ret     room for cap entries
 * Returns 0; -E2BIG more than cap entries; -EINVAL with *ret_at the SID that nothing can follow: a SID of a
 * REPLACE-CSID block takes the next entry for a container, so one alone cannot be followed by another block's. */
int csid_compress(const uint8_t (*sid)[16], unsigned n, const struct csid_block *block,
		  unsigned n_blocks, uint8_t (*ret)[16], unsigned cap, unsigned *ret_n,
		  unsigned *ret_at);

#endif
