/* SPDX-License-Identifier: BSD-3-Clause
 * What runs, where it is kept, and how it comes back.  load.c changes it, confirm.c keeps or reverts it, reconcile.c
 * and refresh.c bring the data plane in line with it. */
#include "ctrl/running.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/api.h"
#include "ctrl/cfg.h"
#include "ctrl/domains.h"
#include "ctrl/events.h"
#include "ctrl/file.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/log.h"
#include "ctrl/running_private.h"
#include "ctrl/yaml.h"

/* --- persistence ----------------------------------------------------------------------------- */

uint64_t running_hash_file(const char *path)
{
	uint64_t h = 14695981039346656037ull;
	char *text;
	size_t len;

	if (file_read(path, YAML_TEXT_MAX, &text, &len) < 0)
		return 0;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 1099511628211ull;
	free(text);
	return h;
}

char *running_path(const struct running *r, char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s/%s", r->dir, name);
	return buf;
}

static void restore_ids(struct running *r)
{
	char path[PATH_MAX], bad[PATH_MAX + 8];

	int rc = ids_load(r->c->ids, running_path(r, path, sizeof(path), "ids.json"));
	if (rc == 0 || rc == -ENOENT)
		return;
	snprintf(bad, sizeof(bad), "%s.bad", path);
	rename(path, bad);
	log_warning("%s is damaged; it is kept as %s and objects get new numbers", path, bad);
}

int running_restore(struct running *r, struct ctrl_err *err)
{
	struct config *cfg;
	char path[PATH_MAX];

	if (r->dir == NULL || access(running_path(r, path, sizeof(path), "running.json"), F_OK) < 0)
		return ctrl_fail(err, -ENOENT, "no configuration was kept");
	int rc = config_read(r->c->ly, path, &cfg, err);
	if (rc == 0) {
		rc = config_compile(cfg, r->c->ids, NULL, err);
		if (rc < 0)
			config_destroy(cfg);
	}
	if (rc < 0)
		return rc;
	config_destroy(r->cfg);
	r->cfg = cfg;
	mirror_follow(r->c->mirror, cfg);
	uint32_t revision = versions_current(r->dir);
	if (revision == 0 || versions_read(r->dir, revision, &r->now) < 0)
		r->now = (struct version){ .revision = revision };
	if (r->now.source[0] != '\0')
		snprintf(cfg->source, sizeof(cfg->source), "%s", r->now.source);
	running_apply_own(r);
	domains_in_force(r->c);
	if (r->now.revert_to == 0)
		return 0;
	if (r->now.confirm_until > time(NULL)) {
		log_warning("configuration: revision %u still waits for its confirmation",
			    r->now.revision);
		confirm_start(r);
	} else {
		confirm_revert(r);
	}
	return 0;
}

bool running_file_changed(struct running *r, const char *path)
{
	return strcmp(path, r->now.file) != 0 || running_hash_file(path) != r->now.file_hash;
}

int running_read_version(const struct running *r, uint32_t revision, struct config **ret,
			 struct ctrl_err *err)
{
	char path[PATH_MAX];
	struct version v;

	if (r->dir == NULL || revision > r->now.revision || versions_read(r->dir, revision, &v) < 0)
		return ctrl_fail(err, -ENOENT,
				 "there is no version %u; those that are kept: heddle history",
				 revision);
	return config_read(r->c->ly, versions_path(r->dir, revision, path, sizeof(path)), ret, err);
}

/* --- life ------------------------------------------------------------------------------------ */

struct running *running_create(struct ctrl *c, const char *state_dir)
{
	struct running *r = calloc(1, sizeof(*r));
	struct config *empty = calloc(1, sizeof(*empty));

	if (r == NULL || empty == NULL || (empty->json = strdup("{}\n")) == NULL ||
	    (state_dir != NULL && (r->dir = strdup(state_dir)) == NULL)) {
		free(r);
		free(empty);
		return NULL;
	}
	objset_init(&empty->set);
	r->c = c;
	r->cfg = empty;
	r->retry_ms = RETRY_MIN_MS;
	snprintf(r->problem, sizeof(r->problem), "no data plane is connected");
	uv_timer_init(c->loop, &r->retry);
	objset_init(&r->recompiled.set);
	uv_timer_init(c->loop, &r->confirm);
	r->retry.data = r->confirm.data = r;
	r->n_handles = 2;
	if (r->dir != NULL)
		restore_ids(r);
	return r;
}

static void handle_closed(uv_handle_t *h)
{
	struct running *r = h->data;

	if (--r->n_handles == 0)
		free(r);
}

void running_destroy(struct running *r)
{
	if (r == NULL)
		return;
	config_destroy(r->cfg);
	config_destroy(r->load.candidate);
	ids_destroy(r->load.ids);
	free(r->load.change);
	free(r->load.sent);
	objset_fini(&r->recompiled.set);
	ids_destroy(r->recompiled.ids);
	free(r->dir);
	uv_timer_stop(&r->retry);
	uv_timer_stop(&r->confirm);
	uv_close((uv_handle_t *)&r->retry, handle_closed);
	uv_close((uv_handle_t *)&r->confirm, handle_closed);
}

void running_set_problem(struct running *r, const char *text)
{
	r->synchronised = text[0] == '\0';
	snprintf(r->problem, sizeof(r->problem), "%s", text);
}

/* Settings of the control process itself. */
void running_apply_own(struct running *r)
{
	int level = cfg_enum(cfg_top(r->cfg->tree, "system"), "log-level", r->c->default_log_level);

	log_level = (enum log_level)level;
	api_apply(r->c->api, r->cfg->tree);
}

void running_refused(struct ctrl_err *err, const char *source, const struct object *o,
		     const char *text)
{
	char what[300] = "";

	*err = (struct ctrl_err){ 0 };
	snprintf(err->file, sizeof(err->file), "%s", source);
	if (o != NULL) {
		object_describe(o, what, sizeof(what));
		err->line = yaml_line(o->origin);
		char *path = o->origin != NULL ? lyd_path(o->origin, LYD_PATH_STD, NULL, 0) : NULL;
		snprintf(err->path, sizeof(err->path), "%s", path != NULL ? path : "");
		free(path);
	}
	ctrl_fail(err, 0, "the data plane refuses %s%s%s", o != NULL ? what : "it",
		  text[0] != '\0' ? ": " : "", text);
}

/* --- questions ------------------------------------------------------------------------------- */

const struct config *running_config(const struct running *r)
{
	return r->cfg;
}

bool running_busy(const struct running *r)
{
	return r->busy && !r->preparing;
}

bool running_synchronised(const struct running *r)
{
	return r->synchronised;
}

const char *running_problem(const struct running *r)
{
	return r->problem;
}

uint32_t running_revision(const struct running *r)
{
	return r->now.revision;
}

uint32_t running_reconciles(const struct running *r)
{
	return r->reconciles;
}

time_t running_time(const struct running *r)
{
	return r->now.time;
}

const struct version *running_version(const struct running *r)
{
	return &r->now;
}

const char *running_dir(const struct running *r)
{
	return r->dir;
}
