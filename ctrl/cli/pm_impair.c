/* SPDX-License-Identifier: BSD-3-Clause
 * heddle set impairment, heddle pm impairments. */
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/pm.h"

/* "10ms", "500us", "1s", or milliseconds; *status is set when it is neither. */
static void add_time(struct cli *cli, struct json_object *in, const char *opt, const char *name,
		     int *status)
{
	const char *text = opt_value(cli, opt);

	if (text != NULL && pm_interval_us(text) == 0)
		*status = cli_fail(cli, EXIT_USAGE, "%s %s: 10ms, 2s or 1500us", opt, text);
	else if (text != NULL)
		pm_add_int(in, name, pm_interval_us(text));
}

bool pm_share_ppm(const char *text, uint32_t *ret)
{
	char *end;
	double v = strtod(text, &end);

	v = *end == '%' ? v / 100 : v;
	if (end == text || strcmp(end, *end == '%' ? "%" : "") != 0 || !(v >= 0 && v <= 1))
		return false;
	*ret = (uint32_t)(v * 1e6 + 0.5);
	return true;
}

static void add_share(struct cli *cli, struct json_object *in, const char *opt, const char *name,
		      int *status)
{
	const char *text = opt_value(cli, opt);
	uint32_t ppm;

	if (text == NULL)
		return;
	if (!pm_share_ppm(text, &ppm))
		*status = cli_fail(cli, EXIT_USAGE, "%s %s: 1%% or 0.01, at most 1", opt, text);
	else
		pm_add_int(in, name, ppm);
}

int cmd_pm_set_impairment(struct cli *cli)
{
	struct json_object *in = json_object_new_object();
	int rc = 0;

	js_add(in, "interface", cli->argv[0]);
	add_time(cli, in, "--delay", "delay", &rc);
	add_time(cli, in, "--jitter", "jitter", &rc);
	add_share(cli, in, "--loss", "loss", &rc);
	add_share(cli, in, "--duplicate", "duplicate", &rc);
	add_share(cli, in, "--reorder", "reorder", &rc);
	if (opt_flag(cli, "--seed"))
		pm_add_int(in, "seed", opt_number(cli, "--seed", 1));
	if (opt_flag(cli, "--limit"))
		pm_add_int(in, "limit", opt_number(cli, "--limit", 4096));
	if (rc != 0) {
		json_object_put(in);
		return rc;
	}
	rc = api_post(cli, "heddle-pm:impair", in, NULL);
	if (rc == 0 && !cli->json)
		printf("done; see: heddle pm impairments\n");
	return rc;
}

static void cell_us(struct table *t, struct json_object *o, const char *name)
{
	char text[32], ns[32];

	snprintf(ns, sizeof(ns), "%llu000", (unsigned long long)js_u64(o, name));
	table_cell(t, "%s", js_u64(o, name) == 0 ? "" : pm_duration(ns, text, sizeof(text)));
}

static void cell_ppm(struct table *t, struct json_object *o, const char *name)
{
	double v = (double)js_u64(o, name) / 1e4;

	if (v == 0)
		table_cell(t, "%s", "");
	else
		table_cell(t, "%g %%", v);
}

int cmd_pm_impairments(struct cli *cli)
{
	static const char *const heads[] = { "INTERFACE",  ">DELAY",      ">JITTER",    ">LOSS",
					     ">DUPLICATE", ">REORDER",    ">SEED",      ">FRAMES",
					     ">LOST",      ">DUPLICATED", ">REORDERED", ">OVERFLOW",
					     NULL };
	struct json_object *answer = NULL;
	int rc = api_get(cli, "heddle-pm:impairment-state", &answer);

	if (rc != 0 || js_answered(cli, answer))
		return rc;
	struct table *t = table_new(heads);
	js_foreach(p, js_get(js_inner(answer), "port"))
	{
		table_cell(t, "%s", js_str(p, "interface"));
		cell_us(t, p, "delay");
		cell_us(t, p, "jitter");
		cell_ppm(t, p, "loss");
		cell_ppm(t, p, "duplicate");
		cell_ppm(t, p, "reorder");
		table_cell(t, "%s", js_str(p, "seed"));
		table_cell(t, "%s", js_str(p, "frames"));
		table_cell(t, "%s", js_str(p, "lost"));
		table_cell(t, "%s", js_str(p, "duplicated"));
		table_cell(t, "%s", js_str(p, "reordered"));
		table_cell(t, "%.0llu", (unsigned long long)js_u64(p, "overflow"));
	}
	table_print(cli, t);
	json_object_put(answer);
	return 0;
}
