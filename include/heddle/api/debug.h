/* SPDX-License-Identifier: BSD-3-Clause
 * Table API requests for looking into a running data plane: packet trace, capture, graph, workers, drops. */
#ifndef HEDDLE_API_DEBUG_H
#define HEDDLE_API_DEBUG_H

#include "heddle/api/api.h"

/* What packets a trace wants.  All conditions given must hold; none given: every packet.
 * Matching is done where the packet enters (eth-input), on the outermost IP header. */
struct hd_api_trace_filter {
	uint32_t iface_id; /* ingress; 0 any */
	uint8_t family;    /* of prefix; 0 none */
	uint8_t plen;
	uint8_t either;  /* 1: source or destination matches prefix; 0: destination only */
	uint8_t has_sid; /* 1: active or listed segment equals sid */
	uint8_t prefix[16];
	uint8_t sid[16];
	uint32_t session_id; /* 0 any */
};
static_assert(sizeof(struct hd_api_trace_filter) == 44, "no hidden padding");

/* TRACE_START: trace up to max_packets packets; replaces a running trace. */
struct hd_api_trace_start {
	struct hd_api_trace_filter filter;
	uint32_t max_packets; /* 1..1024 */
};
static_assert(sizeof(struct hd_api_trace_start) == 48, "no hidden padding");

#define HD_TRACE_STEPS_MAX 16u
#define HD_TRACE_HEAD      128u
struct hd_api_trace_step {
	uint32_t node;        /* row of the "node" statistics vector */
	uint16_t verdict;     /* row of the verdict vector below, 0xffff: left by edge only */
	uint16_t verdict_vec; /* index of that node's verdict vector in the statistics directory */
	uint32_t tsc_delta;   /* since ingress */
	uint32_t result;      /* lookup result word after the node (kind << 26 | index) */
	uint32_t vrf_id;
	uint16_t length;   /* packet octets when entering the node, from the L2 or L3 header on */
	uint16_t head_len; /* octets of head that are valid */
	uint8_t head[HD_TRACE_HEAD]; /* packet at entry of the node, from its current L3 (or L2) header */
};
static_assert(sizeof(struct hd_api_trace_step) == 24 + HD_TRACE_HEAD, "no hidden padding");

/* TRACE_READ answers with one TRACE_PACKET per finished packet (each is read once), then REPLY. */
struct hd_api_trace_packet {
	uint64_t time_ns; /* CLOCK_REALTIME at ingress */
	uint32_t iface_id, worker;
	uint32_t n_steps, steps_lost; /* lost: beyond HD_TRACE_STEPS_MAX */
	struct hd_api_trace_step step[HD_TRACE_STEPS_MAX];
};
static_assert(sizeof(struct hd_api_trace_packet) == 24 + HD_TRACE_STEPS_MAX * (24 + HD_TRACE_HEAD),
	      "no hidden padding");

/* CAPTURE_START, with a writable descriptor (memfd or regular file) as SCM_RIGHTS: the data plane writes pcapng
 * into it as packets pass, and sends HD_EVENT_CAPTURE_DONE when count or a CAPTURE_STOP is reached.
 * Errors: EBUSY a capture runs, ENOENT no such node, EINVAL filter does not compile (text says why). */
struct hd_api_capture_start {
	uint32_t count;   /* packets; 0: until stopped */
	uint32_t snaplen; /* octets; 0: whole packets */
	char node[32]; /* graph node whose input is captured; "" = port-rx and port-tx; "drop" has the reasons */
	char filter[512]; /* pcap-filter(7) expression on the Ethernet frame (L3 packet inside the nodes); "" all */
};
static_assert(sizeof(struct hd_api_capture_start) == 552, "no hidden padding");

/* GRAPH_NODE: answer to an empty GRAPH_NODE request, one per node. */
#define HD_GRAPH_EDGES_MAX 64u
struct hd_api_graph_node {
	uint32_t node, n_edges; /* node: row in the "node" statistics vector */
	char name[32];
	uint32_t edge[HD_GRAPH_EDGES_MAX]; /* node rows */
};
static_assert(sizeof(struct hd_api_graph_node) == 40 + 4 * HD_GRAPH_EDGES_MAX, "no hidden padding");

