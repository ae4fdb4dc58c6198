/* SPDX-License-Identifier: BSD-3-Clause
 * Verdicts of eth-input.  A pipeline that takes an ethertype adds its line here and calls l2_ethertype_register(). */
#ifndef PIPELINES_L2_ETH_INPUT_H
#define PIPELINES_L2_ETH_INPUT_H

#include "dataplane/node.h"

#define ETH_INPUT_VERDICTS(V, P)                                                         \
	V(P, IP4, "ip4-input", INFO, "IPv4")                                             \
	V(P, IP6, "ip6-input", INFO, "IPv6")                                             \
	V(P, INGRESS, "srv6-ingress", INFO, "the interface filters or steers by itself") \
	V(P, L2_POLICY, "srv6-encap-l2", INFO,                                           \
	  "the interface's frames go into an SR policy (RFC 8986 5.3)")                  \
	V(P, BRIDGE, "l2-bridge", INFO, "the interface is a member of a bridge domain")  \
	V(P, PUNT, "punt", INFO, "for the control thread, as ARP (RFC 826)")             \
	V(P, HOST, "punt", INFO, "the kernel's, through the port's twin")                \
	V(P, HOST_COPY, "drop", INFO,                                                    \
	  "left to the kernel, which has its own copy of the frame: nothing is wrong")   \
	V(P, TRUNCATED, "drop", ERROR,                                                   \
	  "shorter than its Ethernet header and tags (IEEE 802.3 3.1): "                 \
	  "look at the device that sends it")                                            \
	V(P, NO_IFACE, "drop", INFO,                                                     \
	  "no interface takes untagged frames of this port: "                            \
	  "configure one without a VLAN")                                                \
	V(P, UNKNOWN_VLAN, "drop", INFO,                                                 \
	  "no sub-interface has these tags (IEEE 802.1Q 8.6.2): "                        \
	  "is one missing in the configuration?")                                        \
	V(P, ADMIN_DOWN, "drop", INFO,                                                   \
	  "the interface is administratively down: "                                     \
	  "enabled is false in its configuration")                                       \
	V(P, NOT_OURS, "drop", INFO,                                                     \
	  "destination MAC is another station's: "                                       \
	  "has the sender a stale ARP or ND entry?")                                     \
	V(P, UNKNOWN_ETHERTYPE, "drop", INFO,                                            \
	  "ethertype or 802.3 frame that nothing here speaks (IEEE 802.3 3.2.6): "       \
	  "nothing is wrong unless it should be IP")
NODE_VERDICTS(eth_input, ETH_INPUT, ETH_INPUT_VERDICTS)

#endif
