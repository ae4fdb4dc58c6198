/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_KERNEL_KERNEL_PRIVATE_H
#define CTRL_KERNEL_KERNEL_PRIVATE_H

#include <uv.h>

#include "ctrl/ctrl.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/kernel/nl_msg.h"
#include "ctrl/objset.h"
#include "heddle/api/ip.h"
#include "heddle/api/srv6.h"

/* --- what is to be mirrored (conf.c) --------------------------------------------------------- */

#define CONF_TABLES_MAX 256u
struct mirror_conf {
	bool enabled;
	bool punt;       /* what cannot be carried goes to the kernel; else it is dropped */
	char netns[256]; /* "": that of this process */
	uint32_t rcvbuf; /* octets */
	uint32_t n_tables;
	struct {
		uint32_t table, vrf_id;
	} table[CONF_TABLES_MAX];
	uint32_t n_ifaces;
	struct conf_iface {
		uint32_t iface_id;
		bool twin;
		char netdev[16];
	} * iface; /* those that are mirrored */
	bool any_protocol;
	uint8_t protocol[32];     /* bit per RTPROT_* */
	uint8_t encap_source[16]; /* of the configuration; unspecified: none */
};

int mirror_conf_read(struct mirror_conf *conf, const struct lyd_node *tree, const struct ids *ids);
void mirror_conf_free(struct mirror_conf *conf);
bool mirror_conf_equal(const struct mirror_conf *a, const struct mirror_conf *b);
int kernel_compile(struct compile *c);
const char *protocol_name(uint8_t protocol, char buf[8]);
int protocol_number(const char *name); /* -1: no such */

/* --- objects that a route needs in the data plane (dpo.c) ------------------------------------ */

/* A next hop, group, segment list or policy, one for each content, counted.  Its id is from the upper half of the
 * data plane's ids; the lower half is the configuration's. */
struct dpo {
	struct dpo *hnext, *dead_next;
	uint16_t type;
	bool in_dp, on_dead_list;
	bool leaving; /* its deletion is in flight */
	uint32_t refs, id;
	uint32_t n_deps;
	struct dpo **dep; /* what it refers to; counted */
	uint32_t size;
	uint8_t body[]; /* of the message; id included */
};

struct dpo_table {
	struct dpo **bucket;
	uint32_t n_buckets, n;
	struct dpo *dead; /* without users, to be deleted from the data plane or freed */
	/* ids in use, by kind */
	struct dpo_ids {
		uint16_t type;
		uint32_t base, n, next;
		struct dpo **at; /* by id - base */
	} ids[4];
	struct objset adopted; /* what the data plane held when it was met: ids stay what they were */
};

int dpo_table_init(struct dpo_table *t, const struct hd_api_hello *hello);
void dpo_table_fini(struct dpo_table *t);
/* body: a message whose id is 0.  A counted reference, or NULL with *rc -ENOMEM or -ENOSPC.  deps are taken over. */
struct dpo *dpo_get(struct dpo_table *t, uint16_t type, const void *body, uint32_t size,
		    struct dpo **dep, uint32_t n_deps, int *rc);
void dpo_ref(struct dpo *d);
void dpo_unref(struct dpo_table *t, struct dpo *d); /* takes NULL */
void dpo_free(struct dpo_table *t,
	      struct dpo *d); /* of the dead list, no longer in the data plane */
const struct dpo *dpo_by_id(const struct dpo_table *t, uint16_t type, uint32_t id);
void dpo_adopt(struct dpo_table *t, const struct ctrl_kind *kind, const void *body, uint32_t size);

/* --- the kernel as it is (model.c) ----------------------------------------------------------- */

struct klink {
	struct klink *next;
	struct nl_link l;
	uint32_t iface_id; /* of Heddle's interface; 0: none */
	uint32_t gen;
	bool twin; /* of a port that the kernel does not have itself */
	bool told; /* that the kernel forwards there */
};

/* An address or a neighbour. */
struct kitem {
	struct kitem *hnext, *dirty_next;
	bool is_neigh, dirty, gone, sent, in_flight;
	bool unsure;  /* nobody knows whether the data plane has it as `sent` says */
	bool refused; /* by the data plane, until it is tried again */
	uint8_t family, plen, scope;
	uint8_t addr[16], mac[6];
	uint16_t state; /* NUD_* */
	bool peer;
	uint32_t index, flags, gen;
	union {
		struct hd_api_addr addr;
		struct hd_api_neigh neigh;
	} obj; /* when sent */
};

