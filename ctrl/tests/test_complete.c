/* SPDX-License-Identifier: BSD-3-Clause
 * Completion of configuration paths: every row is words that were typed, what the next one begins with, and what may
 * be offered. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <json-c/json.h>
#include <string.h>

#include "ctrl/complete/complete.h"
#include "ctrl/config.h"
#include "ctrl/tests/good.h"

struct row {
	char words[80], start[24];
	char want[120]; /* "a b c": exactly these; "+a b": these among others; "=text": nothing, but this hint */
};

ParameterizedTestParameters(complete, path)
{
	static struct row rows[] = {
		{ "", "", "+interfaces ip srv6 system" },
		{ "", "interf", "interfaces" },
		{ "", "xyz", "" },
		{ "interfaces", "", "interface" },
		{ "interfaces interface", "", "access core core.10" },
		{ "interfaces interface", "core", "core core.10" },
		{ "interfaces interface access", "", "+mtu ipv4 ipv6 vrf devargs" },
		{ "interfaces interface access", "mt", "mtu" },
		{ "interfaces interface access", "name", "" }, /* the key is said already */
		{ "interfaces interface new", "mt", "mtu" },
		{ "interfaces interface access enabled", "", "true false" },
		{ "interfaces interface access vrf", "", "red" },
		{ "interfaces interface access ipv4 address", "", "10.0.1.1" },
		{ "interfaces interface access mtu", "", "=Largest IP packet" },
		{ "interfaces interface access mtu 1400", "", "" },
		{ "ip route", "10.3", "10.3.0.0/16" },
		{ "ip route 10.66.0.0/16", "spec", "special" },
		{ "ip route 10.66.0.0/16 special", "", "+blackhole unreachable prohibit" },
		{ "ip route 10.66.0.0/16 srv6-policy", "", "far" },
		{ "ip nonsense", "", "" },
		{ "ip route-state", "", "" }, /* state is not configured */
		{ "srv6 sid fc00:1::e/128 behavior", "end-dt4", "end-dt4 end-dt46" },
		{ "srv6 policy far segment-list", "", "a" },
	};
	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

static bool has(struct json_object *list, const char *text)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o;
		json_object_object_get_ex(json_object_array_get_idx(list, i), "text", &o);
		if (strcmp(json_object_get_string(o), text) == 0)
			return true;
	}
	return false;
}

ParameterizedTest(struct row *r, complete, path)
{
	struct ctrl_err err = { 0 };
	struct config *cfg = NULL;
	struct ly_ctx *ly = config_yang(YANG_DIR, &err);
	const char *word[16];
	char text[80];
	unsigned n = 0, wanted = 0;

	cr_assert_not_null(ly, "%s", err.msg);
	cr_assert_eq(config_parse(ly, good_yaml, strlen(good_yaml), "good", &cfg, &err), 0, "%s",
		     err.msg);
	snprintf(text, sizeof(text), "%s", r->words);
	for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " "))
		word[n++] = w;
	struct json_object *o = complete_path(ly, cfg->tree, word, n, r->start), *list, *hint;
	cr_assert(json_object_object_get_ex(o, "candidate", &list));
	const char *said = json_object_to_json_string(o);
	if (r->want[0] == '=') {
		cr_assert_eq(json_object_array_length(list), 0, "%s", said);
		cr_assert(json_object_object_get_ex(o, "hint", &hint), "%s", said);
		cr_assert_str_eq(json_object_get_string(hint), r->want + 1);
	} else {
		char want[120];
		snprintf(want, sizeof(want), "%s", r->want + (r->want[0] == '+'));
		for (char *w = strtok(want, " "); w != NULL; w = strtok(NULL, " "), wanted++)
			cr_assert(has(list, w), "no '%s' in %s", w, said);
		if (r->want[0] != '+')
			cr_assert_eq(json_object_array_length(list), wanted, "%s", said);
	}
	json_object_put(o);
	config_destroy(cfg);
	ly_ctx_destroy(ly);
}
