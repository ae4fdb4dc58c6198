/* SPDX-License-Identifier: BSD-3-Clause
 * Verdicts of ip-local.  A pipeline that serves an upper layer adds its line here and calls ip_local_register(). */
#ifndef PIPELINES_IP_IP_LOCAL_H
#define PIPELINES_IP_IP_LOCAL_H

#include "dataplane/node.h"

#define IP_LOCAL_VERDICTS(V, P)                                                                       \
	V(P, ECHO4, "ip4-lookup", INFO, "echo request answered (RFC 792)")                            \
	V(P, ECHO6, "ip6-lookup", INFO, "echo request answered (RFC 4443 4.2)")                       \
	V(P, STAMP, "pm-reflect", INFO, "STAMP test packet for the Session-Reflector (RFC 8762)")     \
	V(P, STAMP_REPLY, "pm-reply", INFO, "STAMP packet for the Session-Sender (RFC 8762)")         \
	V(P, BFD, "bfd-receive", INFO, "BFD control packet (RFC 5881 4, RFC 5883 5)")                 \
	V(P, CAPACITY, "capacity-receive", INFO, "load or feedback of a capacity test (RFC 9097)")    \
	V(P, PUNT, "punt", INFO, "for the control thread or the control process")                     \
	V(P, HOST, "punt", INFO, "the kernel's, through the port's twin")                             \
	V(P, HOST_COPY, "drop", INFO,                                                                 \
	  "left to the kernel, which has its own copy of the frame: nothing is wrong")                \
	V(P, PROTOCOL, "icmp-error", INFO, "no such protocol here (RFC 792, RFC 4443 3.4 code 1)")    \
	V(P, PORT, "icmp-error", INFO,                                                                \
	  "nobody listens at this UDP port (RFC 792, RFC 4443 3.1 code 4)")                           \
	V(P, OPTION, "icmp-error", WARN,                                                              \
	  "option unknown here that forbids to go on (RFC 8200 4.2)")                                 \
	V(P, ROUTING, "icmp-error", WARN,                                                             \
	  "routing header with segments left at an address that is no SID (RFC 8200 4.4)")            \
	V(P, HEADER_ORDER, "icmp-error", WARN,                                                        \
	  "hop-by-hop options not directly behind the IPv6 header (RFC 8200 4)")                      \
	V(P, CONSUMED, "drop", INFO,                                                                  \
	  "taken in, nothing to answer (RFC 4443 2.4): ICMP errors and replies, no next header")      \
	V(P, FRAGMENT, "drop", WARN,                                                                  \
	  "fragment for this node (RFC 8200 4.5): it does not reassemble; check the MTU of the path") \
	V(P, OPTION_DROP, "drop", WARN,                                                               \
	  "option unknown here that says discard (RFC 8200 4.2): see the packet with heddle capture") \
	V(P, BAD_CHECKSUM, "drop", ERROR,                                                             \
	  "ICMP checksum is wrong (RFC 4443 2.3, RFC 792): the packet was damaged on its way")        \
	V(P, TRUNCATED, "drop", ERROR,                                                                \
	  "headers run past the packet (RFC 8200 4): look at the sender")                             \
	V(P, HEADER_SPLIT, "drop", ERROR,                                                             \
	  "headers not in the first buffer segment: raise --mbuf-room")                               \
	V(P, TOO_MANY_HEADERS, "drop", WARN,                                                          \
	  "more than 8 extension headers: no honest sender needs as many")                            \
	V(P, NO_SOURCE, "drop", WARN,                                                                 \
	  "no address to reply from (RFC 4443 2.2): give the interface one")
NODE_VERDICTS(ip_local, IP_LOCAL, IP_LOCAL_VERDICTS)

#endif
