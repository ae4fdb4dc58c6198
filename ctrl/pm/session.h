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

#define PM_NAME_MAX 128u

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

/* ---- state and operations ---------------------------------------------------------------------------------------- */

void pm_session_state(struct ctrl *c, struct http_req *req);
void pm_pacing_state(struct ctrl *c, struct http_req *req);
void pm_measure(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void pm_measure_fini(void);
void pm_impair(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void pm_impair_state(struct ctrl *c, struct http_req *req);

#endif
