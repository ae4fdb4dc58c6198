/* SPDX-License-Identifier: BSD-3-Clause
 * heddle pm calibrate: measure over a loop, and keep what came of it in the configuration. */
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/pm.h"

/* What the operation answered, as an entry of list calibration, merged into what runs. */
static int save(struct cli *cli, struct json_object *answer)
{
	static const char *const leaf[] = { "interface",   "receive-interface", "offset",
					    "uncertainty", "samples",           "time" };
	struct json_object *top = json_object_new_object(), *pm = json_object_new_object(),
			   *list = json_object_new_array(), *k = json_object_new_object();
	int rc;

	for (size_t i = 0; i < sizeof(leaf) / sizeof(leaf[0]); i++)
		json_object_object_add(k, leaf[i], json_object_get(js_get(answer, leaf[i])));
	json_object_array_add(list, k);
	json_object_object_add(pm, "calibration", list);
	json_object_object_add(top, "heddle-pm:pm", pm);
	rc = api_patch(cli, "data", top);
	json_object_put(top);
	return rc;
}

static void print(struct json_object *o, bool saved)
{
	char text[160], value[2][32];

	printf("%s", js_str(o, "interface"));
	if (strcmp(js_str(o, "interface"), js_str(o, "receive-interface")) != 0)
		printf(" to %s", js_str(o, "receive-interface"));
	printf("\n");
	snprintf(text, sizeof(text), "%s, within %s",
		 pm_duration(js_str(o, "offset"), value[0], sizeof(value[0])),
		 pm_duration(js_str(o, "uncertainty"), value[1], sizeof(value[1])));
	pm_line("this node adds", text);
	snprintf(text, sizeof(text), "%s sent, %s came back", js_str(o, "sent"),
		 js_str(o, "received"));
	pm_line("packets", text);
	pm_line("timestamps", js_str(o, "timestamps"));
	if (saved)
		printf("saved; sessions with 'calibration: %s' and heddle pm measure --calibration %s "
		       "use it\n",
		       js_str(o, "interface"), js_str(o, "interface"));
}

int cmd_pm_calibrate(struct cli *cli)
{
	static const char *const numbers[][2] = { { "--count", "count" },
						  { "--loop-delay", "loop-delay" } };
	const char *interval = opt_value(cli, "--interval"), *out = opt_value(cli, "--interface");
	struct json_object *answer = NULL, *in;
	bool keep = !opt_flag(cli, "--no-save");
	int rc;

	if (out == NULL)
		return cli_fail(cli, EXIT_USAGE,
				"which port?  Give --interface; see: heddle show interfaces");
	if (interval != NULL && pm_interval_us(interval) == 0)
		return cli_fail(cli, EXIT_USAGE, "--interval %s: 10ms, 2s or 1500us, up to 60s",
				interval);
	in = json_object_new_object();
	js_add(in, "interface", out);
	js_add(in, "receive-interface", opt_value(cli, "--receive-interface"));
	pm_add_numbers(cli, in, numbers, sizeof(numbers) / sizeof(numbers[0]));
	if (interval != NULL)
		pm_add_int(in, "interval", pm_interval_us(interval));
	rc = api_post(cli, "heddle-pm:calibrate", in, &answer);
	if (rc != 0)
		return rc;
	if (keep)
		rc = save(cli, js_inner(answer));
	if (rc == 0 && cli->json)
		js_print(answer);
	else if (rc == 0)
		print(js_inner(answer), keep);
	json_object_put(answer);
	return rc;
}
