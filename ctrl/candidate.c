/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/candidate.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "ctrl/ctrl.h"
#include "ctrl/file.h"
#include "ctrl/log.h"
#include "ctrl/yaml.h"

#define SAVE_DELAY_MS 300u

struct candidate {
	struct ctrl *c;
	bool exists;
	struct lyd_node *tree, *base; /* NULL: empty */
	uint32_t base_revision;
	uint64_t version;
	time_t time;
	char user[64];
	uv_timer_t save;
	bool dirty; /* not on disk as it is */
	/* the commit under way */
	uint64_t committed;    /* version that is being committed */
	struct lyd_node *copy; /* of its tree, for the thread */
	load_done_fn done;
	void *done_arg;
};

/* --- on disk --------------------------------------------------------------------------------- */

static const char *file_name(const struct candidate *cd, const char *what, char *buf, size_t size)
{
	snprintf(buf, size, "%s/candidate.%s", running_dir(cd->c->running), what);
	return buf;
}

/* candidate.json: its text; candidate.meta: from what, by whom; without the latter there is none. */
static void save(struct candidate *cd)
{
	char path[PATH_MAX];
	int rc = 0;

	if (!cd->dirty || running_dir(cd->c->running) == NULL)
		return;
	cd->dirty = false;
	if (!cd->exists) {
		unlink(file_name(cd, "meta", path, sizeof(path)));
		unlink(file_name(cd, "json", path, sizeof(path)));
		return;
	}
	struct config cfg = { .tree = cd->tree };
	char *text = config_json(&cfg);
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "base-revision", json_object_new_int64(cd->base_revision));
	json_object_object_add(o, "time", json_object_new_int64(cd->time));
	json_object_object_add(o, "user", json_object_new_string(cd->user));
	const char *meta = json_object_to_json_string(o);
	rc = text == NULL ?
		     -ENOMEM :
		     file_replace(file_name(cd, "json", path, sizeof(path)), text, strlen(text));
	if (rc == 0)
		rc = file_replace(file_name(cd, "meta", path, sizeof(path)), meta, strlen(meta));
	if (rc < 0)
		log_warning("the candidate will not outlive a restart: %s: %s", path,
			    strerror(-rc));
	json_object_put(o);
	free(text);
}

static void on_save(uv_timer_t *t)
{
	save(t->data);
}

static void restore(struct candidate *cd)
{
	char path[PATH_MAX], *text;
	struct ctrl_err err = { 0 };
	struct json_object *v;
	struct config *base = NULL;
	size_t len;

	if (running_dir(cd->c->running) == NULL ||
	    file_read(file_name(cd, "meta", path, sizeof(path)), 65536, &text, &len) < 0)
		return;
	struct json_object *o = json_tokener_parse(text);
	free(text);
	if (json_object_object_get_ex(o, "base-revision", &v))
		cd->base_revision = (uint32_t)json_object_get_int64(v);
	if (json_object_object_get_ex(o, "time", &v))
		cd->time = (time_t)json_object_get_int64(v);
	if (json_object_object_get_ex(o, "user", &v))
		snprintf(cd->user, sizeof(cd->user), "%s", json_object_get_string(v));
	json_object_put(o);
	int rc = file_read(file_name(cd, "json", path, sizeof(path)), YAML_TEXT_MAX, &text, &len);
	if (rc == 0) {
		rc = yaml_to_tree(cd->c->ly, text, len, &cd->tree, &err);
		free(text);
	}
	if (rc == 0 && cd->base_revision != 0)
		rc = running_read_version(cd->c->running, cd->base_revision, &base, &err);
	if (rc < 0) {
		log_warning("the candidate left in %s is not taken up again: %s", path,
			    err.msg[0] != '\0' ? err.msg : strerror(-rc));
		lyd_free_all(cd->tree);
		cd->tree = NULL;
		return;
	}
	if (base != NULL) {
		cd->base = base->tree;
		base->tree = NULL;
		config_destroy(base);
	}
	cd->exists = true;
	log_info("configuration: the candidate of %s is taken up again", cd->user);
}

/* --- life ------------------------------------------------------------------------------------ */

struct candidate *candidate_create(struct ctrl *c)
{
	struct candidate *cd = calloc(1, sizeof(*cd));

	if (cd == NULL)
		return NULL;
	cd->c = c;
	cd->version = (uint64_t)time(NULL) << 20;
	uv_timer_init(c->loop, &cd->save);
	cd->save.data = cd;
	restore(cd);
	return cd;
}

