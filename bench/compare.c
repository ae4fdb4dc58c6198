/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench compare: what changed between two result files.
 * Ratios to the floor are compared, since machines change speed; a change counts when the bands of the middle half of
 * the rounds do not touch. */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "bench/bench.h"

static json_object *results_of(const char *path)
{
	json_object *o = json_object_from_file(path), *list = NULL;

	if (o == NULL || !json_object_object_get_ex(o, "results", &list) ||
	    !json_object_is_type(list, json_type_array)) {
		fprintf(stderr, "heddle-bench: %s is not a result file of heddle-bench\n", path);
		return NULL;
	}
	return list;
}

static double value(json_object *o, const char *band, const char *which)
{
	json_object *b = NULL, *v = NULL;

	if (!json_object_object_get_ex(o, band, &b) || !json_object_object_get_ex(b, which, &v))
		return 0;
	return json_object_get_double(v);
}

static const char *text(json_object *o, const char *key)
{
	json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : "";
}

/* Parameters that do not change what is measured. */
static bool same_params(json_object *a, json_object *b)
{
	json_object_object_foreach(a, key, va)
	{
		json_object *vb = NULL;

		if (strcmp(key, "rounds") == 0 || strcmp(key, "seconds") == 0 ||
		    strcmp(key, "seed") == 0)
			continue;
		if (!json_object_object_get_ex(b, key, &vb) ||
		    strcmp(json_object_get_string(va), json_object_get_string(vb)) != 0)
			return false;
	}
	return true;
}

static json_object *partner(json_object *list, json_object *of)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i), *pa = NULL, *pb = NULL;

		if (strcmp(text(o, "workload"), text(of, "workload")) == 0 &&
		    json_object_object_get_ex(o, "params", &pa) &&
		    json_object_object_get_ex(of, "params", &pb) && same_params(pb, pa))
			return o;
	}
	return NULL;
}

static void params_short(json_object *o, char *to, size_t size)
{
	static const char *const shown[] = { "routes",   "flows", "sids",  "policies",
					     "segments", "inner", "burst", "size" };
	json_object *p = NULL, *v = NULL;
	size_t at = 0;

	to[0] = '\0';
	if (!json_object_object_get_ex(o, "params", &p))
		return;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]) && at < size; i++)
		if (json_object_object_get_ex(p, shown[i], &v))
			at += (size_t)snprintf(to + at, size - at, "%s%s=%s", at ? " " : "",
					       shown[i], json_object_get_string(v));
}

int cmd_compare(int argc, char **argv)
{
	json_object *a, *b;
	unsigned slower = 0, faster = 0, same = 0;

	if (argc != 3) {
		fprintf(stderr, "Usage: heddle-bench compare OLD.json NEW.json\n");
		return 2;
	}
	a = results_of(argv[1]);
	b = results_of(argv[2]);
	if (a == NULL || b == NULL)
		return 2;
	printf("%-15s %9s %9s %8s  %-28s %s\n", "workload", "old net/F", "new net/F", "change",
	       "says", "parameters");
	for (size_t i = 0; i < json_object_array_length(b); i++) {
		json_object *n = json_object_array_get_idx(b, i), *o = partner(a, n);
		const char *band = "net_over_floor", *says = "within the noise";
		char params[160];

		params_short(n, params, sizeof(params));
		if (o == NULL) {
			printf("%-15s %9s %9.2f %8s  %-28s %s\n", text(n, "workload"), "-",
			       value(n, band, "median"), "", "only in the new file", params);
			continue;
		}
		double was = value(o, band, "median"), is = value(n, band, "median");
		if (value(n, band, "q1") > value(o, band, "q3")) {
			says = "SLOWER, beyond the noise";
			slower++;
		} else if (value(n, band, "q3") < value(o, band, "q1")) {
			says = "faster, beyond the noise";
			faster++;
		} else {
			same++;
		}
		printf("%-15s %9.2f %9.2f %+7.1f%%  %-28s %s\n", text(n, "workload"), was, is,
		       was == 0 ? 0 : (is - was) / was * 100, says, params);
	}
	printf("%u slower, %u faster, %u within the noise (middle half of the rounds overlaps)\n",
	       slower, faster, same);
	return slower != 0 ? 1 : 0;
}
