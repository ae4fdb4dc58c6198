/* SPDX-License-Identifier: BSD-3-Clause
 * BFD in the control process: what the configuration becomes, and what it refuses. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/tests/texts.h"
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

TestSuite(bfd_config, .init = texts_init, .fini = texts_fini);

/* The session of a family. */
static const struct hd_api_bfd_session *find(const struct config *cfg, uint8_t family)
{
	const struct hd_api_bfd_session *m;

	for (unsigned n = 0; (m = texts_nth(cfg, HD_API_BFD_SESSION, n)) != NULL; n++)
		if (m->family == family)
			return m;
	return NULL;
}

Test(bfd_config, objects)
{
	struct ctrl_err err = { 0 };
	const struct hd_api_bfd_session *m;
	struct config *cfg;

	cr_assert_eq(texts_take(good, &cfg, &err), 0, "%s", err.msg);
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
	texts_refused(good, r);
}
