/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of looking at packets: trace and capture (heddle-trace, heddle-capture). */
#ifndef CTRL_DEBUG_DEBUG_H
#define CTRL_DEBUG_DEBUG_H

#include "ctrl/domains.h"
#include "heddle/api/api.h"

extern const struct ctrl_domain debug_domain;

/* Headers of a packet in words: "IPv6 2001:db8::1 > fc00::1 hlim 63, SRH left 1 [..], IPv4 ..., UDP 1 > 2".  head
 * begins at an Ethernet or an IP header.  Returns buf. */
const char *debug_packet_text(const uint8_t *head, size_t len, char *buf, size_t size);

/* Does it begin with an Ethernet header?  Else with an IP header. */
bool debug_is_ethernet(const uint8_t *p, size_t len);

/* A lookup result word (kind << 26 | index) in words: "adjacency 5", "sid fc00:1::e/128".  Returns buf. */
const char *debug_result_text(struct ctrl *c, uint32_t result, char *buf, size_t size);

/* The sentence of a verdict, at most size octets, in its parts: "meaning", "reference", "advice". */
struct json_object;
void debug_meaning_json(struct json_object *o, const char *text, size_t size);

/* A capture ended (HD_EVENT_CAPTURE_DONE). */
void debug_capture_done(struct ctrl *c, const struct hd_api_event *ev);
void debug_dp_up(struct ctrl *c); /* a data plane has connected */
void debug_fini(struct ctrl *c);

#endif
