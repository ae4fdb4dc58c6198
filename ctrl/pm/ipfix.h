/* SPDX-License-Identifier: BSD-3-Clause
 * IPFIX messages (RFC 7011) about IOAM records.  One template, in every message, since over UDP any may be lost
 * (section 8.4): source and destination address, flow label, time, node id, interfaces, hop limit, and the packet's
 * headers as they were (ipHeaderPacketSection), in which a collector finds the options.  Pure. */
#ifndef CTRL_PM_IPFIX_H
#define CTRL_PM_IPFIX_H

#include <stddef.h>
#include <stdint.h>

#include "heddle/api/ioam.h"

#define IPFIX_MESSAGE_MAX 1400u

struct ipfix {
	uint32_t domain;   /* Observation Domain ID */
	uint32_t sequence; /* data records sent before */
	uint8_t buf[IPFIX_MESSAGE_MAX];
	size_t len; /* 0: nothing in it */
	uint32_t n; /* records in it */
	size_t set; /* where the data set begins */
};

/* 0, or -ENOSPC: the message is full and is to be sent first. */
int ipfix_add(struct ipfix *x, const struct hd_api_ioam_record *r);
/* Complete the message; returns its length.  x->buf is to be sent; then the next one begins. */
size_t ipfix_finish(struct ipfix *x, uint32_t export_time);
void ipfix_next(struct ipfix *x);

#endif
