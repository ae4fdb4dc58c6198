/* SPDX-License-Identifier: BSD-3-Clause
 * The table API: the one contract by which a control process programs a data plane.
 *
 * Transport: Unix stream socket (`dp.sock` of the run directory).  Every message is a struct hd_api_hdr
 * followed by `length - sizeof(hdr)` octets of body.  All integers are little-endian; addresses, MACs and
 * SIDs are octet strings in network order.  Structs have no hidden padding and grow only at their tail:
 * a message shorter than the receiver's struct is taken as zero in the missing tail, a longer one is
 * refused (E2BIG) unless the surplus is zero.
 *
 * Session:  HELLO -> HELLO reply (with the statistics segment's descriptor as SCM_RIGHTS).
 * Programming:  BEGIN, any number of object messages, COMMIT -> one REPLY.  All or nothing: a refused
 * transaction changes nothing, and its reply names the first message that failed.
 * An object message carries the object's kind in `type`; the first octets of its body are its key
 * (HD_API_KEY_SIZE of the kind).  Without HD_API_F_DEL it is an upsert, with it a delete (key alone is enough;
 * deleting what is absent succeeds).  The order inside a transaction does not matter.
 * Reconcile:  EPOCH_BEGIN, transactions that replay everything the owner holds, EPOCH_END: what was not
 * refreshed in the epoch is deleted.  Replaying an identical object touches nothing.
 * Reading:  DUMP{kind} -> the objects of that kind, HD_API_F_REPLY set, then one REPLY. */
#ifndef HEDDLE_API_API_H
#define HEDDLE_API_API_H

#include <assert.h>
#include <stdint.h>

#define HD_API_VERSION  1
#define HD_API_MSG_MAX  65536u /* octets of one message, header included */
#define HD_API_NAME_MAX 32u    /* object names, NUL-terminated inside this size */

struct hd_api_hdr {
	uint32_t length;  /* of the whole message, this header included */
	uint16_t type;    /* enum hd_api_type */
	uint16_t version; /* HD_API_VERSION */
	uint32_t seq;     /* chosen by the requester, repeated in the reply; 0 in events */
	uint32_t flags;   /* HD_API_F_* */
};
static_assert(sizeof(struct hd_api_hdr) == 16, "no hidden padding");

#define HD_API_F_DEL   0x1u /* object message: delete */
#define HD_API_F_REPLY 0x2u /* answer to the request with this seq */

/* High octet: who handles it (0 session, 1 l2, 2 ip, 3 srv6, 4 pm, 5 sfc, 6 bng, 15 debug).
 * Types below 0x100 and from 0xf00 on are requests; those between are object kinds. */
enum hd_api_type {
	HD_API_HELLO = 0x001,
	HD_API_BEGIN = 0x002,  /* no body */
	HD_API_COMMIT = 0x003, /* no body; struct hd_api_reply comes back */
	HD_API_ABORT = 0x004,  /* no body; forget the open transaction */
	HD_API_EPOCH_BEGIN = 0x005,
	HD_API_EPOCH_END = 0x006,
	HD_API_DUMP = 0x007,
	HD_API_REPLY = 0x008,
	HD_API_EVENT = 0x009,

	HD_API_PORT = 0x101,
	HD_API_IFACE = 0x102,
	HD_API_XDP_RULE = 0x103,
	HD_API_BRIDGE = 0x104,
	HD_API_BRIDGE_PORT = 0x105,
	HD_API_BRIDGE_MAC = 0x106,
	HD_API_VLAN_ENTRY = 0x107,

	HD_API_VRF = 0x201,
	HD_API_ADDR = 0x202,
	HD_API_NEXTHOP = 0x203,
	HD_API_NHGROUP = 0x204,
	HD_API_ROUTE = 0x205,
	HD_API_NEIGH = 0x206,
	HD_API_PUNT_POLICER = 0x207,

	HD_API_SRV6_CONF = 0x301,
	HD_API_SRV6_SEGLIST = 0x302,
	HD_API_SRV6_POLICY = 0x303,
	HD_API_SRV6_SID = 0x304,
	HD_API_SRV6_HMAC_KEY = 0x305,
	HD_API_SRV6_DOMAIN = 0x310,
	HD_API_SRV6_RULE = 0x311,
	HD_API_SRV6_INGRESS = 0x312,

	HD_API_PM_KEY = 0x401,
	HD_API_PM_REFLECTOR = 0x402,
	HD_API_PM_REFLECTOR_SESSION = 0x403,
	HD_API_PM_SESSION = 0x404,
	HD_API_PM_CAPACITY_RESPONDER = 0x405, /* pm_capacity.h */
	HD_API_ALTMARK_CONF = 0x410,          /* altmark.h */
	HD_API_ALTMARK_FLOW = 0x411,
	HD_API_ALTMARK_MARK = 0x412,
	HD_API_ALTMARK_IFACE = 0x413,
	HD_API_IOAM_NS = 0x420, /* ioam.h */
	HD_API_IOAM_IFACE = 0x421,
	HD_API_IOAM_ENCAP = 0x422,
	HD_API_BFD_SESSION = 0x430, /* bfd.h */

