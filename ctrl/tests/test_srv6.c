/* SPDX-License-Identifier: BSD-3-Clause
 * The headend in the control process: compression of SID lists, choice among candidate paths, steering. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/srv6/csid.h"
#include "ctrl/srv6/liveness.h"
#include "ctrl/srv6/path.h"
#include "ctrl/tests/texts.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

/* ---- compression: rows ------------------------------------------------------------------------------------------ */

struct csid_row {
	char why[64];
	char block[64]; /* "prefix/len flavor csid-length;..." */
	char in[320], out[320];
	int rc;
};

ParameterizedTestParameters(csid, rows)
{
	static struct csid_row rows[] = {
		{ "NEXT-CSID, one container", "2001:db8::/32 n 16",
		  "2001:db8:100:: 2001:db8:200:: 2001:db8:300:: 2001:db8:e001::",
		  "2001:db8:100:200:300:e001::", 0 },
		{ "a SID of node and function stays together", "2001:db8::/32 n 16",
		  "2001:db8:100:: 2001:db8:200:e003:: 2001:db8:300:d004::",
		  "2001:db8:100:200:e003:300:d004:0", 0 },
		{ "a full container, and the next", "2001:db8::/32 n 16",
		  "2001:db8:1:: 2001:db8:2:: 2001:db8:3:: 2001:db8:4:: 2001:db8:5:: 2001:db8:6:: "
		  "2001:db8:7:: 2001:db8:8::",
		  "2001:db8:1:2:3:4:5:6 2001:db8:7:8::", 0 },
		{ "what does not fit begins a container", "2001:db8::/32 n 16",
		  "2001:db8:1:: 2001:db8:2:: 2001:db8:3:: 2001:db8:4:: 2001:db8:5:: 2001:db8:6:f::",
		  "2001:db8:1:2:3:4:5:0 2001:db8:6:f::", 0 },
		{ "another block between", "2001:db8::/32 n 16",
		  "2001:db8:1:: fc00::1 2001:db8:2:: 2001:db8:3::",
		  "2001:db8:1:: fc00::1 2001:db8:2:3::", 0 },
		{ "a SID with a CSID of 0 stays", "2001:db8::/32 n 16",
		  "2001:db8:1:: 2001:db8:0:1:: 2001:db8:2:: 2001:db8:3::",
		  "2001:db8:1:: 2001:db8:0:1:: 2001:db8:2:3::", 0 },
		{ "block of 48", "2001:db8:b2::/48 n 16",
		  "2001:db8:b2:1:: 2001:db8:b2:2:: 2001:db8:b2:3:: 2001:db8:b2:4:: 2001:db8:b2:5:: "
		  "2001:db8:b2:6::",
		  "2001:db8:b2:1:2:3:4:5 2001:db8:b2:6::", 0 },
		{ "CSIDs of 32 bits", "2001:db8::/32 n 32",
		  "2001:db8:1:2:: 2001:db8:3:4:: 2001:db8:5:6:: 2001:db8:7:8::",
		  "2001:db8:1:2:3:4:5:6 2001:db8:7:8::", 0 },
		{ "the longer block holds", "2001:db8::/32 n 16;2001:db8:5::/48 n 16",
		  "2001:db8:5:1:: 2001:db8:5:2:: 2001:db8:6:: 2001:db8:7::",
		  "2001:db8:5:1:2:: 2001:db8:6:7::", 0 },
		{ "no block", "2001:db8::/32 n 16", "fc00::1 fc00::2", "fc00::1 fc00::2", 0 },
		{ "REPLACE-CSID: the worked example", "2001:db8:b2::/48 r 32",
		  "2001:db8:b2:20:1:: 2001:db8:b2:23:1:: 2001:db8:b2:22:1:: 2001:db8:b2:21:1::",
		  "2001:db8:b2:20:1:: 0:0:21:1:22:1:23:1", 0 },
		{ "REPLACE-CSID: a full container", "2001:db8:b2::/48 r 32",
		  "2001:db8:b2:20:1:: 2001:db8:b2:24:1:: 2001:db8:b2:23:1:: 2001:db8:b2:22:1:: "
		  "2001:db8:b2:21:1::",
		  "2001:db8:b2:20:1:: 21:1:22:1:23:1:24:1", 0 },
		{ "REPLACE-CSID: alone at the end", "2001:db8:b2::/48 r 32",
		  "fc00::1 2001:db8:b2:1:1::", "fc00::1 2001:db8:b2:1:1::", 0 },
		{ "REPLACE-CSID: a container that ends early", "2001:db8:b2::/48 r 32",
		  "2001:db8:b2:1:1:: 2001:db8:b2:2:1:: fc00::1",
		  "2001:db8:b2:1:1:: 0:0:0:0:0:0:2:1 fc00::1", 0 },
		{ "REPLACE-CSID: a full container cannot be followed", "2001:db8:b2::/48 r 32",
		  "2001:db8:b2:1:1:: 2001:db8:b2:2:1:: 2001:db8:b2:3:1:: 2001:db8:b2:4:1:: "
		  "2001:db8:b2:5:1:: fc00::1",
		  "2001:db8:b2:1:1:: 0:0:0:0:3:1:2:1 2001:db8:b2:4:1:: 0:0:0:0:0:0:5:1 fc00::1",
		  0 },
		{ "REPLACE-CSID: one alone cannot be followed", "2001:db8:b2::/48 r 32",
		  "2001:db8:b2:1:1:: fc00::1", "", -EINVAL },
		{ "REPLACE-CSID with 16 bits", "2001:db8::/32 r 16",
		  "2001:db8:1:: 2001:db8:2:: 2001:db8:3:: 2001:db8:4::",
		  "2001:db8:1:: 0:0:0:0:0:4:3:2", 0 },
		{ "too many", "2001:db8::/32 n 16",
		  "fc00::1 fc00::2 fc00::3 fc00::4 fc00::5 fc00::6 fc00::7 fc00::8 fc00::9", "",
		  -E2BIG },
	};

	return cr_make_param_array(struct csid_row, rows, sizeof(rows) / sizeof(rows[0]));
}

