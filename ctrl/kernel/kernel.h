/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of the kernel mirror (heddle-kernel): what iproute2, FRR or BIRD gave the kernel goes into the data plane too.
 *
 * The kernel's state is read through rtnetlink into a model (model.c), each prefix of it is translated (translate.c),
 * and what differs from what the data plane holds is sent in bounded transactions, one at a time (mirror.c).  The
 * configuration comes first: an object that it has under the same key is never replaced by a mirrored one. */
#ifndef CTRL_KERNEL_KERNEL_H
#define CTRL_KERNEL_KERNEL_H

#include <stdbool.h>

#include "ctrl/domains.h"
#include "heddle/api/api.h"
#include "heddle/api/ip.h"

struct config;
struct mirror;

extern const struct ctrl_domain kernel_domain;

/* Does this configuration mirror the kernel on that interface?  Then ARP, ND and what is addressed to the host there
 * is the kernel's business. */
bool kernel_mirrors(const struct lyd_node *tree, const char *interface);
/* The kernel's device of an interface: 'netdev' of the configuration, "iface=" of the port's devargs, or its name. */
void kernel_netdev(const struct lyd_node *tree, const struct lyd_node *interface, char *buf,
		   size_t size);

/* Life.  NULL when memory is out. */
struct mirror *mirror_create(struct ctrl *c);
void mirror_destroy(struct mirror *m); /* memory is freed by the loop */

/* --- running configuration, by running.c ----------------------------------------------------- */

/* A load from one configuration to another is in the open transaction: add what must go with it (routes through an
 * interface that goes).  0, or -Exxx with err filled: the load is refused. */
int mirror_load(struct mirror *m, const struct config *to, struct ctrl_err *err);
/* An object leaves the configuration: send what the kernel has under its key instead.  False: nothing. */
bool mirror_takes_over(struct mirror *m, const struct object *gone, const struct config *to);
/* This configuration runs (again): follow it.  Called after each load, however it ended. */
void mirror_follow(struct mirror *m, const struct config *running);
/* The configuration was replayed into an open epoch: replay the mirror too, then call done, perhaps at once. */
void mirror_replay(struct mirror *m, void (*done)(void *arg), void *arg);
/* The data plane is gone.  True: a replay was under way; its done is not going to be called. */
bool mirror_dp_down(struct mirror *m);

/* --- questions ------------------------------------------------------------------------------- */

/* Is this object of the data plane a mirrored one? */
bool mirror_owns(const struct mirror *m, uint16_t type, const void *body);
/* The routing protocol's name ("bgp") when the data plane's route is mirrored; NULL: it is configured. */
const char *mirror_route_source(const struct mirror *m, const struct hd_api_route *r);
/* What a mirrored object of the data plane is; false: not one of ours. */
bool mirror_target_text(const struct mirror *m, uint32_t target, uint32_t id, char *buf,
			size_t size);
/* Addresses mirrored now, one by one. */
void mirror_addresses(const struct mirror *m, void (*fn)(void *arg, const struct hd_api_addr *a),
		      void *arg);

/* An address of the kernel's own, or a SID that it gave us. */
struct kernel_owned {
	uint8_t family, plen;
	bool kernel; /* packets to it are the kernel's; else Heddle's */
	uint8_t addr[16];
};

/* All of them, until fn returns another value than 0.  Any thread. */
void kernel_owned_each(int (*fn)(void *arg, const struct kernel_owned *o), void *arg);

/* The data plane needs a neighbour on an interface of the kernel (HD_EVENT_NEIGH_WANTED). */
void mirror_neighbour_wanted(struct mirror *m, const struct hd_api_event *ev);

#endif
