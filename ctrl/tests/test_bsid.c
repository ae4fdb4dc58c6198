/* SPDX-License-Identifier: BSD-3-Clause
 * Binding SIDs of policies: specified, bound from a locator, and what is said when one is not to be had. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/srv6/bsid.h"
#include "ctrl/srv6/liveness.h"
#include "ctrl/tests/texts.h"
#include "heddle/api/ip.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

TestSuite(bsid, .init = texts_init, .fini = texts_fini);

static const char base[] =
	"interfaces: {interface: [{name: core, devargs: net_null0,\n"
	"  ipv6: {address: [{ip: 'fc00:1::7', prefix-length: 64}]}}]}\n"
	"srv6:\n"
	"  encapsulation: {source-address: 'fc00:1::1'}\n"
	"  locator: [{name: l, prefix: 'fc00:1::/48'}, {name: m, prefix: 'fc00:2::/48'}]\n"
	"  sid: [{sid: 'fc00:1::e/128', behavior: end}]\n"
	"  policy:\n";

static int try(const char *policies, struct config **ret, struct ctrl_err *err)
{
	char *text;

	cr_assert_gt(asprintf(&text, "%s%s", base, policies), 0);
	cr_assert_eq(config_parse(ly, text, strlen(text), "t.yaml", ret, err), 0, "%s", err->msg);
	free(text);
	return config_compile(*ret, ids, NULL, err);
}

static struct config *compiled(const char *policies)
{
	struct ctrl_err err;
	struct config *cfg;

	cr_assert_eq(try(policies, &cfg, &err), 0, "%s", err.msg);
	ids_prune(ids);
	ids_unmark(ids);
	return cfg;
}

/* The SIDs that lead into policies, in order: "fc00:1::b6 fc00:1::8001". */
static const char *bound(const struct config *cfg, char buf[200])
{
	char text[INET6_ADDRSTRLEN];
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < cfg->set.n; i++) {
		const struct hd_api_srv6_sid *s = (const void *)cfg->set.obj[i].body;
		if (cfg->set.obj[i].kind->type != HD_API_SRV6_SID || s->target != HD_TARGET_POLICY)
			continue;
		cr_assert(s->plen == 128 && s->behavior == HD_SRV6_END_B6_ENCAPS_RED);
		n += (size_t)snprintf(buf + n, 200 - n, "%s%s", n > 0 ? " " : "",
				      inet_ntop(AF_INET6, s->sid, text, sizeof(text)));
	}
	return buf;
}

/* The active path of the first policy ("" none), and what an operator is told. */
static void look(const struct config *cfg, char active[32], char problem[SRV6_BSID_WHY])
{
	struct srv6_bsids *b = srv6_bsids_read(cfg->tree);
	struct srv6_read r = { .tree = cfg->tree, .ids = ids, .bsids = b };
	const struct lyd_node *policy = srv6_policy_node(cfg->tree, "far");
	struct srv6_paths paths;
	struct srv6_bsid bsid;

	cr_assert_eq(srv6_paths_read(&r, policy, &paths), 0);
	srv6_bsid_choose(b, policy, &paths, &bsid);
	snprintf(active, 32, "%s", paths.active != NULL ? paths.active->name : "");
	snprintf(problem, SRV6_BSID_WHY, "%s", bsid.problem);
	srv6_paths_free(&paths);
	srv6_bsids_free(b);
}

struct row {
	char why[64];
	char policies[500];
	char bound[64];
	char active[32];
	char problem[64];
};

#define LIST        " segment-list: [{name: s, segment: ['fc00:9::1']}]"
#define ONE(leaves) "  - {name: far, " leaves "," LIST "}\n"
/* two paths, `best` and `spare`, with leaves of their own */
#define TWO(leaves, best, spare)                                                               \
	"  - {name: far, " leaves " candidate-path: [{name: best, preference: 200, " best LIST \
	"}, "                                                                                  \
	"{name: spare, " spare LIST "}]}\n"

