/* SPDX-License-Identifier: BSD-3-Clause
 * What can become of a packet in the SRv6 nodes: one list per node, expanded to enum, edges, counters and manual.
 * The pure functions answer with these names too, so this header needs neither DPDK nor the graph.
 *
 * The lists begin with the verdicts of forwarding (FWD_VERDICTS of pipelines/ip/ip.h; the node files assert that they
 * agree), with one difference: a node may not lead to itself, so what another SID or policy takes over goes by way of
 * ip6-lookup. */
#ifndef PIPELINES_SRV6_VERDICTS_H
#define PIPELINES_SRV6_VERDICTS_H

/* clang-format off */
/* `err`: where those go that its sender can be told of. */
#define SRV6_FWD_VERDICTS(V, P, what, sid_node, policy_node, err) \
	V(P, FORWARD, "port-tx", INFO, what ", looked up and sent to a neighbour") \
	V(P, LOCAL, "ip-local", INFO, "delivered on this node: its address, or allowed at the SID (RFC 8986 4.1.1)") \
	V(P, SID, sid_node, INFO, what ", the next destination is a local SID too (RFC 8754 4.3)") \
	V(P, POLICY, policy_node, INFO, what ", steered into an SR policy (RFC 9256 8)") \
	V(P, RESOLVE, "punt", INFO, what ", waits for the neighbour's address (RFC 4861 7.2)") \
	V(P, PUNT, "punt", INFO, "the route leads to the control plane") \
	V(P, FRAGMENT, "ip4-frag", INFO, "IPv4 packet longer than the egress MTU, fragmented first (RFC 791 2.3)") \
	V(P, TOO_BIG, err, WARN, "longer than the egress MTU: check the MTU of the path (RFC 8200 4.4)") \
	V(P, NO_ROUTE, err, WARN, "no route to the next segment (RFC 4443 3.1 code 0): see heddle show routes") \
	V(P, UNREACHABLE, err, WARN, "the route to the next segment says unreachable: see heddle show routes") \
	V(P, PROHIBIT, err, WARN, \
	  "the route to the next segment says prohibited (RFC 4443 3.1 code 1): see heddle show routes") \
	V(P, NEIGH_FAILED, err, WARN, \
	  "the neighbour does not answer ND (RFC 4443 3.1 code 3): see heddle show neighbours") \
	V(P, BLACKHOLE, "drop", INFO, "the route to the next segment says discard: see heddle show routes") \
	V(P, LINK_DOWN, "drop", WARN, "egress interface or its link is down: see heddle show interfaces") \
	V(P, GROUP_DOWN, "drop", WARN, \
	  "every member of the multipath group is down: see heddle show neighbours") \
	V(P, NO_OBJECT, "drop", WARN, \
	  "what the route or the SID points to was deleted: " \
	  "nothing is wrong if that is over, else heddle diff running dataplane") \
	V(P, NO_HEADROOM, "drop", ERROR, "no room in the packet buffer for the L2 header: raise --mbuf-room") \
	V(P, VRF_LOOP, "drop", ERROR, "routes send the packet through more than 4 VRFs: look for a loop")

