/* SPDX-License-Identifier: BSD-3-Clause
 * IP-layer capacity (RFC 9097) in the data plane: the one test this node sends, and the responder that serves one test
 * of others.  Written by capacity.c in the control thread, and by the worker each of them belongs to; messages that
 * meet another worker are read and checked there and handed over. */
#ifndef PIPELINES_PM_CAPACITY_H
#define PIPELINES_PM_CAPACITY_H

#include <rte_ring.h>

#include "dataplane/node.h"
#include "dataplane/dp_limits.h"
#include "dataplane/stats.h"
#include "heddle/api/pm_capacity.h"
#include "heddle/wire/capacity.h"
#include "pipelines/pm/capacity_count.h"
#include "pipelines/pm/capacity_rate.h"
#include "pipelines/pm/datagram.h"
#include "pipelines/pm/sender_packet.h"

#define CAPACITY_BURST 64u
#define CAPACITY_SETUP (CAPACITY_BODY + CAPACITY_HMAC_LEN) /* octets of REQUEST, ACCEPT, STOP */

/* A checked message. */
struct capacity_handed {
	struct capacity_msg msg;
	uint64_t tsc;    /* of its arrival */
	uint32_t octets; /* of its IP packet */
	uint16_t sport, dport, vrf;
	uint8_t family, dscp;
	uint8_t src[16], dst[16];
};

/* One walk of a worker. */
struct capacity_run {
	struct rte_graph *graph;
	struct rte_node *node;
	struct node_slot *slot;
	uint64_t now;                          /* TSC */
	struct rte_mbuf *m[2][CAPACITY_BURST]; /* IPv4, IPv6 */
	unsigned n[2];
};

/* ns of a clock that only measures: neither set nor disciplined. */
uint64_t capacity_ns(uint64_t tsc);
uint64_t capacity_ticks(uint64_t ns);

/* Does the HMAC at the end of a message hold?  key NULL: none is wanted, and none is taken either. */
bool capacity_signed(const struct hmac_key *key, const struct capacity_msg *m, const uint8_t *p);
/* Send a message in a packet made ready.  False: no buffer, or the burst is full. */
bool capacity_emit(struct capacity_run *r, const struct sender_packet *p, struct capacity_msg *m,
		   const struct hmac_key *key, uint16_t vrf);

/* ---- sending: capacity_test.c ---------------------------------------------------------------------------------- */

/* Set once by the control thread, but for what the owner writes. */
struct capacity_test {
	struct hd_api_pm_capacity_state s; /* ask is fixed; the rest is the owner's */
	struct capacity_rate_conf conf;
	struct hmac_key key;
	bool has_key;
	struct sender_packet load, control; /* packets made ready */
	uint64_t id;
	bool end; /* asked for, by the control thread */
	/* the owner's */
	struct capacity_rate rate;
	uint64_t cookie;
	uint64_t asked, asks; /* TSC of the last request; how many */
	uint64_t begin;       /* TSC of the first load packet */
	double due;           /* of the next one, in cycles since then */
	uint32_t load_seq, feedback_seq;
	uint64_t mark, mark_octets; /* sender bit rate: since when, and how much */
	bool quiet;                 /* all load has been sent */
	bool has_sub[HD_PM_CAPACITY_SUBS_MAX];
	struct hd_api_pm_capacity_sub sub[HD_PM_CAPACITY_SUBS_MAX];
	struct hd_pm_capacity_rate sent[HD_PM_CAPACITY_RATES_MAX];
};

extern struct capacity_test *capacity_test; /* NULL: there was none */
#define CAPACITY_TEST_OWNER 0u

static inline bool capacity_test_runs(const struct capacity_test *t)
{
	return t != NULL && t->s.phase != HD_PM_CAPACITY_DONE;
}
/* A test that is to begin: everything of it but s.ask.path.src_port's packets is made here.  Control thread.
 * 0, or -EINVAL and *why a sentence. */
int capacity_test_make(struct capacity_test *t, const char **why);
/* A message to the test's port.  True: it is its peer's, and well signed. */
bool capacity_test_belongs(const struct capacity_test *t, const struct datagram *d,
			   const struct capacity_msg *m);
void capacity_test_take(struct capacity_test *t, struct capacity_run *r,
			const struct capacity_handed *h);
/* Whatever is due.  Returns the TSC of what is next. */
uint64_t capacity_test_run(struct capacity_test *t, struct capacity_run *r);

/* ---- serving: capacity_serve.c --------------------------------------------------------------------------------- */

/* Immutable once published. */
struct capacity_responder {
	struct hd_api_pm_capacity_responder conf;
	struct hmac_key key;
	bool has_key;
};
extern struct capacity_responder *capacity_responder; /* NULL: nobody is served */

/* The test that is served.  owner: the worker that met its request; only it writes the rest. */
struct capacity_served {
	int32_t owner; /* -1: none; atomic */
	bool running;  /* load has come */
	uint64_t test, cookie;
	struct capacity_handed peer; /* its request */
	uint32_t kbps, feedback_seq;
	uint64_t heard, due; /* TSC: last message; next feedback */
	uint64_t in, out;    /* octets of IP packets: never more out than in */
	uint64_t cost, slack,
		bucket; /* cycles an octet costs, in 2^-16; the rate that was granted */
	struct capacity_count count;
	struct sender_packet answer, feedback;
	struct hd_api_pm_capacity_served total;
};
extern struct capacity_served capacity_served;

/* May this address ask for a test? */
bool capacity_source_allowed(const struct capacity_responder *c, const struct datagram *d);
/* True: the message is of the test that is served. */
bool capacity_served_belongs(const struct capacity_msg *m, const struct datagram *d);
/* False: refused, being above the granted rate. */
bool capacity_served_load(const struct capacity_handed *h);
void capacity_served_take(const struct capacity_responder *c, struct capacity_run *r,
			  const struct capacity_handed *h);
uint64_t capacity_served_run(const struct capacity_responder *c, struct capacity_run *r);

/* ---- tables: capacity.c ---------------------------------------------------------------------------------------- */

extern struct rte_ring *capacity_rings[STATS_SLICES_MAX]; /* struct capacity_handed, by worker */
extern struct hmac_key capacity_secret;                   /* of cookies: nobody else can make one */

void capacity_rekey(uint32_t key_id); /* a key has changed */
int capacity_init(void);
void capacity_fini(void);

#endif