ParameterizedTestParameters(bsid, rows)
{
	static struct row rows[] = {
		{ "specified", ONE("binding-sid: 'fc00:1::b6'"), "fc00:1::b6", "only", "" },
		{ "none", "  - {name: far," LIST "}\n", "", "only", "" },
		{ "bound from a locator", ONE("binding-sid-locator: m"), "fc00:2:0:8001::", "only",
		  "" },
		{ "specified is preferred",
		  ONE("binding-sid: 'fc00:1::b6', binding-sid-locator: m"), "fc00:1::b6", "only",
		  "" },
		{ "a SID has it", ONE("binding-sid: 'fc00:1::e'"), "", "only",
		  "is in use: a SID with behavior end" },
		{ "a SID has it, another is bound",
		  ONE("binding-sid: 'fc00:1::e', binding-sid-locator: l"),
		  "fc00:1:0:8001::", "only", "is in use: a SID with behavior end" },
		{ "an address of this node", ONE("binding-sid: 'fc00:1::7'"), "", "only",
		  "is in use: interface core" },
		{ "outside the locators", ONE("binding-sid: 'fc00:7::1'"), "", "only",
		  "in none of the locators" },
		{ "no unicast address", ONE("binding-sid: 'ff02::1'"), "", "only",
		  "no unicast address" },
		{ "the first policy has it",
		  "  - {name: a, binding-sid: 'fc00:1::b6'," LIST
		  "}\n" ONE("binding-sid: 'fc00:1::b6'"),
		  "fc00:1::b6", "only", "is in use: policy a" },
		{ "a path of the first policy has it",
		  "  - {name: a, candidate-path: [{name: p, binding-sid: 'fc00:1::b6'," LIST
		  "}]}\n" ONE("binding-sid: 'fc00:1::b6'"),
		  "fc00:1::b6", "only", "is in use: policy a" },
		{ "the active path's own",
		  TWO("binding-sid: 'fc00:1::b6',", "binding-sid: 'fc00:1::b7',", ""), "fc00:1::b7",
		  "best", "" },
		{ "the policy's for a path without",
		  TWO("binding-sid: 'fc00:1::b6',", "enabled: false,", ""), "fc00:1::b6", "spare",
		  "" },
		{ "specified only: none is", TWO("specified-bsid-only: true,", "", ""), "", "",
		  "path best specifies no binding SID" },
		{ "specified only: the next path has one",
		  TWO("specified-bsid-only: true,", "", "binding-sid: 'fc00:1::b6',"), "fc00:1::b6",
		  "spare", "path best specifies no binding SID" },
		{ "specified only: in use, the next path is taken",
		  TWO("specified-bsid-only: true,", "binding-sid: 'fc00:1::e',",
		      "binding-sid: 'fc00:1::b6',"),
		  "fc00:1::b6", "spare", "is in use: a SID" },
		{ "specified only: nothing is bound instead",
		  ONE("specified-bsid-only: true, binding-sid: 'fc00:1::e', binding-sid-locator: l"),
		  "", "", "is in use: a SID" },
	};

	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *r, bsid, rows)
{
	char have[200], active[32], problem[SRV6_BSID_WHY];
	struct config *cfg = compiled(r->policies);

	cr_assert_str_eq(bound(cfg, have), r->bound, "%s", r->why);
	look(cfg, active, problem);
	cr_assert_str_eq(active, r->active, "%s", r->why);
	if (r->problem[0] == '\0')
		cr_assert_str_empty(problem, "%s: %s", r->why, problem);
	else
		cr_assert_not_null(strstr(problem, r->problem), "%s: '%s'", r->why, problem);
	config_destroy(cfg);
}

/* RFC 9256 section 6.2.1: kept through the life of the policy, whatever is active and whoever comes and goes. */
Test(bsid, bound_is_kept)
{
	char have[200];
	struct config *cfg = compiled(
		"  - {name: a, binding-sid-locator: m," LIST "}\n"
		"  - {name: far, binding-sid-locator: m, candidate-path: [{name: p, liveness: x," LIST
		"}]}\n");

	cr_assert_str_eq(bound(cfg, have), "fc00:2:0:8001:: fc00:2:0:8002::");
	config_destroy(cfg);
	liveness_set("x", false, "");
	cfg = compiled(
		"  - {name: b, binding-sid-locator: m," LIST "}\n"
		"  - {name: far, binding-sid-locator: m, candidate-path: [{name: p, liveness: x," LIST
		"}]}\n");
	/* a's function is not given away in the transaction that frees it */
	cr_assert_str_eq(bound(cfg, have), "fc00:2:0:8003::", "invalid: its SID has left");
	config_destroy(cfg);
	liveness_set("x", true, "");
	cfg = compiled(
		"  - {name: c, binding-sid-locator: m," LIST "}\n"
		"  - {name: far, binding-sid-locator: m, candidate-path: [{name: p, liveness: x," LIST
		"}]}\n");
	cr_assert_not_null(strstr(bound(cfg, have), "fc00:2:0:8002::"), "%s", have);
	config_destroy(cfg);
}

/* RFC 9256 section 8.3: with drop-upon-invalid the binding SID stays, and drops. */
Test(bsid, stays_to_drop)
{
	char have[200];
	struct config *cfg = compiled("  - {name: far, binding-sid-locator: m, "
				      "drop-upon-invalid: true, segment-list: [{name: s}]}\n");

	cr_assert_str_eq(bound(cfg, have), "fc00:2:0:8001::");
	config_destroy(cfg);
}

Test(bsid, frames_have_none)
{
	struct ctrl_err err;
	struct config *cfg;

	cr_assert_lt(try("  - {name: far, binding-sid-locator: m, encapsulation: h-encaps-l2," LIST
			 "}\n",
			 &cfg, &err),
		     0);
	cr_assert_not_null(strstr(err.msg, "has no binding SID"), "%s", err.msg);
	config_destroy(cfg);
}
