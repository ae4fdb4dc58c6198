/* SPDX-License-Identifier: BSD-3-Clause
 * IP-layer capacity in the control process: the responder's configuration, tests on demand, and what their numbers
 * mean in the terms of RFC 9097. */
#ifndef CTRL_PM_CAPACITY_H
#define CTRL_PM_CAPACITY_H

#include "ctrl/pm/pm_private.h"
#include "heddle/api/pm_capacity.h"

int pm_compile_capacity(struct compile *c, const struct lyd_node *pm);
void pm_describe_capacity(const void *body, char *buf, size_t size);
void pm_capacity(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void pm_capacity_end(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void pm_capacity_state(struct ctrl *c, struct http_req *req);

/* ---- capacity_result.c: pure ----------------------------------------------------------------------------------- */

enum capacity_limit {
	CAPACITY_BY_MAXIMUM,   /* the sender's own highest rate */
	CAPACITY_BY_RESPONDER, /* what the responder granted */
	CAPACITY_BY_PATH,      /* loss or delay */
	CAPACITY_BY_SENDER,    /* this node did not keep up */
	CAPACITY_BY_TIME       /* the rate was still growing */
};

/* Rate of a sub-interval in kbit/s (RFC 9097 section 5.3). */
uint32_t capacity_sub_kbps(uint64_t octets, uint32_t us);
double capacity_sub_loss(const struct hd_api_pm_capacity_sub *s);
/* Does it meet the criteria of PM? */
bool capacity_sub_meets(const struct hd_api_pm_capacity *ask,
			const struct hd_api_pm_capacity_sub *s);
/* The sub-interval that received most, of those that meet the criteria or of all; NULL: there is none. */
const struct hd_api_pm_capacity_sub *capacity_best(const struct hd_api_pm_capacity *ask,
						   const struct hd_api_pm_capacity_sub *s,
						   unsigned n, bool meeting);
enum capacity_limit capacity_limited_by(const struct hd_api_pm_capacity_state *s);
/* How a test ended, in words with what to do next. */
void capacity_reason(const struct hd_api_pm_capacity_state *s, char *buf, size_t size);

#endif