	HD_API_TRACE_START = 0xf01,
	HD_API_TRACE_READ = 0xf02,
	HD_API_TRACE_STOP = 0xf03,
	HD_API_TRACE_PACKET = 0xf04,
	HD_API_CAPTURE_START = 0xf05,
	HD_API_CAPTURE_STOP = 0xf06,
	HD_API_GRAPH_NODE = 0xf07,
	HD_API_WORKER = 0xf08,
	HD_API_DROP_SAMPLE = 0xf09,
	HD_API_PORT_STATE = 0xf0a,
	HD_API_NEIGH_STATE = 0xf0b,
	HD_API_WORKER_QUEUES = 0xf0c,
	HD_API_SRV6_SEGLIST_STATE = 0xf30,
	HD_API_PM_SESSION_STATE = 0xf40, /* pm_session.h */
	HD_API_PM_CUT = 0xf41,
	HD_API_PM_PACING = 0xf42,
	HD_API_PM_IMPAIR = 0xf43,
	HD_API_PM_CAPACITY = 0xf44, /* pm_capacity.h */
	HD_API_PM_CAPACITY_SUB = 0xf45,
	HD_API_PM_CAPACITY_RATES = 0xf46,
	HD_API_PM_CAPACITY_SERVED = 0xf47,
	HD_API_BRIDGE_MAC_STATE = 0xf20,
	HD_API_SRV6_OAM_STATE = 0xf21,
	HD_API_SRV6_CAPABILITY = 0xf22,
	HD_API_ALTMARK_STATE = 0xf50,
	HD_API_IOAM_READ = 0xf51,
	HD_API_IOAM_GROUPS = 0xf52,
	HD_API_BFD_STATE = 0xf53,
	HD_API_PROBE = 0xf10, /* probe.h */
	HD_API_EXPLAIN = 0xf11,
	HD_API_EXPLAIN_STEP = 0xf12,
	HD_API_EXPLAIN_END = 0xf13,
};

/* HELLO, both ways.  The data plane answers with its own; a version it does not speak is answered with
 * REPLY{EPROTO} whose text names both versions, and the connection is closed. */
struct hd_api_hello {
	uint32_t version;  /* HD_API_VERSION of the sender */
	uint32_t pid;      /* of the sender */
	uint64_t instance; /* data plane: changes with every start; ctrl: 0 */
	char software[64]; /* "heddle-dp 0.1.0" */
	/* Capacities of the data plane (0 from ctrl): ids must be below them. */
	uint32_t max_ifaces, max_vrfs, max_nexthops, max_nhgroups;
	uint32_t max_routes4, max_routes6, max_neighs, max_sids;
	uint32_t max_policies, max_seglists, n_workers,
		n_objects; /* n_objects: held now, over all kinds */
};
static_assert(sizeof(struct hd_api_hello) == 128, "no hidden padding");

/* REPLY.  error 0: done.  Otherwise an errno value, the sequence number of the message of the
 * transaction that failed, and a sentence. */
struct hd_api_reply {
	uint32_t error;
	uint32_t failed_seq;  /* hdr.seq of the message at fault; 0: the request itself */
	uint32_t failed_type; /* its type */
	uint32_t n_set, n_unchanged, n_del; /* what the transaction did */
	char text[232];                     /* NUL-terminated */
};
static_assert(sizeof(struct hd_api_reply) == 256, "no hidden padding");

struct hd_api_dump {
	uint16_t kind; /* an object kind */
	uint16_t pad;
	uint32_t max; /* most objects wanted; 0: all */
};
static_assert(sizeof(struct hd_api_dump) == 8, "no hidden padding");

enum hd_api_event_kind {
	HD_EVENT_PORT_STATE = 1,   /* u.port */
	HD_EVENT_WORKER_STALL = 2, /* u.stall */
	HD_EVENT_NEIGH = 3,        /* a neighbour appeared, changed or went: u.neigh */
	HD_EVENT_CAPTURE_DONE = 4, /* u.capture */
	HD_EVENT_LOG = 5,          /* text only: something the operator should see */
	HD_EVENT_SEGLIST = 16,     /* a segment list's first segment got or lost its way: struct
				    * hd_api_srv6_seglist_state in u.room */
	HD_EVENT_PM_SESSION = 17,  /* a session came up or went down: struct
				    * hd_api_pm_session_event in u.room */
	HD_EVENT_BFD = 18,  /* a session came up or went down: struct hd_api_bfd_event in u.room */
	HD_EVENT_PROBE = 6, /* answer to a probe: struct hd_api_probe_answer in u.room */
	HD_EVENT_NEIGH_WANTED =
		7, /* a neighbour on an interface of the host's is needed: u.neigh without mac */
};

struct hd_api_event {
	uint32_t kind; /* enum hd_api_event_kind */
	uint32_t pad;
	uint64_t time_ns; /* CLOCK_REALTIME */
	union {
		struct {
			uint32_t port_id, up, speed_mbps, error;
		} port;
		struct {
			uint32_t worker, stalled_ms;
			char node[32];
		} stall;
		struct {
			uint32_t iface_id, up;
			uint8_t family, pad[3], mac[6], pad2[2], addr[16];
		} neigh;
		struct {
			uint32_t capture_id, packets, missed, error;
		} capture;
		uint8_t room[48];
	} u;
	char text[192];
};
static_assert(sizeof(struct hd_api_event) == 256, "no hidden padding");

#endif