/* WORKER: answer to an empty WORKER request, one per worker. */
struct hd_api_worker_queue {
	uint32_t port_id;
	uint16_t queue, pad;
};
struct hd_api_worker {
	uint32_t worker, lcore, n_queues, state; /* state: 0 stopped, 1 running, 2 stalled */
	int32_t cpu;                             /* -1: not pinned */
	uint32_t numa;
	struct hd_api_worker_queue queue[32];
};
static_assert(sizeof(struct hd_api_worker) == 24 + 8 * 32, "no hidden padding");

/* WORKER_QUEUES: place one RX queue on a worker (0xffffffff: let the data plane spread all evenly again). */
struct hd_api_worker_queues {
	uint32_t port_id;
	uint16_t queue, pad;
	uint32_t worker;
};
static_assert(sizeof(struct hd_api_worker_queues) == 12, "no hidden padding");

/* PORT_STATE: answer to an empty PORT_STATE request, one per port. */
struct hd_api_port_state {
	uint32_t port_id, up, speed_mbps, n_rxq, n_txq, mtu;
	uint8_t mac[6], pad[2];
	char driver[32];
	uint64_t rx_missed, rx_errors, rx_nombuf, tx_errors; /* from the device */
};
static_assert(sizeof(struct hd_api_port_state) == 96, "no hidden padding");

/* DROP_SAMPLE: answer to an empty DROP_SAMPLE request, one per drop reason that was hit: the last packet. */
struct hd_api_drop_sample {
	uint16_t verdict_vec, verdict; /* as in trace steps */
	uint32_t worker;
	uint64_t time_ns;
	uint32_t iface_id, vrf_id;
	uint32_t result; /* lookup result word: names the object (adjacency, SID, policy) involved */
	uint16_t length, head_len;
	uint8_t head[HD_TRACE_HEAD];
};
static_assert(sizeof(struct hd_api_drop_sample) == 32 + HD_TRACE_HEAD, "no hidden padding");

/* EXPLAIN: the way one packet would take, found by the data plane's own nodes and tables, without an effect: nothing is
 * sent, counted, policed, learned or asked for.  The packet follows the struct: a frame as the interface's port would
 * receive it, or with HD_EXPLAIN_F_L3 a packet from its IP header on, before which an Ethernet header to the interface
 * (its MAC, its tags) is put.  Answers: EXPLAIN_STEP in the order of processing, one EXPLAIN_END for each packet that
 * there was in the end, then REPLY.
 * Errors: ENOENT no such interface, EINVAL no packet, not IP, EMSGSIZE longer than HD_EXPLAIN_FRAME_MAX. */
struct hd_api_explain {
	uint32_t iface_id;                              /* ingress */
	uint32_t flags;                                 /* HD_EXPLAIN_F_* */
	uint16_t outer_tpid, outer_vid, inner_vid, pad; /* F_TAGS: as in struct hd_api_iface */
};
static_assert(sizeof(struct hd_api_explain) == 16, "no hidden padding");
#define HD_EXPLAIN_F_L3      0x1u
#define HD_EXPLAIN_F_TAGS    0x2u /* with F_L3: these tags instead of the interface's */
#define HD_EXPLAIN_FRAME_MAX 9800u

