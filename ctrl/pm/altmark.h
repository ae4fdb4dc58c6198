/* SPDX-License-Identifier: BSD-3-Clause
 * Domain altmark: alternate marking (heddle-altmark).  altmark.c compiles, altmark_collect.c reads counters of the own
 * data plane and of peers, altmark_calc.c compares them, altmark_state.c answers. */
#ifndef CTRL_PM_ALTMARK_H
#define CTRL_PM_ALTMARK_H

#include "ctrl/domains.h"
#include "ctrl/http_client.h"
#include "ctrl/pm/altmark_calc.h"

extern const struct ctrl_domain altmark_domain;

/* Begin to collect; stop before jobs are awaited. */
void altmark_start(struct ctrl *c);
void altmark_stop(void);

/* ---- shared by the files of the domain ------------------------------------------------------------------------- */

/* A flow at a point: this node, or a peer. */
struct altmark_point {
	struct altmark_point *next;
	char flow[32], peer[32]; /* peer "": this node */
	uint32_t flow_id, mon_id;
	uint8_t source[16];
	uint64_t not_before; /* this node: the first whole block since it counts; 0: not known yet */
	bool used;           /* by the configuration */
	struct altmark_series series;
};

struct altmark_peer {
	struct altmark_peer *next;
	char name[32];
	struct http_peer http;
	bool asking, reachable, used;
	char problem[256];
};

struct altmark_task {
	struct altmark_task *next;
	char name[32], flow[32], from[32], to[32]; /* from, to: "": this node */
	bool used;
	struct altmark_measure measure;
};

struct altmark_book {
	struct altmark_point *points;
	struct altmark_peer *peers;
	struct altmark_task *tasks;
};
extern struct altmark_book altmark_book;

struct altmark_point *altmark_point_find(const char *flow, const char *peer);

void altmark_state(struct ctrl *c, struct http_req *req);
bool altmark_metric(struct ctrl *c, uint32_t n, uint32_t max, bool open, char *buf, size_t size);

#endif
