/* SPDX-License-Identifier: BSD-3-Clause
 * IOAM (RFC 9197): what a node writes into a trace, as functions over octets; and the tables of the feature.
 * ioam.c is pure; ioam_tables.c has the object kinds, ioam_path.c the packet path, ioam_export.c what leaves it. */
#ifndef PIPELINES_PM_IOAM_H
#define PIPELINES_PM_IOAM_H

#include <stdbool.h>
#include <stdint.h>

#include "heddle/api/ioam.h"
#include "heddle/wire/ioam.h"

/* What a node knows of a packet.  UINT32_MAX: not available. */
struct ioam_hop {
	uint8_t hop_limit; /* as the packet leaves */
	uint32_t ingress, egress;
	uint32_t queue; /* buffers in the egress queue */
	uint64_t rx_ns; /* since 1970, UTC */
	int32_t tai_s;  /* TAI - UTC, for PTP's format */
};

enum ioam_added {
	IOAM_ADDED,
	IOAM_OVERFLOW, /* no room: the flag is set now, or was before */
	IOAM_MALFORMED,
};

/* Seconds and fraction in a namespace's format (RFC 9197 section 5). */
void ioam_time(enum hd_ioam_time format, const struct ioam_hop *hop, uint32_t *ret_seconds,
	       uint32_t *ret_fraction);
/* Words of this node's data, opaque snapshot included. */
unsigned ioam_words(const struct hd_api_ioam_ns *ns, uint32_t type);
/* Writes them; returns the octets. */
unsigned ioam_node_write(uint8_t *to, const struct hd_api_ioam_ns *ns, uint32_t type,
			 const struct ioam_hop *hop);
/* Add this node to a pre-allocated trace whose len octets begin at trace (the namespace).  Nothing but flags,
 * RemainingLen and the room of this node is written (RFC 9197 section 4.4.1). */
enum ioam_added ioam_trace_add(uint8_t *trace, unsigned len, const struct hd_api_ioam_ns *ns,
			       const struct ioam_hop *hop);

/* ---- tables ---------------------------------------------------------------------------------------------------- */

struct ioam_iface {
	bool on, decap;
	uint32_t if_id;
};

int ioam_init(void);
void ioam_fini(void);
/* Workers; NULL: this node has no part in the namespace. */
const struct hd_api_ioam_ns *ioam_ns_get(uint16_t ns);
const struct ioam_iface *ioam_iface_get(uint32_t iface_id); /* never NULL */

/* Row of vector "ioam". */
struct ioam_count {
	uint64_t traced, overflow, malformed, unknown_namespace, direct_exports, decapsulated,
		looped_back, terminated;
};
extern struct ioam_count *ioam_counts[];

/* ---- edge to edge ---------------------------------------------------------------------------------------------- */

/* Count a sequence number where the domain ends.  bits: 32 or 64.  Any worker. */
void ioam_group_count(uint16_t ns, const uint8_t source[16], uint64_t seq, unsigned bits);
void ioam_groups_reset(void);

/* ---- export: ioam_export.c ------------------------------------------------------------------------------------- */

struct worker;
struct rte_mbuf;
int ioam_export_init(void);
void ioam_export_fini(void);
/* A copy of the packet, whose IPv6 header is off octets into m, to the control thread.  Worker's thread. */
void ioam_export(struct worker *w, struct rte_mbuf *m, unsigned off, enum hd_ioam_why why,
		 uint16_t ns, const struct ioam_hop *hop);
/* A copy on its way back to the source (RFC 9322 section 4).  end: octets of the IPv6 header and the options. */
void ioam_loop_back(struct worker *w, struct rte_mbuf *m, unsigned off, unsigned end,
		    uint32_t iface);

/* ---- packet path: ioam_path.c ---------------------------------------------------------------------------------- */

/* As an rx_observer_fn. */
unsigned ioam_observe(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port);

struct ioam_encap; /* ioam_encap.h */

#endif