/* An entry that decided, most general first: of a route to what it leads to. */
enum hd_explain_kind {
	HD_EXPLAIN_IFACE = 1, /* id: iface_id */
	HD_EXPLAIN_ROUTE =
		2, /* vrf_id, family, plen, addr: the prefix found; id: result word; arg: who says so */
	HD_EXPLAIN_NO_ROUTE = 3, /* vrf_id, family, addr: what was looked up in vain */
	HD_EXPLAIN_NEXTHOP =
		4, /* id: nh_id; vrf_id: iface_id; addr: gateway; arg: enum hd_explain_adj */
	HD_EXPLAIN_NEIGH = 5,     /* vrf_id: iface_id; addr; arg: enum hd_explain_adj */
	HD_EXPLAIN_NHGROUP = 6,   /* id: group_id */
	HD_EXPLAIN_CONNECTED = 7, /* id: iface_id; addr: who would be asked for */
	HD_EXPLAIN_LOCAL = 8,     /* id: iface_id or 0 */
	HD_EXPLAIN_SID = 9,       /* id: sid_id */
	HD_EXPLAIN_POLICY = 10,   /* id: policy_id */
	HD_EXPLAIN_SEGLIST = 11,  /* id: seglist_id */
	HD_EXPLAIN_SPECIAL = 12,  /* id: 0 blackhole, 1 unreachable, 2 prohibit */
	HD_EXPLAIN_RULE = 13,     /* id: rule_id of a classifier */
	HD_EXPLAIN_BRIDGE = 14,   /* id: bridge_id */
	HD_EXPLAIN_MEMBER = 15,   /* id: member_id of a bridge; arg: enum hd_explain_member */
	HD_EXPLAIN_VLAN =
		16, /* id: VLAN table; vrf_id: outer VID << 16 | inner VID, as the frame has them */
};
/* ROUTE.arg: whose word about the prefix holds, the strongest first. */
enum hd_explain_source {
	HD_EXPLAIN_SRC_ROUTE = 0,
	HD_EXPLAIN_SRC_CONNECTED,
	HD_EXPLAIN_SRC_NEIGH,
	HD_EXPLAIN_SRC_LOCAL,
	HD_EXPLAIN_SRC_SID
};
enum hd_explain_member {
	HD_EXPLAIN_MEMBER_FROM = 0, /* the frame came from there */
	HD_EXPLAIN_MEMBER_LEARNED,  /* its destination was learned there */
	HD_EXPLAIN_MEMBER_STATIC,   /* its destination is configured there */
	HD_EXPLAIN_MEMBER_ALL,      /* id 0: to all that may have it */
};
enum hd_explain_adj {
	HD_EXPLAIN_ADJ_RESOLVED = 0,
	HD_EXPLAIN_ADJ_INCOMPLETE,
	HD_EXPLAIN_ADJ_GLEAN,
	HD_EXPLAIN_ADJ_FAILED,
	HD_EXPLAIN_ADJ_DOWN
};
struct hd_api_explain_entry {
	uint16_t kind; /* enum hd_explain_kind */
	uint8_t family, plen;
	uint32_t id, vrf_id, arg;
	uint8_t addr[16];
};
static_assert(sizeof(struct hd_api_explain_entry) == 32, "no hidden padding");

#define HD_EXPLAIN_ENTRIES_MAX 8u
#define HD_EXPLAIN_HEAD        512u
struct hd_api_explain_step {
	uint32_t node;                 /* row of the "node" statistics vector */
	uint16_t verdict, verdict_vec; /* as in trace steps; 0xffff: left by edge only */
	uint16_t packet;               /* number: 1 is the one asked about */
	uint16_t made_from; /* a packet seen for the first time: the number of the one it was made from; 0: the same */
	uint32_t result; /* lookup result word after the node */
	uint32_t vrf_id; /* table of the next lookup, at entry */
	uint16_t length; /* whole packet at entry, from its current L3 (or L2) header */
	uint16_t offset; /* of head in the packet's buffer: octets at one place before and after are the same octets */
	uint16_t head_len, n_entries;
	struct hd_api_explain_entry entry[HD_EXPLAIN_ENTRIES_MAX];
	uint8_t head[HD_EXPLAIN_HEAD]; /* at entry */
};
static_assert(sizeof(struct hd_api_explain_step) == 28 + 32 * 8 + 512, "no hidden padding");

enum hd_explain_fate {
	HD_EXPLAIN_SENT = 1, /* iface_id: out of this interface */
	HD_EXPLAIN_DROPPED,  /* why: the last verdict */
	HD_EXPLAIN_PUNTED,   /* reason, text: what the slow path would do */
	HD_EXPLAIN_REPLACED, /* by the packets made from it */
};
/* EXPLAIN_END: the packet follows the struct, whole. */
struct hd_api_explain_end {
	uint16_t packet, fate; /* enum hd_explain_fate */
	uint32_t iface_id;
	uint32_t reason; /* row of the "punt" statistics vector */
	uint16_t length, offset;
	char text[144];
};
static_assert(sizeof(struct hd_api_explain_end) == 160, "no hidden padding");

/* Punt/inject socket (dp-punt.sock, SOCK_SEQPACKET): one datagram is this header, then the packet from its
 * L2 header on.  From ctrl: reason 0, iface_id is the egress interface and the frame is complete, or
 * HD_PUNT_F_ROUTE: an IP packet, looked up in vrf_id. */
struct hd_api_punt {
	uint16_t version; /* HD_API_VERSION */
	uint16_t reason;  /* row of the "punt" statistics vector */
	uint32_t iface_id, vrf_id;
	uint16_t l3_off; /* octets from the frame's start */
	uint16_t flags;
	uint64_t time_ns; /* CLOCK_REALTIME at ingress */
};
static_assert(sizeof(struct hd_api_punt) == 24, "no hidden padding");
#define HD_PUNT_F_ROUTE 0x1u

#endif