#define SRV6_ENDPOINT_VERDICTS(V, P) \
	SRV6_FWD_VERDICTS(V, P, "segment advanced (RFC 8986 4.1)", "ip6-lookup", "srv6-encap", "icmp-error") \
	V(P, CROSS_CONNECT, "port-tx", INFO, "sent over the SID's own next hop, no lookup (RFC 8986 4.2, 4.4, 4.5)") \
	V(P, DECAP4, "ip4-input", INFO, "outer headers removed, IPv4 goes on in the SID's table (RFC 8986 4.7)") \
	V(P, DECAP6, "ip6-input", INFO, "outer headers removed, IPv6 goes on in the SID's table (RFC 8986 4.6)") \
	V(P, HOP_LIMIT, "icmp-error", WARN, "hop limit reached with segments left (RFC 8986 4.1 S05)") \
	V(P, INNER_HOP_LIMIT, "icmp-error", WARN, "hop limit or TTL of the inner packet reached (RFC 8200 3)") \
	V(P, BAD_LIST, "icmp-error", ERROR, "Last Entry or Segments Left outside the SRH (RFC 8986 4.1 S09)") \
	V(P, NOT_LAST, "icmp-error", ERROR, "segments left at a SID that must be the last (RFC 8986 4.4 to 4.12)") \
	V(P, ROUTING_TYPE, "icmp-error", ERROR, "unknown routing header with segments left (RFC 8200 4.4)") \
	V(P, UPPER_REFUSED, "icmp-error", WARN, "upper layer not allowed at this SID (RFC 8986 4.1.1)") \
	V(P, NEXT_HEADER, "icmp-error", ERROR, "hop-by-hop options not right behind the IPv6 header (RFC 8200 4)") \
	V(P, OPTION, "icmp-error", ERROR, "unknown option that asks for an answer (RFC 8200 4.2)") \
	V(P, OPTION_DROP, "drop", ERROR, \
	  "unknown option that asks for a silent drop (RFC 8200 4.2): " \
	  "see the packet with heddle capture") \
	V(P, TRUNCATED, "drop", ERROR, \
	  "headers run past the packet or its first buffer (RFC 8200 4): the sender, or --mbuf-room") \
	V(P, CHAIN_TOO_LONG, "drop", ERROR, "more than 8 extension headers: no honest sender needs as many") \
	V(P, FRAGMENTED, "drop", WARN, \
	  "fragment at the last segment, nothing reassembles here (RFC 8200 4.5): " \
	  "raise the MTU of the path") \
	V(P, INNER_SHORT, "drop", ERROR, \
	  "inner packet shorter than its header (RFC 8986 4.4 to 4.8): look at the headend") \
	V(P, INNER_VERSION, "drop", ERROR, \
	  "inner version contradicts the next header (RFC 8986 4.4 to 4.8): look at the headend") \
	V(P, INNER_ECN, "drop", WARN, \
	  "outer congestion mark on an inner packet that cannot carry it (RFC 6040 4.2): " \
	  "a queue on the path is congested") \
	V(P, L2_PORT, "port-tx", INFO, "frame out of the SID's interface (RFC 8986 4.9, 4.10)") \
	V(P, L2_BRIDGE, "l2-bridge", INFO, "frame to the SID's bridge domain (RFC 8986 4.11, 4.12)") \
	V(P, L2_NO_VLAN, "drop", WARN, \
	  "no interface for the frame's tags in the SID's VLAN table (RFC 8986 4.10): " \
	  "add them to bridges vlan-table") \
	V(P, L2_DOWN, "drop", WARN, \
	  "the frame's interface is gone or down (RFC 8986 4.9): see heddle show interfaces") \
	V(P, L2_TOO_BIG, "drop", WARN, \
	  "frame longer than the MTU of its interface (RFC 8986 4.9): " \
	  "raise that, or lower the customer's") \
	V(P, PROXY, "port-tx", INFO, "inner packet to the service behind the proxy (SFC proxies)") \
	V(P, PROXY_NO_SRH, "drop", WARN, \
	  "no SRH, or no segment left behind the proxy (RFC 8754 4.3.1): " \
	  "the proxy's SID must not be the last segment") \
	V(P, HMAC_BAD, "icmp-error", ERROR, "HMAC TLV does not verify: key, list or source (RFC 8754 2.1.2.1)") \
	V(P, HMAC_MISSING, "drop", WARN, \
	  "an SRH without HMAC TLV at a SID that wants one (RFC 8754 4.3.1.1.1): " \
	  "sign at the headend, or hmac off") \
	V(P, TLV_OVERRUN, "icmp-error", ERROR, "a TLV runs past the SRH (RFC 8754 2.1)") \
	V(P, CSID_INDEX, "icmp-error", ERROR, "CSID index beyond the container (RFC 9800 4.2)") \
	V(P, SID_GONE, "drop", INFO, \
	  "the SID was deleted while the packet was on its way: nothing is wrong if that is over") \
	V(P, NO_TABLE, "drop", ERROR, \
	  "the SID's table is gone (RFC 8986 4.3): give it another VRF, or delete the SID")