/* A next hop or several, shared by the routes that go the same way. */
struct way {
	struct way *hnext;
	struct kroute *routes; /* that go this way */
	uint32_t refs;
	uint32_t nh_id; /* of the kernel's next-hop object; then legs are those of the object */
	uint8_t family;
	bool resolved;
	/* the translation */
	char *reason;                /* why it cannot be carried; NULL: it can */
	uint32_t target;             /* HD_TARGET_*, when not a SID */
	struct dpo *dpo;             /* counted */
	struct hd_api_srv6_sid *sid; /* a SID, but for its prefix and row */
	uint32_t n_legs;
	struct nl_leg leg[];
};

struct kroute {
	struct kroute *next; /* of the prefix, the one in use first */
	struct kroute *way_next, **way_at;
	struct kprefix *prefix;
	struct way *way;
	uint32_t priority, gen, oif;
	uint8_t type, scope, protocol, tos;
	bool src_specific;
};

enum sent { SENT_NONE, SENT_ROUTE, SENT_SID };

struct kprefix {
	struct kprefix *hnext, *dirty_next;
	struct kroute *first;
	uint32_t table;
	uint8_t family, plen;
	bool dirty, in_flight;
	bool unsure; /* nobody knows whether the data plane has it as `sent` says */
	bool waits_for_room;
	uint8_t sent; /* enum sent */
	uint8_t addr[16];
	uint32_t vrf_id;             /* when sent */
	uint32_t target;             /* of a sent route */
	uint32_t sid_row;            /* 0: none */
	struct dpo *dpo;             /* of what is sent; counted */
	struct hd_api_srv6_sid *sid; /* sent */
	uint8_t protocol;            /* of the route that is sent */
	bool not_carried;            /* as last told; prefix_wanted() says why */
	char *refused;               /* by the data plane, until something changes */
};

struct knexthop {
	struct knexthop *hnext;
	uint32_t gen;
	struct nl_nexthop n;
};

struct model {
	struct klink *links;
	struct kitem **items;
	uint32_t n_items, n_item_buckets;
	struct kprefix **prefixes;
	uint32_t n_prefixes, n_prefix_buckets, n_routes;
	struct way **ways;
	uint32_t n_ways, n_way_buckets;
	struct knexthop **nexthops;
	uint32_t n_nexthop_buckets, n_nexthops;
};

/* What is told of is marked with the generation of that time; a dump begins a new one and sweeps what is older. */
enum kclass { K_LINK = 1, K_ADDR = 2, K_NEIGH = 4, K_NEXTHOP = 8, K_ROUTE4 = 16, K_ROUTE6 = 32 };
#define K_ALL 63u

int model_init(struct mirror *m);
void model_fini(struct mirror *m);
/* dump: it came in answer to a dump.  Counts those it cannot read. */
void model_message(struct mirror *m, const struct nlmsghdr *h, bool dump);
void prefix_free(struct mirror *m, struct kprefix *p);
void item_free(struct mirror *m, struct kitem *i);
void model_sweep(struct mirror *m, enum kclass class, uint32_t gen);
struct klink *model_link(const struct mirror *m, uint32_t index);
const struct knexthop *model_nexthop(const struct mirror *m, uint32_t id);
void model_remap(struct mirror *m); /* the configuration of interfaces changed */
bool model_address_covers(const struct mirror *m, uint32_t index, const struct kprefix *p);
/* Address of ours in that prefix's link: which interface of the kernel is `addr` on?  0: none. */
uint32_t model_on_link(const struct mirror *m, uint8_t family, const uint8_t *addr);
bool model_source6(const struct mirror *m, uint8_t addr[16]);
void way_unref(struct mirror *m, struct way *w);
void way_translation_free(struct mirror *m, struct way *w);
/* Next hops changed their meaning: translate them again, now or when they are needed. */
void ways_forget(struct mirror *m, uint32_t nh_id); /* 0: all */
struct kprefix *prefix_find(const struct mirror *m, uint32_t table, uint8_t family, uint8_t plen,
			    const uint8_t *addr);

