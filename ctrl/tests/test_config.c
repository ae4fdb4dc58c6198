/* SPDX-License-Identifier: BSD-3-Clause
 * Configurations: each bad one is refused with the right line, path and words; a good one compiles to the right
 * objects. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/config.h"
#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel_private.h"
#include "ctrl/l2/l2.h"
#include "ctrl/pm/pm.h"
#include "ctrl/srv6/srv6.h"
#include "ctrl/tests/good.h"
#include "ctrl/yaml.h"
#include "ctrl/tests/texts.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/pm.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

TestSuite(config, .init = texts_init, .fini = texts_fini);

/* Parse and compile.  The caller destroys *ret. */
static int take(const char *text, size_t len, struct config **ret, struct ctrl_err *err)
{
	struct ids *ids = ids_create();

	*ret = NULL;
	int rc = config_parse(ly, text, len, "t.yaml", ret, err);
	if (rc == 0)
		rc = config_compile(*ret, ids, NULL, err);
	ids_destroy(ids);
	return rc;
}

/* --- one thing broken --------------------------------------------------------------------------- */

struct bad {
	char why[40], old[96], new[128];
	unsigned line;
	char path[100], says[64];
};

ParameterizedTestParameters(config, bad)
{
	static struct bad rows[] = {
		{ "unknown leaf", "mtu: 1400", "mtuu: 1400", 7, "interface[name='access']/mtuu",
		  "unknown name 'mtuu'" },
		{ "unknown top level", "srv6:", "srv66:", 26, "/srv66", "unknown name" },
		{ "state is not configuration", "system:\n", "system-state: {}\nsystem:\n", 1,
		  "/system-state", "state" },
		{ "wrong type", "mtu: 1400", "mtu: large", 7, "interface[name='access']/mtu",
		  "large" },
		{ "out of range", "mtu: 1400", "mtu: 14", 7, "interface[name='access']/mtu", "14" },
		{ "no value", "hostname: lab", "hostname:\n    - a", 2, "/hostname",
		  "single value" },
		{ "empty number", "mtu: 1400", "mtu:", 7, "/mtu", "no value" },
		{ "a scalar for a container",
		  "    ipv4:\n      address:\n      - ip: 10.0.1.1\n        prefix-length: 24\n",
		  "    ipv4: yes\n", 8, "/ipv4", "mapping" },
		{ "a mapping for a list", "  - name: red", "    name: red", 24, "/vrf", "list" },
		{ "missing key", "- name: core\n    devargs: net_null1", "- devargs: net_null1", 12,
		  "/interface", "without its key 'name'" },
		{ "missing mandatory leaf", "        prefix-length: 24\n", "", 10,
		  "address[ip='10.0.1.1']", "prefix-length" },
		{ "missing choice", "srv6-policy: far", "description: x", 22,
		  "route[prefix='10.3.0.0/16']", "target" },
		{ "both cases of a choice", "srv6-policy: far",
		  "srv6-policy: far\n    special: blackhole", 23, "/srv6-policy", "both cases" },
		{ "no such vrf", "vrf: red", "vrf: blue", 17, "interface[name='core.10']/vrf",
		  "blue" },
		{ "no such parent", "parent: core", "parent: cord", 15,
		  "interface[name='core.10']/parent", "cord" },
		{ "no such interface", "{interface: core, ", "{interface: cord, ", 21,
		  "next-hop[index='1']/interface", "no interface 'cord'" },
		{ "no such policy", "srv6-policy: far", "srv6-policy: near", 23, "/srv6-policy",
		  "no SR policy 'near'" },
		{ "duplicate mapping key", "    mtu: 1400", "    mtu: 1400\n    mtu: 1500", 8,
		  "/mtu", "duplicate of line 7" },
		{ "same name with its module", "    mtu: 1400",
		  "    mtu: 1400\n    heddle-interfaces:mtu: 1500", 8, "mtu",
		  "duplicate of line 7" },
		{ "duplicate list entry", "- name: core\n", "- name: access\n", 12,
		  "interface[name='access']", "duplicate of line 5" },
		{ "duplicate prefix in other words", "10.3.0.0/16", "10.2.3.4/16", 22,
		  "route[prefix='10.2.0.0/16']", "duplicate of line 20" },
		{ "same tags twice", "ip:\n  route:",
		  "  - {name: again, parent: core, outer-vlan: {id: 10}}\nip:\n  route:", 18,
		  "interface[name='again']", "same VLAN tags" },
		{ "multicast address", "ip: 10.0.1.1", "ip: 224.0.0.1", 10,
		  "address[ip='224.0.0.1']", "unicast" },
		{ "same next hop twice", "10.9.0.2}]",
		  "10.9.0.2}, {interface: core, address: 10.9.0.2}]", 21, "next-hop[index='2']",
		  "twice" },
		{ "IPv4 gateway of an IPv6 route", "10.2.0.0/16", "2001:db8::/32", 21, "/address",
		  "IPv4 gateway" },
		{ "behavior without argument", "behavior: end", "behavior: end-x", 30, "/behavior",
		  "needs 'next-hop'" },
		{ "argument without use", "behavior: end", "behavior: end\n    policy: far", 31,
		  "/policy", "has no 'policy'" },
		{ "labels without MPLS", "behavior: end", "behavior: end-bm", 30, "/behavior",
		  "no MPLS" },
		{ "compressed SID of unknown lengths", "behavior: end",
		  "behavior: end\n    flavor: [next-csid]", 31, "/flavor", "needs 'structure'" },
		{ "both csid flavors", "behavior: end",
		  "behavior: end\n    flavor: [next-csid, replace-csid]", 31, "/flavor",
		  "flavors" },
		{ "flavor without use", "behavior: end", "behavior: end-dt6\n    flavor: [psp]", 31,
		  "/flavor", "flavors" },
		{ "no source address", "source-address: 'fc00:1::1'", "hop-limit: 3", 32,
		  "policy[name='far']", "source" },
		{ "a segment that is none", "fc00:3::1", "ff02::1", 34, "segment[index='2']",
		  "not a SID" },
		{ "a route into a policy for frames", "- name: far\n",
		  "- name: far\n    encapsulation: h-encaps-l2\n", 23, "/srv6-policy",
		  "Ethernet frames" },
		{ "ports backwards", "  policy:\n",
		  "  classifier: [{name: c, rule: [{number: 1, source-port: 9-8, action: drop}]}]\n"
		  "  policy:\n",
		  31, "source-port", "9-8" },
		{ "two families in a rule", "  policy:\n",
		  "  classifier: [{name: c, rule: [{number: 1, source: 10.0.0.0/8,\n"
		  "    destination: 'fc00::/8', action: drop}]}]\n  policy:\n",
		  32, "destination", "not IPv4" },
		{ "no such classifier", "  policy:\n",
		  "  interface: [{name: access, classifier: c}]\n  policy:\n", 31, "classifier",
		  "no classifier 'c'" },
		{ "steering on no interface", "  policy:\n",
		  "  interface: [{name: nowhere, policy: far}]\n  policy:\n", 31,
		  "interface[name='nowhere']", "no interface" },
		{ "frames into a policy for packets", "  policy:\n",
		  "  interface: [{name: access, l2-policy: far}]\n  policy:\n", 31, "l2-policy",
		  "h-encaps-l2" },
		{ "an anchor", "hostname: lab", "hostname: &x lab", 2, "", "anchors" },
		{ "an alias", "hostname: lab", "hostname: *x", 2, "", "aliases" },
		{ "a tag", "hostname: lab", "hostname: !!str lab", 2, "", "tags" },
		{ "a second document", "interfaces:\n", "---\ninterfaces:\n", 3, "",
		  "second YAML document" },
		{ "a tab", "  hostname", "\thostname", 2, "", "tab" },
		{ "a control character", "lab",
		  "l\x01"
		  "b",
		  2, "", "not UTF-8" },
		{ "invalid UTF-8", "lab",
		  "l\xff"
		  "b",
		  2, "", "not UTF-8" },
		{ "an overlong UTF-8 sequence", "lab",
		  "l\xc0\xaf"
		  "b",
		  2, "", "not UTF-8" },
		{ "an escaped NUL", "lab", "\"l\\0b\"", 2, "", "NUL" },
		{ "unbalanced", "{id: 10}", "{id: 10", 17, "", "not YAML" },
		{ "a mapping as a name", "system:\n", "{a: b}: c\nsystem:\n", 1, "", "plain text" },
	};
	return cr_make_param_array(struct bad, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct bad *b, config, bad)
{
	char *text = texts_replace(good_yaml, b->old, b->new);
	struct config *cfg;
	struct ctrl_err err;
	char line[1500];

	int rc = take(text, strlen(text), &cfg, &err);
	ctrl_err_str(&err, line, sizeof(line));
	cr_assert_lt(rc, 0, "%s: taken", b->why);
	cr_assert_eq(err.line, b->line, "%s: line %u in: %s", b->why, err.line, line);
	cr_assert_not_null(strstr(err.path, b->path), "%s: path in: %s", b->why, line);
	cr_assert_not_null(strstr(err.msg, b->says), "%s: words in: %s", b->why, line);
	cr_assert_eq(strncmp(line, "t.yaml:", 7), 0, "%s", line);
	config_destroy(cfg);
	free(text);
}

/* --- texts that are none ------------------------------------------------------------------------- */

static void refused(const char *text, size_t len, const char *says)
{
	struct config *cfg;
	struct ctrl_err err;

	cr_assert_lt(take(text, len, &cfg, &err), 0);
	cr_assert_not_null(strstr(err.msg, says), "%s", err.msg);
	config_destroy(cfg);
}

Test(config, no_configuration_at_all)
{
	refused("", 0, "nothing in it");
	refused("\n# only a comment\n", 18, "nothing in it");
	refused("hello\n", 6, "top level");
	refused("- a\n- b\n", 8, "top level");
	refused("\0\0\0\0", 4, "not UTF-8");
	refused("\x7f"
		"ELF\x02\x01\x01",
		7, "not UTF-8");
}

Test(config, every_truncation_is_survived)
{
	for (size_t len = 0; len < sizeof(good_yaml) - 1; len++) {
		struct config *cfg;
		struct ctrl_err err;
		char *exact = malloc(len + 1); /* of this size, for the address sanitizer */
		memcpy(exact, good_yaml, len);
		int rc = take(exact, len, &cfg, &err);
		cr_assert(rc == 0 || err.msg[0] != '\0');
		config_destroy(cfg);
		free(exact);
	}
}

static char *repeat(const char *head, const char *unit, size_t n)
{
	size_t h = strlen(head), u = strlen(unit);
	char *s = malloc(h + u * n + 1);

	memcpy(s, head, h);
	for (size_t i = 0; i < n; i++)
		memcpy(s + h + u * i, unit, u);
	s[h + u * n] = '\0';
	return s;
}

/* 10 MB of each nastiness ends quickly. */
Test(config, ten_megabytes, .timeout = 60)
{
	static const struct {
		const char *head, *unit, *says;
	} rows[] = {
		{ "a: ", "[", "" },
		{ "a: ", "{a: ", "" },
		{ "", "a: b\n", "unknown name" },
		{ "system: {hostname: ", "x", "" },
		{ "ip: {route: [", "{}, ", "" },
		{ "system: {hostname: [", "a, ", "" },
		{ "", "- ", "" },
		{ "? ", "? ", "" },
		{ "", "\n", "nothing in it" },
		{ "system: {hostname: \"", "\\u0041", "" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = repeat(rows[i].head, rows[i].unit, (10u << 20) / strlen(rows[i].unit));
		clock_t start = clock();
		refused(text, strlen(text), rows[i].says);
		double took = (double)(clock() - start) / CLOCKS_PER_SEC;
		cr_assert_lt(took, 10.0, "row %zu took %.1f s", i, took);
		free(text);
	}
}

Test(config, too_large)
{
	size_t len = YAML_TEXT_MAX + 1;
	char *text = malloc(len);
	struct config *cfg;
	struct ctrl_err err;

	memset(text, '\n', len);
	cr_assert_eq(take(text, len, &cfg, &err), -EFBIG);
	free(text);
}

Test(config, billion_laughs)
{
	static const char text[] = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n";

	refused(text, sizeof(text) - 1, "anchors");
}

/* --- good ones ------------------------------------------------------------------------------------ */

static unsigned count(const struct config *cfg, uint16_t type)
{
	unsigned n = 0;

	for (size_t i = 0; i < cfg->set.n; i++)
		n += cfg->set.obj[i].kind->type == type;
	return n;
}

static const void *first(const struct config *cfg, uint16_t type)
{
	for (size_t i = 0; i < cfg->set.n; i++)
		if (cfg->set.obj[i].kind->type == type)
			return cfg->set.obj[i].body;
	cr_assert_fail("no object of type %#x", type);
	return NULL;
}

Test(config, good_compiles)
{
	struct config *cfg;
	struct ctrl_err err;
	char line[1500];

	cr_assert_eq(take(good_yaml, sizeof(good_yaml) - 1, &cfg, &err), 0, "%s",
		     ctrl_err_str(&err, line, sizeof(line)));
	cr_assert_eq(count(cfg, HD_API_PORT), 2);
	cr_assert_eq(count(cfg, HD_API_IFACE), 3);
	cr_assert_eq(count(cfg, HD_API_VRF), 1);
	cr_assert_eq(count(cfg, HD_API_ROUTE), 2);
	cr_assert_eq(count(cfg, HD_API_SRV6_SEGLIST), 1);

	const struct hd_api_port *port = first(cfg, HD_API_PORT);
	cr_assert_str_eq(port->name, "access");
	cr_assert_str_eq(port->devargs, "net_null0");
	cr_assert_eq(port->mtu, 1400);
	cr_assert_eq(port->n_rxq, 1);

	const struct hd_api_addr *addr = first(cfg, HD_API_ADDR);
	cr_assert_eq(addr->family, 4);
	cr_assert_eq(addr->plen, 24);
	cr_assert_arr_eq(addr->addr, ((uint8_t[16]){ 10, 0, 1, 1 }), 16);

	const struct hd_api_srv6_seglist *list = first(cfg, HD_API_SRV6_SEGLIST);
	cr_assert_eq(list->n_segs, 2);
	cr_assert_arr_eq(list->seg[0], ((uint8_t[16]){ 0xfc, 0, 0, 2, [15] = 1 }), 16);
	cr_assert_arr_eq(list->seg[1], ((uint8_t[16]){ 0xfc, 0, 0, 3, [15] = 1 }), 16);

	const struct hd_api_srv6_sid *sid = first(cfg, HD_API_SRV6_SID);
	cr_assert_eq(sid->behavior, HD_SRV6_END);
	cr_assert_eq(sid->plen, 128);
	cr_assert_eq(sid->upper_allow, HD_SRV6_UPPER_ICMP6);

	const struct hd_api_srv6_policy *policy = first(cfg, HD_API_SRV6_POLICY);
	cr_assert_eq(policy->encap, HD_SRV6_H_ENCAPS_RED);
	cr_assert_eq(policy->list[0].seglist_id, list->seglist_id);
	cr_assert_eq(policy->list[0].weight, 1);
	config_destroy(cfg);
}

/* What is printed as JSON says the same as the YAML it came from. */
Test(config, json_round_trip)
{
	struct config *a, *b;
	struct ctrl_err err;

	cr_assert_eq(take(good_yaml, sizeof(good_yaml) - 1, &a, &err), 0);
	char *json = config_json(a);
	cr_assert_eq(take(json, strlen(json), &b, &err), 0, "%s", err.msg);
	cr_assert_eq(a->set.n, b->set.n);
	for (size_t i = 0; i < a->set.n; i++)
		cr_assert(object_equal(&a->set.obj[i], &b->set.obj[i]));
	char *again = config_json(b);
	cr_assert_str_eq(json, again);
	free(json);
	free(again);
	config_destroy(a);
	config_destroy(b);
}

Test(config, a_policy_without_list_takes_its_routes_along)
{
	char *text = texts_replace(
		good_yaml,
		"    segment-list:\n    - {name: a, segment: ['fc00:2::1', 'fc00:3::1']}\n", "");
	struct config *cfg;
	struct ctrl_err err;

	cr_assert_eq(take(text, strlen(text), &cfg, &err), 0, "%s", err.msg);
	cr_assert_eq(count(cfg, HD_API_SRV6_POLICY), 0);
	cr_assert_eq(count(cfg, HD_API_ROUTE), 1);
	config_destroy(cfg);
	char *drop = repeat(text, "    drop-upon-invalid: true\n", 1);
	cr_assert_eq(take(drop, strlen(drop), &cfg, &err), 0, "%s", err.msg);
	cr_assert_eq(count(cfg, HD_API_SRV6_POLICY), 1);
	cr_assert_eq(count(cfg, HD_API_ROUTE), 2);
	config_destroy(cfg);
	free(drop);
	free(text);
}

Test(config, routes_share_next_hops)
{
	char *text = texts_replace(good_yaml, "    srv6-policy: far\n",
				   "    next-hop: [{interface: core, address: 10.9.0.2}]\n"
				   "  - prefix: 10.4.0.0/16\n"
				   "    next-hop:\n"
				   "    - {interface: core, address: 10.9.0.3, weight: 2}\n"
				   "    - {interface: core, address: 10.9.0.2}\n"
				   "  - prefix: 10.5.0.0/16\n"
				   "    next-hop:\n"
				   "    - {interface: core, address: 10.9.0.2}\n"
				   "    - {interface: core, address: 10.9.0.3, weight: 2}\n");
	struct config *cfg;
	struct ctrl_err err;

	cr_assert_eq(take(text, strlen(text), &cfg, &err), 0, "%s", err.msg);
	cr_assert_eq(count(cfg, HD_API_NEXTHOP), 2);
	cr_assert_eq(count(cfg, HD_API_NHGROUP), 1);
	cr_assert_eq(count(cfg, HD_API_ROUTE), 4);
	config_destroy(cfg);
	free(text);
}

/* The model's behaviors are those of the one list, by name and by number. */
Test(config, behaviors_are_the_list)
{
	size_t n, in_model = 0;
	const struct lysc_node *leaf = lys_find_path(ly, NULL, "/heddle-srv6:srv6/sid/behavior", 0);
	const struct lysc_type_enum *type =
		(const void *)((const struct lysc_node_leaf *)leaf)->type;
	LY_ARRAY_COUNT_TYPE u;

	hd_srv6_behaviors(&n);
	LY_ARRAY_FOR(type->enums, u)
	{
		char name[40];
		snprintf(name, sizeof(name), "%s", type->enums[u].name);
		for (char *p = name; *p != '\0'; p++)
			*p = *p == '-' ? '.' : *p;
		const struct hd_srv6_behavior_info *b =
			hd_srv6_behavior_info((unsigned)type->enums[u].value);
		cr_assert_not_null(b, "%s", name);
		cr_assert_str_eq(b->name, name);
		in_model++;
	}
	cr_assert_eq(in_model, n);
}

/* --- performance measurement ---------------------------------------------------------------------- */

static const char pm_yaml[] =
	"pm:\n"
	"  reflector:\n"
	"  - udp-port: 862\n"
	"    rate: 1000\n"
	"    session:\n"
	"    - {name: a, source-address: 2001:db8::1, ssid: 7, stateful: true}\n"
	"    - {name: b, source-address: 2001:db8::1, ssid: 8, timestamp-format: ptp}\n";

Test(config, reflector_and_its_sessions)
{
	struct hd_api_pm_reflector_session s;
	struct ctrl_err err;
	struct config *c;
	uint32_t port = 862, id = 1;

	cr_assert_eq(take(pm_yaml, strlen(pm_yaml), &c, &err), 0, "%s", err.msg);
	const struct object *o = objset_find(&c->set, &pm_domain.kinds[0], &port);
	cr_assert_not_null(o);
	cr_assert_eq(((const struct hd_api_pm_reflector *)o->body)->rate_pps, 1000);
	o = objset_find(&c->set, &pm_domain.kinds[1], &id);
	cr_assert_not_null(o);
	memcpy(&s, o->body, sizeof(s));
	cr_assert_eq(s.udp_port, 862);
	cr_assert_eq(s.ssid, 7);
	cr_assert_eq(s.family, 6);
	cr_assert_eq(s.flags, HD_PM_F_STATEFUL);
	config_destroy(c);
}

Test(config, sessions_of_the_same_packets)
{
	char *text = texts_replace(pm_yaml, "ssid: 8", "ssid: 7");
	struct ctrl_err err;
	struct config *c;

	cr_assert_lt(take(text, strlen(text), &c, &err), 0);
	cr_assert_eq(err.line, 7);
	cr_assert_not_null(strstr(err.msg, "session 'a' has the same source and SSID"), "%s",
			   err.msg);
	config_destroy(c);
	free(text);
}

static const char steering_yaml[] =
	"interfaces:\n  interface:\n"
	"  - name: wan\n    devargs: net_af_xdp0,iface=eth0\n"
	"    ipv4: {address: [{ip: 10.0.1.1, prefix-length: 24}]}\n"
	"    ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}\n"
	"    xdp-steering:\n      mode: all\n      service: [pppoe, stamp]\n      udp-port: [862, 7000]\n"
	"      prefix: [10.50.0.0/16]\n      kernel-prefix: [10.50.1.0/24]\n"
	"  - {name: wan.7, parent: wan, outer-vlan: {id: 7}}\n"
	"  - name: lan\n    devargs: net_af_xdp1,iface=eth1\n"
	"    ipv4: {address: [{ip: 10.0.2.1, prefix-length: 24}]}\n"
	"srv6:\n  locator: [{name: a, prefix: 'fc00:1::/48'}]\n"
	"  sid: [{sid: 'fc00:1::e/128', behavior: end}]\n";

/* What is configured elsewhere becomes rules, once each; only the port that steers has any. */
Test(config, steering_follows_the_configuration)
{
	struct ctrl_err err;
	struct config *cfg;
	unsigned n[8] = { 0 }, kernel = 0, own = 0;

	cr_assert_eq(take(steering_yaml, strlen(steering_yaml), &cfg, &err), 0, "%s", err.msg);
	for (size_t i = 0; i < cfg->set.n; i++) {
		const struct hd_api_xdp_rule *r = (const void *)cfg->set.obj[i].body;
		if (cfg->set.obj[i].kind->type != HD_API_XDP_RULE)
			continue;
		cr_assert(r->match >= HD_XDP_UNICAST && r->match <= HD_XDP_UDP_PORT);
		n[r->match]++;
		kernel += r->action == HD_XDP_KERNEL;
		own += (r->flags & HD_XDP_F_OWN) != 0;
	}
	cr_assert_eq(n[HD_XDP_UNICAST], 1);
	cr_assert_eq(n[HD_XDP_LINK_LOCAL], 1);
	cr_assert_eq(n[HD_XDP_ETHERTYPE], 2, "PPPoE has two");
	cr_assert_eq(n[HD_XDP_VLAN], 1);
	cr_assert_eq(n[HD_XDP_UDP_PORT], 2, "862 twice is once");
	cr_assert_eq(n[HD_XDP_PREFIX], 7, "3 addresses, locator, SID, 2 prefixes: %u",
		     n[HD_XDP_PREFIX]);
	cr_assert_eq(kernel, 1);
	cr_assert_eq(own, 2, "ARP and ND for the port's own addresses only");
	config_destroy(cfg);
}

/* Action of the rule for an address, or -1. */
static int rule_for(const struct config *cfg, uint8_t family, const uint8_t *addr, uint8_t plen)
{
	for (size_t i = 0; i < cfg->set.n; i++) {
		const struct hd_api_xdp_rule *r = (const void *)cfg->set.obj[i].body;
		if (cfg->set.obj[i].kind->type == HD_API_XDP_RULE && r->match == HD_XDP_PREFIX &&
		    r->family == family && r->plen == plen && memcmp(r->addr, addr, 16) == 0)
			return r->action;
	}
	return -1;
}

/* What the kernel has is left to it, its SIDs are ours, and what is configured is as configured. */
Test(config, steering_knows_what_is_mirrored)
{
	const struct kernel_owned mirrored[] = {
		{ .family = 4, .plen = 32, .kernel = true, .addr = { 10, 0, 1, 1 } },
		{ .family = 4, .plen = 32, .kernel = true, .addr = { 10, 0, 1, 10 } },
		{ .family = 6, .plen = 64, .addr = { 0xfc, 9 } },
	};
	char *text = texts_replace(steering_yaml, "srv6:", "kernel: {enabled: true}\nsrv6:");
	struct ctrl_err err;
	struct config *cfg;

	for (int round = 0; round < 3; round++) {
		size_t n = round == 1 ? 0 : 3;
		struct kernel_owned *list = calloc(3, sizeof(*list));
		memcpy(list, mirrored, n * sizeof(*list));
		cr_assert(kernel_owned_set(list, n));
		list = calloc(3, sizeof(*list));
		memcpy(list, mirrored, n * sizeof(*list));
		cr_assert_not(kernel_owned_set(list, n), "the same again");
		cr_assert_eq(take(text, strlen(text), &cfg, &err), 0, "%s", err.msg);
		cr_assert_eq(rule_for(cfg, 4, mirrored[0].addr, 32), HD_XDP_HEDDLE);
		cr_assert_eq(rule_for(cfg, 4, mirrored[1].addr, 32), n != 0 ? HD_XDP_KERNEL : -1);
		cr_assert_eq(rule_for(cfg, 6, mirrored[2].addr, 64), n != 0 ? HD_XDP_HEDDLE : -1);
		config_destroy(cfg);
	}
	/* without a mirror it is nobody's business */
	cr_assert_eq(take(steering_yaml, strlen(steering_yaml), &cfg, &err), 0, "%s", err.msg);
	cr_assert_eq(rule_for(cfg, 4, mirrored[1].addr, 32), -1);
	config_destroy(cfg);
	free(text);
}

Test(config, steering_is_for_af_xdp)
{
	char *text =
		texts_replace(steering_yaml, "net_af_xdp0,iface=eth0", "net_af_packet0,iface=eth0");

	refused(text, strlen(text), "XDP steering is for ports of net_af_xdp");
	free(text);
	text = texts_replace(steering_yaml, "10.50.1.0/24", "10.50.0.0/16");
	refused(text, strlen(text), "the same steering-rule as line");
	free(text);
}
