/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/tests/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ly_ctx *ly;
struct ids *ids;

void texts_init(void)
{
	struct ctrl_err err;

	ly = config_yang(YANG_DIR, &err);
	cr_assert_not_null(ly, "%s", err.msg);
	ids = ids_create();
	cr_assert_not_null(ids);
}

void texts_fini(void)
{
	ids_destroy(ids);
	ly_ctx_destroy(ly);
}

int texts_take(const char *text, struct config **ret, struct ctrl_err *err)
{
	int rc;

	*ret = NULL;
	rc = config_parse(ly, text, strlen(text), "test.yaml", ret, err);
	return rc == 0 ? config_compile(*ret, ids, NULL, err) : rc;
}

const void *texts_nth(const struct config *cfg, uint16_t type, unsigned n)
{
	for (size_t i = 0; i < cfg->set.n; i++)
		if (cfg->set.obj[i].kind->type == type && n-- == 0)
			return cfg->set.obj[i].body;
	return NULL;
}

char *texts_replace(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *out;

	cr_assert_not_null(at, "'%s' is not in the good configuration", old);
	cr_assert(asprintf(&out, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
	return out;
}

void texts_refused(const char *good, const struct bad_row *r)
{
	struct ctrl_err err = { 0 };
	char *text = texts_replace(good, r->from, r->to);
	struct config *cfg;

	cr_assert_lt(texts_take(text, &cfg, &err), 0, "%s", text);
	cr_assert(r->part[0] == '\0' || strstr(err.msg, r->part) != NULL, "'%s' lacks '%s'",
		  err.msg, r->part);
	free(text);
}
