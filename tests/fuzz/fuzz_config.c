/* SPDX-License-Identifier: BSD-3-Clause
 * Fuzz target: any text as a configuration.  It is refused with words, or it becomes a tree that validates and
 * compiles, and whose JSON is taken again and compiles to the same objects. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ly_ctx *yang(void)
{
	static struct ly_ctx *ly;
	struct ctrl_err err;

	if (ly == NULL)
		ly = config_yang(HEDDLE_YANG_DIR, &err);
	if (ly == NULL) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	return ly;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *cfg = NULL, *again = NULL;
	struct ids *ids = ids_create();
	struct ctrl_err err;

	int rc = config_parse(yang(), (const char *)data, size, "fuzz", &cfg, &err);
	if (rc == 0)
		rc = config_compile(cfg, ids, NULL, &err);
	if (rc < 0 && err.msg[0] == '\0')
		abort();
	if (rc == 0) {
		char *json = config_json(cfg);
		if (json == NULL ||
		    config_parse(yang(), json, strlen(json), "json", &again, &err) != 0 ||
		    config_compile(again, ids, NULL, &err) != 0 || again->set.n != cfg->set.n)
			abort();
		for (size_t i = 0; i < cfg->set.n; i++)
			if (!object_equal(&cfg->set.obj[i], &again->set.obj[i]))
				abort();
		free(json);
	}
	config_destroy(cfg);
	config_destroy(again);
	ids_destroy(ids);
	return 0;
}
