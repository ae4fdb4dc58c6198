/* SPDX-License-Identifier: BSD-3-Clause
 * BFD in the control process: what the configuration becomes, and what it refuses. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/config.h"
#include "heddle/api/bfd.h"

static const char good[] =
	"interfaces:\n"
	"  interface:\n"
	"  - {name: a, devargs: net_null0}\n"
	"bfd:\n"
	"  session:\n"
	"  - {name: one, peer-address: 192.0.2.1, local-address: 192.0.2.9, interface: a,\n"
	"     transmit-interval: 10, receive-interval: 20}\n"
	"  - name: far\n"
	"    peer-address: fc00:3::1\n"
	"    local-address: fc00:1::1\n"
	"    multihop: {minimum-ttl: 250, segment: ['fc00:2::e']}\n"
	"    detect-multiplier: 5\n"
	"    enabled: false\n";

static int compile(const char *text, struct ctrl_err *err, struct config **ret)
{
	struct ly_ctx *ly = config_yang(YANG_DIR, err);
	struct ids *ids = ids_create();
	struct config *cfg = NULL;
	int rc;

	cr_assert_not_null(ly, "%s", err->msg);
	rc = config_parse(ly, text, strlen(text), "test.yaml", &cfg, err);
	if (rc == 0)
		rc = config_compile(cfg, ids, NULL, err);
	ids_destroy(ids);
	*ret = cfg;
	return rc;
}

static const struct hd_api_bfd_session *find(const struct config *cfg, uint8_t family)
{
	for (size_t i = 0; i < cfg->set.n; i++) {
		const struct hd_api_bfd_session *m = (const void *)cfg->set.obj[i].body;

		if (cfg->set.obj[i].kind->type == HD_API_BFD_SESSION && m->family == family)
			return m;
	}
	return NULL;
}

Test(bfd_config, objects)
{
	struct ctrl_err err = { 0 };
	const struct hd_api_bfd_session *m;
	struct config *cfg;

	cr_assert_eq(compile(good, &err, &cfg), 0, "%s", err.msg);
	m = find(cfg, 4);
	cr_assert_not_null(m);
	cr_assert_eq(m->min_tx_us, 10000);
	cr_assert_eq(m->min_rx_us, 20000);
	cr_assert_eq(m->mult, 3);
	cr_assert_neq(m->iface_id, 0);
	cr_assert_eq(m->flags, 0);
	m = find(cfg, 6);
	cr_assert_not_null(m);
	cr_assert_eq(m->flags, HD_BFD_F_MULTIHOP | HD_BFD_F_ADMIN_DOWN);
	cr_assert_eq(m->min_ttl, 250);
	cr_assert_eq(m->n_segs, 1);
	cr_assert_eq(m->seg[0][15], 0xe);
	cr_assert_eq(m->min_tx_us, 300000);
}

struct bad_row {
	char from[80], to[100], part[64];
};
ParameterizedTestParameters(bfd_config, refused)
{
	static struct bad_row rows[] = {
		{ "local-address: 192.0.2.9", "local-address: 'fc00:1::1'", "family" },
		{ "peer-address: 192.0.2.1", "peer-address: 224.0.0.1", "unicast" },
		{ "interface: a", "interface: b", "b" },
		{ "transmit-interval: 10", "transmit-interval: 2", "range" },
		{ "peer-address: 192.0.2.1, local-address: 192.0.2.9, interface: a",
		  "peer-address: 'fe80::1', local-address: 'fe80::2'", "link-local" },
		{ "detect-multiplier: 5", "detect-multiplier: 0", "range" },
		{ "    enabled: false\n",
		  "  - {name: two, peer-address: 192.0.2.1, local-address: 192.0.2.9}\n",
		  "same addresses" },
		{ "interface: a", "vrf: red", "red" },
	};
	return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct bad_row *r, bfd_config, refused)
{
	struct ctrl_err err = { 0 };
	char text[1500], *at;
	struct config *cfg;

	strcpy(text, good);
	at = strstr(text, r->from);
	cr_assert_not_null(at, "%s is not in the good one", r->from);
	memmove(at + strlen(r->to), at + strlen(r->from), strlen(at + strlen(r->from)) + 1);
	memcpy(at, r->to, strlen(r->to));
	cr_assert_lt(compile(text, &err, &cfg), 0, "%s", text);
	cr_assert_not_null(strstr(err.msg, r->part), "'%s' lacks '%s'", err.msg, r->part);
}