static unsigned sids_of(const char *text, uint8_t (*sid)[16])
{
	char copy[400], *save, *word;
	unsigned n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		cr_assert_eq(inet_pton(AF_INET6, word, sid[n++]), 1, "%s", word);
	return n;
}

static unsigned blocks_of(const char *text, struct csid_block *block)
{
	char copy[80], *save, *word, prefix[48], flavor;
	unsigned n = 0, len, csid;

	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, ";", &save); word != NULL; word = strtok_r(NULL, ";", &save)) {
		cr_assert_eq(sscanf(word, "%47[^/]/%u %c %u", prefix, &len, &flavor, &csid), 4);
		block[n].len = (uint8_t)len;
		block[n].csid_len = (uint8_t)csid;
		block[n].replace = flavor == 'r';
		cr_assert_eq(inet_pton(AF_INET6, prefix, block[n++].prefix), 1);
	}
	return n;
}

static const char *text_of(const uint8_t (*sid)[16], unsigned n, char *buf, size_t size)
{
	char ip[48];
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i > 0 ? " " : "",
					inet_ntop(AF_INET6, sid[i], ip, sizeof(ip)));
	return buf;
}

ParameterizedTest(struct csid_row *r, csid, rows)
{
	uint8_t in[16][16], out[16][16], want[16][16];
	struct csid_block block[4];
	unsigned n = sids_of(r->in, in), n_block = blocks_of(r->block, block), n_out = 0, at = 0;
	char have_text[800], want_text[800];
	int rc = csid_compress((const uint8_t(*)[16])in, n, block, n_block, out, 8, &n_out, &at);

	cr_assert_eq(rc, r->rc, "%s: %d", r->why, rc);
	if (rc < 0)
		return;
	text_of((const uint8_t(*)[16])want, sids_of(r->out, want), want_text, sizeof(want_text));
	text_of((const uint8_t(*)[16])out, n_out, have_text, sizeof(have_text));
	cr_assert_str_eq(have_text, want_text, "%s\nhave %s\nwant %s", r->why, have_text,
			 want_text);
}

/* ---- compression: a packet walks through every list ------------------------------------------------------------- */

typedef unsigned __int128 u128;

static u128 number_of(const uint8_t a[16])
{
	u128 v = 0;

	for (int i = 0; i < 16; i++)
		v = v << 8 | a[i];
	return v;
}

static u128 cut(u128 v, unsigned from, unsigned n)
{
	return n == 0 ? 0 : v << from >> (128 - n);
}

/* The SIDs a packet with these entries visits, by the endpoint procedures of NEXT-CSID and REPLACE-CSID: returns their
 * number, or 0 when a node would find the packet wrong. */
