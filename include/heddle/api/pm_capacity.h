/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of IP-layer capacity (RFC 9097): the responder, and the one test this node sends.  See api.h for the rules
 * every message follows. */
#ifndef HEDDLE_API_PM_CAPACITY_H
#define HEDDLE_API_PM_CAPACITY_H

#include "heddle/api/pm_session.h"

/* Hard limits: no option goes beyond. */
#define HD_PM_CAPACITY_KBPS_MAX     10000000u
#define HD_PM_CAPACITY_MS_MAX       60000u
#define HD_PM_CAPACITY_SUBS_MAX     128u
#define HD_PM_CAPACITY_SIZE_MIN     200u
#define HD_PM_CAPACITY_SIZE_MAX     1700u
#define HD_PM_CAPACITY_SOURCES_MAX  16u
#define HD_PM_CAPACITY_RATES_MAX    4096u
#define HD_PM_CAPACITY_FEEDBACK_MIN 20u /* ms: the range of RFC 9097 table 1 */
#define HD_PM_CAPACITY_FEEDBACK_MAX 250u
#define HD_PM_CAPACITY_SUB_MIN      250u /* ms */
#define HD_PM_CAPACITY_SUB_MAX      10000u

/* PM_CAPACITY_RESPONDER: serve load tests of others.  Key: responder_id.  Without it nobody is served.
 * Errors: EINVAL, ENOENT key, EADDRINUSE another service has the port. */
struct hd_api_pm_capacity_responder {
	uint32_t responder_id; /* 1 */
	uint32_t udp_port;
	uint32_t key_id; /* 0: messages are not authenticated */
	uint32_t max_kbps, max_ms;
	uint32_t n_sources; /* 1..HD_PM_CAPACITY_SOURCES_MAX */
	struct {
		uint8_t family, len; /* 4 or 6; prefix length */
		uint8_t pad[2];
		uint8_t addr[16];
	} source[HD_PM_CAPACITY_SOURCES_MAX];
};
static_assert(sizeof(struct hd_api_pm_capacity_responder) == 24 + 16 * 20, "no hidden padding");

enum hd_pm_capacity_command { HD_PM_CAPACITY_START = 1, HD_PM_CAPACITY_END = 2 };

/* PM_CAPACITY: with a body it begins or ends a test, without one it is answered by what there is of the last one: a
 * PM_CAPACITY (struct hd_api_pm_capacity_state), a PM_CAPACITY_SUB for each sub-interval known, PM_CAPACITY_RATES, and
 * a PM_CAPACITY_SERVED if there is a responder.  The test goes on by itself; it cannot last longer than duration_ms and
 * two seconds.  Errors: EBUSY one is running, EINVAL, ENOENT VRF or key, EADDRINUSE no port is free. */
struct hd_api_pm_capacity {
	struct hd_api_pm_session path; /* where to and what headers; src_port 0: chosen */
	uint32_t command;              /* enum hd_pm_capacity_command */
	uint32_t size;                 /* octets of an IP packet, without an outer header */
	uint32_t max_kbps, duration_ms, sub_ms, feedback_ms;
	uint32_t seq_errors, bad_reports, fast_rows, low_us, high_us; /* RFC 9097 table 1 */
	uint32_t stop_ms;                                             /* feedback message timeout */
	uint32_t loss_ppm,
		range_us; /* criteria of PM (section 6.3): kept for who reads the result */
};
static_assert(sizeof(struct hd_api_pm_capacity) == sizeof(struct hd_api_pm_session) + 56,
	      "no hidden padding");

enum hd_pm_capacity_phase {
	HD_PM_CAPACITY_NONE = 0,
	HD_PM_CAPACITY_ASKING = 1,
	HD_PM_CAPACITY_RUNNING = 2,
	HD_PM_CAPACITY_DONE = 3
};
enum hd_pm_capacity_result {
	HD_PM_CAPACITY_OK = 0,
	HD_PM_CAPACITY_NO_ANSWER = 1, /* to the request */
	HD_PM_CAPACITY_REFUSED = 2,   /* by the responder: answer */
	HD_PM_CAPACITY_NO_LOAD = 3,   /* accepted, but no load packet was ever reported */
	HD_PM_CAPACITY_SILENT = 4,    /* feedback stopped */
	HD_PM_CAPACITY_ENDED = 5      /* as asked for */
};

struct hd_api_pm_capacity_state {
	struct hd_api_pm_capacity ask;
	uint64_t start_ns;                 /* wall time of the first load packet */
	uint32_t phase, result, answer;    /* answer: enum capacity_answer of wire/capacity.h */
	uint32_t granted_kbps, granted_ms; /* what the responder said */
	uint32_t elapsed_ms, row, kbps, top_kbps; /* kbps: offered now; top_kbps: the most ever */
	uint32_t n_subs, n_rates;
	uint32_t confirmed;                   /* congestion was */
	uint32_t ups, holds, downs, backoffs; /* what messages, and their absence, led to */
	uint32_t limit_reached; /* reports of no congestion at the highest row allowed */
	uint32_t pad;
	uint64_t sent, received, skipped; /* load packets; skipped: this worker was too late for */
	uint64_t feedbacks, ignored;      /* messages; those that were old */
	uint64_t rtt_min_ns, rtt_max_ns, rtt_n;
};
static_assert(sizeof(struct hd_api_pm_capacity_state) ==
		      sizeof(struct hd_api_pm_capacity) + 8 + 18 * 4 + 8 * 8,
	      "no hidden padding");

/* A sub-interval as the receiver counted it; delays in ns above the least of the test. */
struct hd_api_pm_capacity_sub {
	uint32_t index, us;
	uint64_t octets, sent_octets; /* received; sent in the same time of the sender */
	uint32_t packets, lost, reordered, duplicates;
	uint32_t delay_min, delay_max, variation;
	uint32_t rtt_n;
	uint64_t rtt_min_ns, rtt_max_ns;
};
static_assert(sizeof(struct hd_api_pm_capacity_sub) == 72, "no hidden padding");

/* IP-layer sender bit rate (RFC 9097 section 7), by feedback interval. */
struct hd_pm_capacity_rate {
	uint32_t at_ms; /* end, since the first load packet */
	uint32_t kbps;
};
struct hd_api_pm_capacity_rates {
	uint32_t first, n;
	struct hd_pm_capacity_rate rate[128];
};
static_assert(sizeof(struct hd_api_pm_capacity_rates) == 8 + 128 * 8, "no hidden padding");

struct hd_api_pm_capacity_served {
	uint64_t tests, refused, packets, octets, feedbacks; /* since the data plane began */
	uint32_t running;                                    /* a test is */
	uint32_t granted_kbps;
	uint8_t family, pad[7]; /* of the peer */
	uint8_t peer[16];
};
static_assert(sizeof(struct hd_api_pm_capacity_served) == 72, "no hidden padding");

#endif
