/* SPDX-License-Identifier: BSD-3-Clause
 * The confirmation that some versions wait for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/events.h"
#include "ctrl/log.h"
#include "ctrl/running_private.h"

#define REVERT_RETRY_MS 5000u

/* The clock may have been set, but the time given is never exceeded. */
void confirm_start(struct running *r)
{
	int64_t left = (int64_t)(r->now.confirm_until - time(NULL));

	if (r->now.revert_to == 0) {
		uv_timer_stop(&r->confirm);
		return;
	}
	left = left < 0 ? 0 : left > r->now.confirm_s ? r->now.confirm_s : left;
	uv_timer_start(&r->confirm, confirm_on_timer, (uint64_t)left * 1000, 0);
}

int confirm_now(struct running *r, struct ctrl_err *err)
{
	if (r->now.revert_to == 0)
		return ctrl_fail(err, -ENOENT, "no version waits for a confirmation");
	struct version v = r->now;
	v.revert_to = v.confirm_s = 0;
	v.confirm_until = 0;
	int rc = r->dir != NULL ? versions_update(r->dir, &v) : 0;
	if (rc < 0)
		return ctrl_fail(err, rc, "the confirmation cannot be written to %s: %s", r->dir,
				 strerror(-rc));
	r->now = v;
	uv_timer_stop(&r->confirm);
	log_info("configuration: revision %u is confirmed", v.revision);
	events_confirm(r->c->events, &v, "confirmed");
	return 0;
}

int running_confirm(struct running *r, struct ctrl_err *err)
{
	if (r->load.done != NULL)
		return ctrl_fail(err, -EBUSY,
				 "another configuration is being applied; try again in a moment");
	return confirm_now(r, err);
}

static void reverted(void *arg, const struct load_result *res)
{
	struct running *r = arg;
	char line[1500];

	if (res->rc == 0) {
		events_confirm(r->c->events, &r->now, "reverted");
		return;
	}
	log_error(
		"configuration: revision %u was not confirmed and cannot be left: %s; trying again",
		r->now.revision, ctrl_err_str(&res->err, line, sizeof(line)));
	if (r->now.revert_to != 0)
		uv_timer_start(&r->confirm, confirm_on_timer, REVERT_RETRY_MS, 0);
}

void confirm_revert(struct running *r)
{
	char comment[200];
	struct load l = { .user = "heddle-ctrl", .comment = comment, .confirms = true };

	snprintf(comment, sizeof(comment),
		 "back to revision %u: revision %u was not confirmed within %u s", r->now.revert_to,
		 r->now.revision, r->now.confirm_s);
	log_warning("configuration: %s", comment);
	running_rollback(r, r->now.revert_to, &l, reverted, r);
}

void confirm_on_timer(uv_timer_t *t)
{
	struct running *r = t->data;

	if (r->busy)
		uv_timer_start(&r->confirm, confirm_on_timer, 100, 0);
	else if (r->now.revert_to != 0)
		confirm_revert(r);
}

void running_cancel(struct running *r, const char *user, load_done_fn done, void *arg)
{
	struct load_result res = { 0 };
	char comment[100];
	struct load l = { .user = user, .comment = comment, .confirms = true };

	if (r->now.revert_to == 0) {
		res.rc = ctrl_fail(&res.err, -ENOENT, "no version waits for a confirmation");
		done(arg, &res);
		return;
	}
	snprintf(comment, sizeof(comment), "back to revision %u: revision %u was cancelled",
		 r->now.revert_to, r->now.revision);
	running_rollback(r, r->now.revert_to, &l, done, arg);
}