static unsigned walk(const uint8_t (*entry)[16], unsigned n, const struct csid_block *b,
		     const uint8_t (*sid)[16], unsigned n_sids)
{
	u128 da = number_of(entry[0]), head = cut(number_of(b->prefix), 0, b->len)
					      << (128 - b->len);
	unsigned at = 0, seen = 0, k = 128u / b->csid_len, idx = 0, step;

	for (;;) {
		u128 want;

		if (seen == n_sids)
			return 0;
		want = number_of(sid[seen]);
		bool ours = cut(da ^ head, 0, b->len) == 0;

		if (ours && !b->replace) { /* longest prefix: node, or node and function */
			for (step = b->csid_len; b->len + step <= 128; step += b->csid_len)
				if (cut(da, 0, b->len + step) == cut(want, 0, b->len + step) &&
				    (b->len + step == 128 || (want << (b->len + step)) == 0))
					break;
			if (b->len + step > 128)
				return 0;
			seen++;
			u128 arg = b->len + step >= 128 ? 0 : da << (b->len + step);
			if (arg != 0) {
				da = head | arg >> b->len;
				continue;
			}
		} else if (ours) {
			u128 csid = cut(da, b->len, b->csid_len);

			if (csid != cut(want, b->len, b->csid_len))
				return 0;
			seen++;
			idx = (unsigned)(da & (k > 4 ? 7 : 3));
			if (seen == n_sids && at == n - 1)
				return idx == 0 || cut(number_of(entry[at]),
						       (idx - 1) * b->csid_len, b->csid_len) == 0 ?
					       seen :
					       0;
			if (idx != 0) {
				u128 next =
					cut(number_of(entry[at]), --idx * b->csid_len, b->csid_len);

				if (next != 0) {
					da = head | next << (128 - b->len - b->csid_len) | idx;
					continue;
				}
			} else {
				if (++at == n)
					return 0;
				idx = k - 1;
				da = head |
				     cut(number_of(entry[at]), idx * b->csid_len, b->csid_len)
					     << (128 - b->len - b->csid_len) |
				     idx;
				continue;
			}
		} else {
			if (da != want)
				return 0;
			seen++;
		}
		if (++at == n)
			return seen;
		da = number_of(entry[at]);
	}
}

static uint64_t state;
static uint32_t rnd(uint32_t n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % n;
}

static unsigned long env_number(const char *name, unsigned long none)
{
	const char *v = getenv(name);

	return v != NULL ? strtoul(v, NULL, 0) : none;
}

Test(csid, random_lists_are_walked)
{
	static const struct csid_block blocks[] = {
		{ { 0x20, 1, 0x0d, 0xb8 }, 32, 16, false },
		{ { 0x20, 1, 0x0d, 0xb8, 0, 0xb2 }, 48, 16, false },
		{ { 0x20, 1, 0x0d, 0xb8 }, 32, 32, false },
		{ { 0x20, 1, 0x0d, 0xb8, 0, 0xb2 }, 48, 32, true },
		{ { 0x20, 1, 0x0d, 0xb8 }, 32, 16, true },
		{ { 0x20, 1, 0x0d, 0xb8, 0, 0xb2, 0x40 }, 56, 32, true },
	};
	unsigned long count = env_number("HD_TEST_COUNT", 20000), refused = 0, shorter = 0;

	state = env_number("HD_TEST_SEED", 1);
	for (unsigned long turn = 0; turn < count; turn++) {
		const struct csid_block *b = &blocks[turn % 6];
		uint8_t sid[24][16] = { { 0 } }, out[24][16];
		unsigned n = 1 + rnd(24), n_out = 0, at = 0;
		char text[2][1200];
		int rc;

		for (unsigned i = 0; i < n; i++) {
			if (rnd(6) == 0) {
				sid[i][0] = 0xfc;
				sid[i][15] = (uint8_t)(1 + rnd(9));
				continue;
			}
			memcpy(sid[i], b->prefix, 16);
			for (unsigned k = 0; k < b->csid_len / 8u * (b->replace ? 1 : 1 + rnd(2));
			     k++)
				if (b->len / 8 + k < 16)
					sid[i][b->len / 8 + k] = (uint8_t)(1 + rnd(255));
		}
		rc = csid_compress((const uint8_t(*)[16])sid, n, b, 1, out, 24, &n_out, &at);
		if (rc == -EINVAL && b->replace) {
			refused++;
			continue;
		}
		cr_assert_eq(rc, 0, "turn %lu: %d", turn, rc);
		cr_assert_leq(n_out, n);
		shorter += n_out < n;
		cr_assert_eq(walk((const uint8_t(*)[16])out, n_out, b, (const uint8_t(*)[16])sid,
				  n),
			     n, "turn %lu, block %u/%u %s\nsids %s\npushed %s", turn, b->len,
			     b->csid_len, b->replace ? "replace" : "next",
			     text_of((const uint8_t(*)[16])sid, n, text[0], sizeof(text[0])),
			     text_of((const uint8_t(*)[16])out, n_out, text[1], sizeof(text[1])));
	}
	cr_assert_gt(shorter, count / 3, "%lu of %lu lists became shorter", shorter, count);
	cr_assert_lt(refused, count / 2, "%lu of %lu refused", refused, count);
}

/* ---- choice among paths: S-106, S-185 --------------------------------------------------------------------------- */

struct choice_row {
	char why[64];
	struct {
		uint32_t preference;
		uint8_t origin;
		uint8_t originator; /* last octet of the node address */
		uint32_t discriminator;
		bool valid;
	} path[3];
	int active; /* index, or -1 */
};