#define SRV6_ENCAP_VERDICTS(V, P) \
	SRV6_FWD_VERDICTS(V, P, "outer header pushed (RFC 8986 5.1)", "srv6-endpoint", "ip6-lookup", "icmp-error") \
	V(P, HOP_LIMIT, "icmp-error", WARN, "hop limit or TTL of the inner packet reached (RFC 8986 5.1 S05)") \
	V(P, TOO_BIG_MIN, "drop", WARN, \
	  "too long to encapsulate at 1280 octets or less, which IPv6 never goes below (RFC 8200 5): " \
	  "raise the MTU of the core") \
	V(P, INVALID_POLICY, "drop", WARN, \
	  "the policy has no valid segment list (RFC 9256 8.2): heddle show policies says why") \
	V(P, POLICY_GONE, "drop", INFO, \
	  "the policy was deleted while the packet was on its way: nothing is wrong if that is over") \
	V(P, NO_TABLE, "drop", ERROR, "the policy's table is gone: give it another VRF, or delete the policy") \
	V(P, NOT_IP, "drop", ERROR, \
	  "neither IPv4 nor IPv6, or shorter than its header (RFC 8986 5.1): " \
	  "only IP packets go into such a policy") \
	V(P, FRAME_POLICY, "drop", ERROR, \
	  "the policy is one for Ethernet frames, this is an IP packet (RFC 8986 5.3): " \
	  "use h-encaps for it") \
	V(P, NO_ROOM, "drop", ERROR, "no room in the packet buffer for the outer headers: raise --mbuf-room")

#define SRV6_INGRESS_VERDICTS(V, P) \
	V(P, IP4, "ip4-input", INFO, "passed; a policy it was steered into takes it when checked (RFC 9256 8.6)") \
	V(P, IP6, "ip6-input", INFO, "passed; a policy it was steered into takes it when checked (RFC 9256 8.6)") \
	V(P, RULE_DROP, "drop", INFO, \
	  "a rule of the classifier says drop: heddle show classifiers counts them by rule") \
	V(P, HMAC_BAD, "drop", WARN, \
	  "from outside, for a SID, with a bad HMAC TLV or none (RFC 8754 5.2): " \
	  "do both ends have the same key?") \
	V(P, SID_FROM_OUTSIDE, "drop", WARN, \
	  "from outside the SR domain to one of its SIDs (RFC 8754 5.1): " \
	  "is the interface inside after all?") \
	V(P, SOURCE_FROM_OUTSIDE, "drop", WARN, \
	  "from outside the SR domain with a source of its own (RFC 8754 5.1, 7): " \
	  "spoofed, or sr-domain is wrong") \
	V(P, FOREIGN_SOURCE, "drop", WARN, \
	  "to a SID of this node from a source that is none of the domain (RFC 8754 5.1): " \
	  "add it to the domain's prefixes") \
	V(P, MEASURED_FROM_OUTSIDE, "drop", WARN, \
	  "from outside the SR domain with AltMark or IOAM options (RFC 9341 7.1, RFC 9197 3): " \
	  "is the interface inside after all?")

/* Of frames nobody can be told: what would be answered is dropped. */
#define SRV6_ENCAP_L2_VERDICTS(V, P) \
	SRV6_FWD_VERDICTS(V, P, "outer header pushed (RFC 8986 5.3)", "srv6-endpoint", "ip6-lookup", "drop") \
	V(P, INVALID_POLICY, "drop", WARN, \
	  "the policy has no valid segment list (RFC 9256 8.2): heddle show policies says why") \
	V(P, POLICY_GONE, "drop", INFO, \
	  "the policy was deleted while the frame was on its way: nothing is wrong if that is over") \
	V(P, IP_POLICY, "drop", ERROR, \
	  "the policy is one for IP packets, this is an Ethernet frame (RFC 8986 5.3): " \
	  "use h-encaps-l2 for it") \
	V(P, NO_TABLE, "drop", ERROR, "the policy's table is gone: give it another VRF, or delete the policy") \
	V(P, RUNT, "drop", ERROR, \
	  "shorter than an Ethernet header (IEEE 802.3 3.1): look at the device that sends it") \
	V(P, NO_ROOM, "drop", ERROR, "no room in the packet buffer for the outer headers: raise --mbuf-room")
/* clang-format on */

#define SRV6_VERDICT_ENUM_(P, NAME, next, sev, help) P##_##NAME,
enum srv6_endpoint_verdict {
	SRV6_ENDPOINT_VERDICTS(SRV6_VERDICT_ENUM_, SRV6_EP) SRV6_EP_N_VERDICTS
};
enum srv6_encap_l2_verdict {
	SRV6_ENCAP_L2_VERDICTS(SRV6_VERDICT_ENUM_, SRV6_E2) SRV6_E2_N_VERDICTS
};
enum srv6_ingress_verdict { SRV6_INGRESS_VERDICTS(SRV6_VERDICT_ENUM_, SRV6_IN) SRV6_IN_N_VERDICTS };
enum srv6_encap_verdict { SRV6_ENCAP_VERDICTS(SRV6_VERDICT_ENUM_, SRV6_EN) SRV6_EN_N_VERDICTS };

#endif