static void drop(struct candidate *cd)
{
	lyd_free_all(cd->tree);
	lyd_free_all(cd->base);
	cd->tree = cd->base = NULL;
	cd->exists = false;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

void candidate_destroy(struct candidate *cd)
{
	if (cd == NULL)
		return;
	save(cd);
	drop(cd);
	uv_timer_stop(&cd->save);
	uv_close((uv_handle_t *)&cd->save, on_closed);
}

static struct lyd_node *dup_tree(const struct lyd_node *tree, bool *ret_ok)
{
	struct lyd_node *copy = NULL;

	*ret_ok = tree == NULL ||
		  lyd_dup_siblings(tree, NULL, LYD_DUP_RECURSIVE | LYD_DUP_WITH_FLAGS, &copy) ==
			  LY_SUCCESS;
	return copy;
}

static int begin(struct candidate *cd)
{
	const struct lyd_node *running = running_config(cd->c->running)->tree;
	bool a, b;

	if (cd->exists)
		return 0;
	cd->tree = dup_tree(running, &a);
	cd->base = dup_tree(running, &b);
	cd->exists = true;
	if (!a || !b) {
		drop(cd);
		return -ENOMEM;
	}
	cd->base_revision = running_revision(cd->c->running);
	return 0;
}

static void touched(struct candidate *cd)
{
	cd->version++;
	cd->dirty = true;
	uv_timer_start(&cd->save, on_save, SAVE_DELAY_MS, 0);
}

struct lyd_node **candidate_edit(struct candidate *cd)
{
	return begin(cd) < 0 ? NULL : &cd->tree;
}

void candidate_changed(struct candidate *cd, const char *user)
{
	snprintf(cd->user, sizeof(cd->user), "%s", user);
	cd->time = time(NULL);
	touched(cd);
}

int candidate_replace(struct candidate *cd, struct lyd_node *tree, const char *user)
{
	int rc = begin(cd);

	if (rc < 0) {
		lyd_free_all(tree);
		return rc;
	}
	lyd_free_all(cd->tree);
	cd->tree = tree;
	candidate_changed(cd, user);
	return 0;
}

void candidate_discard(struct candidate *cd)
{
	drop(cd);
	touched(cd);
}

int candidate_rebase(struct candidate *cd, struct ctrl_err *err)
{
	const struct lyd_node *running = running_config(cd->c->running)->tree;
	struct lyd_node *changes = NULL, *tree, *base;
	bool a, b;

	if (!cd->exists)
		return ctrl_fail(err, -ENOENT, "there is no candidate");
	if (lyd_diff_siblings(cd->base, cd->tree, 0, &changes) != LY_SUCCESS)
		return ctrl_fail(err, -EIO, "the candidate's changes cannot be told: %s",
				 ly_errmsg(cd->c->ly));
	tree = dup_tree(running, &a);
	base = dup_tree(running, &b);
	bool fits = a && b && (changes == NULL || lyd_diff_apply_all(&tree, changes) == LY_SUCCESS);
	const char *why = fits ? "" : ly_errmsg(cd->c->ly);
	lyd_free_all(changes);
	if (!fits) {
		ctrl_fail(err, 0,
			  "the candidate does not fit what runs now: %s; see heddle diff, or give "
			  "it up: heddle candidate discard",
			  why != NULL ? why : "out of memory");
		err->tag = "operation-failed";
		lyd_free_all(tree);
		lyd_free_all(base);
		return -EEXIST;
	}
	lyd_free_all(cd->tree);
	lyd_free_all(cd->base);
	cd->tree = tree;
	cd->base = base;
	cd->base_revision = running_revision(cd->c->running);
	touched(cd);
	return 0;
}

/* --- questions ------------------------------------------------------------------------------- */

bool candidate_exists(const struct candidate *cd)
{
	return cd->exists;
}

const struct lyd_node *candidate_tree(const struct candidate *cd)
{
	return cd->exists ? cd->tree : running_config(cd->c->running)->tree;
}

uint32_t candidate_base(const struct candidate *cd)
{
	return cd->exists ? cd->base_revision : running_revision(cd->c->running);
}

uint64_t candidate_version(const struct candidate *cd)
{
	return cd->version;
}

time_t candidate_time(const struct candidate *cd)
{
	return cd->exists ? cd->time : running_time(cd->c->running);
}

const char *candidate_user(const struct candidate *cd)
{
	return cd->user;
}

/* --- commit ---------------------------------------------------------------------------------- */

int candidate_copy(struct candidate *cd, struct lyd_node **ret, struct ctrl_err *err)
{
	bool ok;

	*ret = dup_tree(candidate_tree(cd), &ok);
	return ok ? 0 : ctrl_fail(err, -ENOMEM, "out of memory");
}

static int make_config(const struct running *r, void *arg, struct config **ret,
		       struct ctrl_err *err)
{
	struct candidate *cd = arg;
	struct lyd_node *copy = cd->copy;

	(void)r;
	cd->copy = NULL; /* it passes */
	return config_from_tree(cd->c->ly, copy, "candidate", ret, err);
}

static void committed(void *arg, const struct load_result *res)
{
	struct candidate *cd = arg;

	lyd_free_all(cd->copy); /* it was not needed */
	cd->copy = NULL;
	/* Somebody may have gone on editing meanwhile: that stays, and has to be rebased. */
	if (res->rc == 0 && cd->exists && cd->version == cd->committed)
		candidate_discard(cd);
	cd->committed = 0;
	cd->done(cd->done_arg, res);
}

void candidate_commit(struct candidate *cd, const struct load *l, load_done_fn done, void *arg)
{
	struct load_result res = { 0 };
	struct load with = *l;

	if (cd->committed != 0)
		res.rc = ctrl_fail(&res.err, -EBUSY, "another commit is under way");
	else if (cd->exists && cd->base_revision != running_revision(cd->c->running))
		res.rc = ctrl_fail(&res.err, -EBUSY,
				   "revision %u has come into force since the candidate began from "
				   "%u: heddle candidate rebase carries its changes over",
				   running_revision(cd->c->running), cd->base_revision);
	else
		res.rc = candidate_copy(cd, &cd->copy, &res.err);
	if (res.rc < 0) {
		done(arg, &res);
		return;
	}
	cd->committed = cd->version;
	cd->done = done;
	cd->done_arg = arg;
	with.make = (struct load_make){ make_config, cd };
	running_load(cd->c->running, &with, committed, cd);
}