/* --- translation (translate.c) --------------------------------------------------------------- */

void way_resolve(struct mirror *m, struct way *w);

/* What the data plane should have for a prefix. */
struct wanted {
	enum sent what;
	uint32_t vrf_id;
	uint32_t target;
	struct dpo *dpo; /* borrowed of the way */
	const struct hd_api_srv6_sid *sid;
	uint8_t protocol;
	const char *why; /* not carried, and why */
};
void prefix_wanted(struct mirror *m, struct kprefix *p, struct wanted *w);
bool conf_vrf(const struct mirror *m, uint32_t table, uint32_t *ret_vrf_id);

/* --- socket (socket.c) ----------------------------------------------------------------------- */

struct nlsock;
struct nlsock *nlsock_create(struct mirror *m);
void nlsock_destroy(struct nlsock *s);
void nlsock_dump(struct nlsock *s, unsigned classes); /* enum kclass */
void nlsock_soon(struct nlsock *s, unsigned classes); /* after a moment, many changes at once */
bool nlsock_synced(const struct nlsock *s); /* everything was read once, and no dump is due */
/* Have the kernel find (or confirm) a neighbour, as if a packet needed it. */
void nlsock_resolve(struct nlsock *s, uint32_t index, uint8_t family, const uint8_t *addr);

/* --- the mirror itself (mirror.c) ------------------------------------------------------------ */

struct mirror_counts {
	uint64_t messages, unreadable, overruns, dumps, transactions, refused_transactions;
	uint64_t sent, deleted;
};

struct mirror {
	struct ctrl *c;
	struct mirror_conf conf;
	struct model model;
	struct nlsock *sock; /* NULL: not enabled, or it cannot be opened */
	char problem[200];   /* why sock is NULL */
	uint32_t gen;        /* of the model, from 1 */

	struct kprefix *dirty, *dirty_last;
	struct kitem *dirty_items;
	uint32_t n_dirty;

	struct dpo_table dpos;
	bool dpos_ready; /* a data plane is connected and was asked what it has */
	bool full; /* it has no space: no more are tried until something goes or time passes */
	uint8_t *sid_used; /* rows of SIDs, upper half */
	uint32_t sid_base, sid_n, sid_next;
	struct objset adopted_sids;
	unsigned adopting; /* dumps not yet answered */

	bool in_flight;     /* a transaction of ours */
	bool undo_void;     /* a load went out behind it: what it undoes is not sure */
	uint32_t batch;     /* most steps of a transaction: halves when one is refused */
	uint32_t n_objects; /* messages in it */
	struct undo *undo;
	size_t n_undo, cap_undo;
	struct running *load; /* messages go into this load's transaction */
	bool ignore_config;
	bool owned_dirty; /* an address or SID came or went */

	bool replaying;
	uint64_t replay_deadline;
	void (*replay_done)(void *arg);
	void *replay_arg;

	uv_timer_t timer, pump_timer;
	bool pump_timer_ready;
	uint32_t ticks, keep_alive_at;
	uint32_t log_credit;
	uint32_t n_refused;   /* prefixes that are not carried */
	uint32_t n_set_aside; /* refused by the data plane */
	struct mirror_counts count;
};

/* --- for steering (owned.c) -------------------------------------------------------------------- */

/* Tell it what the model has now; what runs is compiled anew if that is something else. */
void owned_update(struct mirror *m);
/* The list itself; fresh passes.  True: it changed. */
bool kernel_owned_set(struct kernel_owned *fresh, size_t n);

void prefix_dirty(struct mirror *m, struct kprefix *p);
void item_dirty(struct mirror *m, struct kitem *i);
void mirror_pump(struct mirror *m);
void mirror_pump_timer(uv_timer_t *t);

/* --- state (state.c) ------------------------------------------------------------------------- */

void kernel_state(struct ctrl *c, struct http_req *req);
void kernel_routes(struct ctrl *c, struct http_req *req);
void kernel_neighbours(struct ctrl *c, struct http_req *req);
void kernel_refused(struct ctrl *c, struct http_req *req);

#endif
