/* SPDX-License-Identifier: BSD-3-Clause
 * Session-Senders in the control process: from configuration to PM_SESSION, and from what the data plane measured to
 * what people read. */
#ifndef CTRL_PM_SESSION_H
#define CTRL_PM_SESSION_H

#include <json-c/json.h>

#include "ctrl/ctrl.h"
#include "ctrl/dp.h"
#include "ctrl/pm/pm_private.h"
#include "heddle/api/pm_session.h"

#define PM_NAME_MAX   128u
#define PM_LOCAL_PORT 50862u /* UDP, unless configured */

/* Read what groupings 'where' and 'packets' say at `node`: one call of fn for each path, with everything filled but
 * session_id, SSID if none is configured, and what belongs to the caller (interval, count, liveness).  list: name of
 * the segment list's number, or NULL.  give: give numbers to segment lists; else they must have theirs.
 * Returns 0, fn's error, or -EINVAL with c->err filled. */
typedef int (*pm_path_fn)(void *arg, const char *name, const char *list,
			  struct hd_api_pm_session *m);
int pm_session_read(struct compile *c, const struct lyd_node *node, const char *name, bool give,
		    pm_path_fn fn, void *arg);

int pm_compile_sessions(struct compile *c, const struct lyd_node *pm);
void pm_describe_key(const void *body, char *buf, size_t size);
void pm_describe_session(const void *body, char *buf, size_t size);

/* The configured session of a number: its name, or NULL. */
const char *pm_session_name(const struct ctrl *c, uint32_t id);

/* ---- result.c ---------------------------------------------------------------------------------------------------- */

/* One session's answer, with its distributions. */
struct pm_result {
	struct hd_api_pm_session_state s;
	struct hd_pm_hist d[HD_PM_DIRS];
};
/* Next message of an answer to PM_SESSION_STATE; false: no more. */
bool pm_result_next(const struct dp_answer *a, size_t *off, struct pm_result *ret);
/* Members of grouping result. */
void pm_result_json(struct json_object *o, const struct pm_result *r, bool loopback);

/* ---- calibrate.c ------------------------------------------------------------------------------------------------- */

#define PM_CALIBRATE_MIN 10u /* packets that come back, or there is no result */

/* Leaf `calibration` of a session: its offset.  0, or -EINVAL with c->err filled. */
int pm_calibration_read(struct compile *c, const struct lyd_node *node,
			struct hd_api_pm_session *m);
/* Input of rpc calibrate: a session but for its number, SSID, count and interval.  0, or -EINVAL with c->err filled. */
int pm_calibrate_read(struct compile *c, const struct lyd_node *in, struct hd_api_pm_session *m);
/* What the node adds, and how far off that may be.  0, -ENODATA: too few packets came back, or -ERANGE: it is less than
 * what the loop takes, or far too much. */
int pm_calibrate_result(const struct pm_result *r, uint32_t loop_ns, uint32_t *ret_offset_ns,
			uint32_t *ret_error_ns);

/* What a calibration under way is about. */
struct pm_calibrate {
	char out[PM_NAME_MAX], back[PM_NAME_MAX]; /* interfaces; out "": it is none */
	uint32_t loop_ns;
};
void pm_calibrate_answer(struct http_req *req, const struct pm_result *r,
			 const struct pm_calibrate *k);

/* ---- state and operations ---------------------------------------------------------------------------------------- */

void pm_session_state(struct ctrl *c, struct http_req *req);
void pm_pacing_state(struct ctrl *c, struct http_req *req);
void pm_measure(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void pm_calibrate(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void pm_measure_fini(void);
void pm_impair(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void pm_impair_state(struct ctrl *c, struct http_req *req);

#endif