ParameterizedTestParameters(path, choice)
{
	static struct choice_row rows[] = {
		{ "highest preference", { { 200, 30, 0, 0, true }, { 100, 30, 0, 0, true } }, 0 },
		{ "highest preference, given last",
		  { { 100, 30, 0, 0, true }, { 200, 20, 0, 0, true } },
		  1 },
		{ "S-106: the better one is invalid",
		  { { 200, 30, 0, 0, false }, { 100, 30, 0, 0, true } },
		  1 },
		{ "S-185: configured before BGP",
		  { { 100, 20, 0, 0, true }, { 100, 30, 0, 0, true } },
		  1 },
		{ "S-185: BGP before PCEP",
		  { { 100, 10, 0, 0, true }, { 100, 20, 0, 0, true } },
		  1 },
		{ "S-185: lower originator",
		  { { 100, 20, 2, 0, true }, { 100, 20, 1, 0, true } },
		  1 },
		{ "higher discriminator", { { 100, 20, 1, 4, true }, { 100, 20, 1, 5, true } }, 1 },
		{ "originator before discriminator",
		  { { 100, 20, 1, 4, true }, { 100, 20, 2, 5, true } },
		  0 },
		{ "preference before all", { { 101, 10, 9, 0, true }, { 100, 30, 1, 5, true } }, 0 },
		{ "none is valid", { { 200, 30, 0, 0, false }, { 100, 30, 0, 0, false } }, -1 },
	};

	return cr_make_param_array(struct choice_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct choice_row *r, path, choice)
{
	static const char *const names[] = { "a", "b", "c" };
	struct srv6_path path[2] = { 0 };
	struct srv6_paths p = { .path = path, .n = 2 };

	for (unsigned i = 0; i < 2; i++) {
		path[i].name = names[i];
		path[i].preference = r->path[i].preference;
		path[i].origin = r->path[i].origin;
		path[i].originator[19] = r->path[i].originator;
		path[i].discriminator = r->path[i].discriminator;
		path[i].valid = r->path[i].valid;
	}
	srv6_paths_choose(&p);
	if (r->active < 0)
		cr_assert_null(p.active, "%s", r->why);
	else
		cr_assert_str_eq(p.active->name, names[r->active], "%s", r->why);
}

/* ---- configurations --------------------------------------------------------------------------------------------- */

TestSuite(srv6, .init = texts_init, .fini = texts_fini);

static const char base[] = "interfaces: {interface: [{name: core, devargs: net_null0},\n"
			   "  {name: cust, devargs: net_null1, promiscuous: true}]}\n"
			   "srv6:\n"
			   "  encapsulation: {source-address: 'fc00:1::1'}\n"
			   "  locator: [{name: l, prefix: 'fc00:1::/48'}]\n";

static struct config *compiled(const char *more)
{
	struct config *cfg;
	struct ctrl_err err;
	char *text;

	cr_assert_gt(asprintf(&text, "%s%s", base, more), 0);
	cr_assert_eq(config_parse(ly, text, strlen(text), "t.yaml", &cfg, &err), 0, "%s", err.msg);
	cr_assert_eq(config_compile(cfg, ids, NULL, &err), 0, "%s", err.msg);
	free(text);
	return cfg;
}

static void again(struct config *cfg)
{
	struct ctrl_err err;

	cr_assert_eq(config_compile(cfg, ids, NULL, &err), 0, "%s", err.msg);
}

static unsigned count(const struct config *cfg, uint16_t type)
{
	unsigned n = 0;

	while (texts_nth(cfg, type, n) != NULL)
		n++;
	return n;
}

static const struct hd_api_srv6_policy *policy_named(const struct config *cfg, const char *name)
{
	uint32_t id = ids_find(ids, ID_POLICY, name);

	for (unsigned i = 0; i < count(cfg, HD_API_SRV6_POLICY); i++) {
		const struct hd_api_srv6_policy *p = texts_nth(cfg, HD_API_SRV6_POLICY, i);

		if (p->policy_id == id)
			return p;
	}
	return NULL;
}

/* Is the policy's only list this one, of "policy path list"? */
static void expect_list(const struct config *cfg, const char *policy, const char *list)
{
	const struct hd_api_srv6_policy *p = policy_named(cfg, policy);

	cr_assert_not_null(p, "no policy %s", policy);
	cr_assert_eq(p->n_lists, 1, "%u lists", p->n_lists);
	cr_assert_str_eq(ids_name(ids, ID_SEGLIST, p->list[0].seglist_id), list);
}

static const char two_paths[] =
	"  policy:\n"
	"  - name: far\n"
	"    color: 7\n"
	"    endpoint: 'fc00:9::1'\n"
	"    binding-sid: 'fc00:1::b6'\n"
	"    candidate-path:\n"
	"    - name: spare\n"
	"      segment-list: [{name: s, segment: ['fc00:3::1']}]\n"
	"    - name: best\n"
	"      preference: 200\n"
	"      liveness: probe\n"
	"      segment-list: [{name: b, liveness: list-probe, segment: ['fc00:2::1', 'fc00:2::2']}]\n"
	"ip: {route: [{prefix: 10.3.0.0/16, srv6-policy: far}]}\n";

/* S-106: the path with the highest preference, another while that is down, and back. */
Test(srv6, s106_liveness_moves_the_active_path)
{
	struct config *cfg = compiled(two_paths);

	expect_list(cfg, "far", "far best b");
	cr_assert_eq(count(cfg, HD_API_SRV6_SEGLIST), 2, "lists of all paths are there");
	uint32_t id = policy_named(cfg, "far")->policy_id;

	cr_assert(liveness_set("probe", false, "3 of 3 lost"));
	cr_assert_not(liveness_set("probe", false, ""), "no change");
	again(cfg);
	expect_list(cfg, "far", "far spare s");
	cr_assert(liveness_set("probe", true, NULL));
	again(cfg);
	expect_list(cfg, "far", "far best b");
	liveness_set("list-probe", false, "");
	again(cfg);
	expect_list(cfg, "far", "far spare s");
	liveness_resolved_set(ids_find(ids, ID_SEGLIST, "far spare s"), false);
	again(cfg); /* nothing is valid: the policy, its route and its binding SID leave */
	cr_assert_null(policy_named(cfg, "far"));
	cr_assert_eq(count(cfg, HD_API_ROUTE), 0);
	cr_assert_eq(count(cfg, HD_API_SRV6_SID), 0);
	cr_assert_eq(count(cfg, HD_API_SRV6_SEGLIST), 2, "watched on");
	liveness_set("list-probe", true, "");
	again(cfg);
	expect_list(cfg, "far", "far best b");
	cr_assert_eq(policy_named(cfg, "far")->policy_id, id, "the number stays");
	cr_assert_eq(count(cfg, HD_API_ROUTE), 1);
	liveness_resolved_forget();
	config_destroy(cfg);
}

/* S-107: the binding SID goes with its policy, or stays and drops. */
Test(srv6, s107_binding_sid)
{
	struct config *cfg = compiled(two_paths);
	const struct hd_api_srv6_sid *sid = texts_nth(cfg, HD_API_SRV6_SID, 0);

	cr_assert_not_null(sid);
	cr_assert_eq(sid->behavior, HD_SRV6_END_B6_ENCAPS_RED);
	cr_assert_eq(sid->target, HD_TARGET_POLICY);
	cr_assert_eq(sid->target_id, policy_named(cfg, "far")->policy_id);
	config_destroy(cfg);
	cfg = compiled(
		"  policy:\n  - {name: far, binding-sid: 'fc00:1::b6', encapsulation: h-encaps, "
		"drop-upon-invalid: true}\n");
	sid = texts_nth(cfg, HD_API_SRV6_SID, 0);
	cr_assert_not_null(sid);
	cr_assert_eq(sid->behavior, HD_SRV6_END_B6_ENCAPS);
	cr_assert_eq(policy_named(cfg, "far")->n_lists, 0, "kept to drop");
	config_destroy(cfg);
}

/* S-186: weight 0 and no segments make a list invalid, not the path while one list is left. */
Test(srv6, s186_invalid_lists)
{
	struct config *cfg = compiled(
		"  policy:\n  - name: far\n    segment-list:\n"
		"    - {name: zero, weight: 0, segment: ['fc00:2::1']}\n    - {name: empty}\n"
		"    - {name: good, weight: 3, segment: ['fc00:2::3']}\n"
		"    - {name: lost, segment: ['fc00:2::4']}\n");
	const struct hd_api_srv6_policy *p = policy_named(cfg, "far");
	struct srv6_read r = { .tree = cfg->tree, .ids = ids };
	struct srv6_paths paths;

	cr_assert_eq(p->n_lists, 2);
	liveness_resolved_set(ids_find(ids, ID_SEGLIST, "far lost"), false);
	again(cfg);
	expect_list(cfg, "far", "far good");
	cr_assert_eq(policy_named(cfg, "far")->list[0].weight, 3);
	cr_assert_eq(srv6_paths_read(&r, srv6_policy_node(cfg->tree, "far"), &paths), 0);
	cr_assert_eq(paths.n, 1);
	cr_assert_str_eq(paths.path[0].list[0].reason, "weight 0");
	cr_assert_str_eq(paths.path[0].list[1].reason, "no segments");
	cr_assert(paths.path[0].list[2].valid);
	cr_assert_str_eq(paths.path[0].list[3].reason, "no way to the first segment fc00:2::4");
	srv6_paths_free(&paths);
	liveness_resolved_forget();
	config_destroy(cfg);
}

/* A composite path: shares of policies, then of their lists (RFC 9256 section 2.11). */
Test(srv6, composite)
{
	struct config *cfg = compiled(
		"  policy:\n"
		"  - {name: a, color: 1, endpoint: 'fc00:9::1', segment-list: [{name: x, segment: ['fc00:2::1']},\n"
		"     {name: y, weight: 3, segment: ['fc00:2::2']}]}\n"
		"  - {name: b, color: 2, endpoint: 'fc00:9::1', segment-list: [{name: z, segment: ['fc00:2::3']}]}\n"
		"  - name: all\n    candidate-path:\n    - name: c\n      constituent:\n"
		"      - {policy: a, weight: 2}\n      - {policy: b, weight: 2}\n");
	const struct hd_api_srv6_policy *p = policy_named(cfg, "all");

	cr_assert_eq(count(cfg, HD_API_SRV6_SEGLIST), 3, "lists are shared");
	cr_assert_eq(p->n_lists, 3);
	cr_assert_eq(p->list[1].weight, 3 * p->list[0].weight);
	cr_assert_eq(p->list[2].weight, 4 * p->list[0].weight);
	config_destroy(cfg);
}

/* S-109: the service SID behind the policy's list, and the same SID of two routes is one policy. */
Test(srv6, s109_service_sid)
{
	struct config *cfg = compiled(
		"  policy: [{name: far, segment-list: [{name: a, segment: ['fc00:2::1', 'fc00:2::2']}]}]\n"
		"ip: {route: [{prefix: 10.1.0.0/16, srv6-policy: far, policy-service-sid: 'fc00:5::d4'},\n"
		"  {prefix: 10.2.0.0/16, srv6-policy: far, policy-service-sid: 'fc00:5::d4'},\n"
		"  {prefix: 10.3.0.0/16, srv6-policy: far}]}\n");
	const struct hd_api_srv6_policy *p = policy_named(cfg, "far fc00:5::d4");
	const struct hd_api_srv6_seglist *l = NULL;
	uint8_t sid[16];

	cr_assert_not_null(p);
	cr_assert_eq(count(cfg, HD_API_SRV6_POLICY), 2);
	for (unsigned i = 0; i < count(cfg, HD_API_SRV6_SEGLIST); i++) {
		l = texts_nth(cfg, HD_API_SRV6_SEGLIST, i);
		if (l->seglist_id == p->list[0].seglist_id)
			break;
	}
	cr_assert_eq(l->n_segs, 3);
	inet_pton(AF_INET6, "fc00:5::d4", sid);
	cr_assert_arr_eq(l->seg[2], sid, 16);
	config_destroy(cfg);
}

/* Steering by color: RFC 9256 sections 8.4.1 and 8.8.1. */
struct color_row {
	char why[64];
	char color[80];  /* list color of the route */
	char policy[16]; /* which it takes; "" its next hop */
};

ParameterizedTestParameters(srv6_rows, color)
{
	static struct color_row rows[] = {
		{ "color and next hop", "[{color: 1}]", "exact" },
		{ "no such color", "[{color: 9}]", "" },
		{ "not this endpoint", "[{color: 2}]", "" },
		{ "type 1: the null endpoint of the family", "[{color: 2, color-only: 1}]",
		  "null6" },
		{ "type 1: any null endpoint", "[{color: 3, color-only: 1}]", "null4" },
		{ "type 1: not another endpoint", "[{color: 4, color-only: 1}]", "" },
		{ "type 2: any endpoint of the family", "[{color: 4, color-only: 2}]", "other6" },
		{ "type 2: any endpoint", "[{color: 5, color-only: 2}]", "other4" },
		{ "type 2 still prefers the exact one", "[{color: 1, color-only: 2}]", "exact" },
		{ "the highest color first", "[{color: 1}, {color: 6}]", "high" },
		{ "an invalid one is passed over", "[{color: 1}, {color: 7}]", "exact" },
	};

	return cr_make_param_array(struct color_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct color_row *r, srv6_rows, color, .init = texts_init, .fini = texts_fini)
{
	char text[2400];
	struct config *cfg;
	const struct hd_api_route *route;

	snprintf(
		text, sizeof(text),
		"  policy:\n"
		"  - {name: exact, color: 1, endpoint: 'fc00:9::1', segment-list: [{name: l, segment: ['fc00:2::1']}]}\n"
		"  - {name: exact2, color: 1, endpoint: 'fc00:9::2', segment-list: [{name: l, segment: ['fc00:2::1']}]}\n"
		"  - {name: null6, color: 2, endpoint: '::', segment-list: [{name: l, segment: ['fc00:2::1']}]}\n"
		"  - {name: null4, color: 3, endpoint: 0.0.0.0, segment-list: [{name: l, segment: ['fc00:2::1']}]}\n"
		"  - {name: other6, color: 4, endpoint: 'fc00:9::7', segment-list: [{name: l, segment: ['fc00:2::1']}]}\n"
		"  - {name: other4, color: 5, endpoint: 10.9.9.9, segment-list: [{name: l, segment: ['fc00:2::1']}]}\n"
		"  - {name: high, color: 6, endpoint: 'fc00:9::1', segment-list: [{name: l, segment: ['fc00:2::1']}]}\n"
		"  - {name: dead, color: 7, endpoint: 'fc00:9::1'}\n"
		"ip: {route: [{prefix: '2001:db8::/32', next-hop: [{interface: core, address: 'fc00:9::1'}], color: %s}]}\n",
		r->color);
	cfg = compiled(text);
	route = texts_nth(cfg, HD_API_ROUTE, 0);
	cr_assert_not_null(route);
	if (r->policy[0] == '\0') {
		cr_assert_eq(route->target, HD_TARGET_NEXTHOP, "%s", r->why);
	} else {
		cr_assert_eq(route->target, HD_TARGET_POLICY, "%s", r->why);
		cr_assert_str_eq(ids_name(ids, ID_POLICY, route->id), r->policy, "%s", r->why);
	}
	config_destroy(cfg);
}

Test(srv6, steering)
{
	struct config *cfg = compiled(
		"  domain: {sid-prefix: ['fc00::/16'], source-prefix: ['fc00:ffff::/32']}\n"
		"  policy: [{name: far, segment-list: [{name: a, segment: ['fc00:2::1']}]}, {name: dead},\n"
		"    {name: wire, encapsulation: h-encaps-l2-red, segment-list: [{name: a, segment: ['fc00:2::2']}]}]\n"
		"  classifier:\n"
		"  - name: c\n"
		"    rule:\n"
		"    - {number: 10, protocol: udp, destination-port: 4000-4100, policy: far}\n"
		"    - {number: 20, source: 10.0.0.0/8, dscp: 46, action: drop}\n"
		"    - {number: 30, source: 10.0.0.0/8, policy: dead}\n"
		"  interface: [{name: core, sr-domain: outside, classifier: c, policy: far}, {name: cust, l2-policy: wire}]\n");
	const struct hd_api_srv6_ingress *in = texts_nth(cfg, HD_API_SRV6_INGRESS, 0);
	const struct hd_api_srv6_domain *d = texts_nth(cfg, HD_API_SRV6_DOMAIN, 0);
	const struct hd_api_srv6_rule *r = texts_nth(cfg, HD_API_SRV6_RULE, 0);
	const struct hd_api_iface *core = NULL, *cust = NULL;

	for (unsigned i = 0; i < count(cfg, HD_API_IFACE); i++) {
		const struct hd_api_iface *f = texts_nth(cfg, HD_API_IFACE, i);

		if (strcmp(f->name, "core") == 0)
			core = f;
		else
			cust = f;
	}
	cr_assert((core->flags & HD_IFACE_F_INGRESS) != 0);
	cr_assert_eq(core->l2_policy_id, 0);
	cr_assert((cust->flags & HD_IFACE_F_INGRESS) == 0);
	cr_assert_eq(cust->l2_policy_id, ids_find(ids, ID_POLICY, "wire"));
	cr_assert_eq(count(cfg, HD_API_SRV6_INGRESS), 1);
	cr_assert_eq(in->flags, HD_SRV6_INGRESS_OUTSIDE);
	cr_assert_eq(in->policy4_id, ids_find(ids, ID_POLICY, "far"));
	cr_assert_neq(in->acl_id, 0);
	cr_assert_eq(d->n_prefixes, 4, "two configured, the locator, the source address");
	cr_assert_eq(count(cfg, HD_API_SRV6_RULE), 3,
		     "rule 10 for both families, 30 without policy");
	cr_assert_eq(r->family, 4);
	cr_assert_eq(r->seq, 10);
	cr_assert_eq(r->proto, 17);
	cr_assert_eq(r->dport_lo, 4000);
	cr_assert_eq(r->dport_hi, 4100);
	r = texts_nth(cfg, HD_API_SRV6_RULE, 1);
	cr_assert_eq(r->action, HD_SRV6_RULE_DROP);
	cr_assert_eq(r->dscp, 46);
	config_destroy(cfg);
}

/* A filter that protects nothing is refused. */
Test(srv6, inside_needs_a_locator)
{
	static const char text[] = "interfaces: {interface: [{name: core, devargs: net_null0}]}\n"
				   "srv6: {interface: [{name: core, sr-domain: inside}]}\n";
	struct ctrl_err err;
	struct config *cfg;

	cr_assert_eq(config_parse(ly, text, strlen(text), "t.yaml", &cfg, &err), 0, "%s", err.msg);
	cr_assert_lt(config_compile(cfg, ids, NULL, &err), 0);
	cr_assert_not_null(strstr(err.msg, "there is no locator"), "%s", err.msg);
	config_destroy(cfg);
}

Test(srv6, treatment)
{
	struct config *cfg = compiled(
		"  decapsulation: {dscp: uniform}\n"
		"  policy: [{name: p, hop-limit: copy, traffic-class: 184, flow-label: 5,\n"
		"    segment-list: [{name: a, segment: ['fc00:2::1']}]},\n"
		"    {name: q, segment-list: [{name: a, segment: ['fc00:2::1']}]}]\n");
	const struct hd_api_srv6_policy *p = policy_named(cfg, "p");
	const struct hd_api_srv6_conf *c = texts_nth(cfg, HD_API_SRV6_CONF, 0);

	cr_assert_eq(p->treatment.set, 7);
	cr_assert_eq(p->treatment.hop_mode, HD_SRV6_HOP_INNER);
	cr_assert_eq(p->treatment.tclass_mode, HD_SRV6_TCLASS_FIXED);
	cr_assert_eq(p->treatment.tclass, 184);
	cr_assert_eq(p->treatment.label_mode, HD_SRV6_LABEL_FIXED);
	cr_assert_eq(p->treatment.label, 5);
	cr_assert_eq(c->encap_hop_limit, 64);
	cr_assert_eq(c->flags, HD_SRV6_CONF_F_DECAP_DSCP);
	config_destroy(cfg);
}

/* A list is compressed into containers, and not when it says so. */
Test(srv6, compression_is_configured)
{
	static const char text[] =
		"  csid-block: [{prefix: '2001:db8::/32'}]\n"
		"  policy: [{name: p, segment-list: [{name: a%s, segment: ['2001:db8:1::', '2001:db8:2::', '2001:db8:3::']}]}]\n";
	char buf[400];
	struct config *cfg;

	snprintf(buf, sizeof(buf), text, "");
	cfg = compiled(buf);
	cr_assert_eq(
		((const struct hd_api_srv6_seglist *)texts_nth(cfg, HD_API_SRV6_SEGLIST, 0))->n_segs,
		1);
	config_destroy(cfg);
	snprintf(buf, sizeof(buf), text, ", compress: false");
	cfg = compiled(buf);
	cr_assert_eq(
		((const struct hd_api_srv6_seglist *)texts_nth(cfg, HD_API_SRV6_SEGLIST, 0))->n_segs,
		3);
	config_destroy(cfg);
}

/* More segments than one header carries are refused, and the answer says what helps. */
Test(srv6, too_many_segments)
{
	char text[1200] = "  policy: [{name: p, segment-list: [{name: a, segment: [";
	struct config *cfg;
	struct ctrl_err err;
	char *whole;

	for (unsigned i = 1; i <= 17; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s'fc00:2::%x'",
			 i > 1 ? ", " : "", i);
	strcat(text, "]}]}]\n");
	cr_assert_gt(asprintf(&whole, "%s%s", base, text), 0);
	cr_assert_eq(config_parse(ly, whole, strlen(whole), "t.yaml", &cfg, &err), 0);
	cr_assert_eq(config_compile(cfg, ids, NULL, &err), -EINVAL);
	cr_assert_not_null(strstr(err.msg, "csid-block"), "%s", err.msg);
	cr_assert_not_null(strstr(err.path, "segment-list[name='a']"), "%s", err.path);
	config_destroy(cfg);
	free(whole);
}

/* NAME@LOCATOR: a function is allocated, kept when others come and go, and given back to the same name after a
 * restart. */
Test(srv6, allocated_sids)
{
	static const char one[] = "  sid: [{sid: red@l, behavior: end-dt46}]\n";
	static const char two[] =
		"  sid: [{sid: blue@l, behavior: end-dt6}, {sid: red@l, behavior: end-dt46},\n"
		"    {sid: 'fc00:1::e/128', behavior: end}]\n";
	struct config *cfg = compiled(one);
	const struct hd_api_srv6_sid *sid = texts_nth(cfg, HD_API_SRV6_SID, 0);
	uint8_t red[16], want[16];
	bool found = false;

	inet_pton(AF_INET6, "fc00:1:0:8001::", want);
	cr_assert_arr_eq(sid->sid, want, 16);
	cr_assert_eq(sid->plen, 128);
	memcpy(red, sid->sid, 16);
	config_destroy(cfg);
	cfg = compiled(two);
	cr_assert_eq(count(cfg, HD_API_SRV6_SID), 3);
	for (unsigned i = 0; i < 3; i++) {
		sid = texts_nth(cfg, HD_API_SRV6_SID, i);
		found |= memcmp(sid->sid, red, 16) == 0 && sid->behavior == HD_SRV6_END_DT46;
	}
	cr_assert(found, "red@l has moved");
	config_destroy(cfg);
	struct ctrl_err err;
	char *text;

	cr_assert_gt(asprintf(&text, "%s  sid: [{sid: red@m, behavior: end}]\n", base), 0);
	cr_assert_eq(config_parse(ly, text, strlen(text), "t.yaml", &cfg, &err), 0, "%s", err.msg);
	cr_assert_eq(config_compile(cfg, ids, NULL, &err), -EINVAL);
	cr_assert_not_null(strstr(err.msg, "no locator 'm'"), "%s", err.msg);
	config_destroy(cfg);
	free(text);
}
