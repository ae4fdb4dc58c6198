/* SPDX-License-Identifier: BSD-3-Clause
 * Telemetry, asked over its own socket as dpdk-telemetry.py does. */
#include <criterion/criterion.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>

#include "dataplane/dp_limits.h"
#include "dataplane/engine.h"
#include "dataplane/stats.h"
#include "dataplane/telemetry.h"
#include "dataplane/tests/mini_graph.h"
#include "dataplane/worker.h"
#include "tests/harness.h"

static int fd = -1;
static char text[32768];

/* Ask; the answer below the command's name, NULL when it is null. */
static struct json_object *ask(const char *cmd)
{
	struct json_object *all, *body = NULL;
	char name[64];

	cr_assert_eq(send(fd, cmd, strlen(cmd), 0), (ssize_t)strlen(cmd));
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	all = json_tokener_parse(text);
	cr_assert_neq(all, NULL, "not JSON: %s", text);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(cmd, ","), cmd);
	cr_assert(json_object_object_get_ex(all, name, &body), "%s", text);
	return body;
}

static int64_t number(struct json_object *o, const char *row, const char *col)
{
	struct json_object *r = NULL, *c = NULL;

	if (o == NULL || !json_object_object_get_ex(o, row, &r))
		return -1;
	if (col == NULL)
		return json_object_get_int64(r);
	return json_object_object_get_ex(r, col, &c) ? json_object_get_int64(c) : -1;
}

static void start(void)
{
	char prefix[32], file_prefix[] = "--file-prefix";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char *argv[] = { (char *)"test",
			 (char *)"--no-huge",
			 (char *)"--no-pci",
			 (char *)"--no-shconf",
			 (char *)"-m",
			 (char *)"96",
			 (char *)"--iova-mode=va",
			 (char *)"--lcores",
			 (char *)"0@0",
			 (char *)"--log-level=error",
			 file_prefix,
			 prefix };

	snprintf(prefix, sizeof(prefix), "hxt%d", (int)getpid());
	cr_assert_geq(rte_eal_init((int)RTE_DIM(argv), argv), 0);
	dp_limits.mbufs = 4096;
	cr_assert_eq(engine_init(), 0);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dpdk_telemetry.v2",
		 rte_eal_get_runtime_dir());
	cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0, "%s", addr.sun_path);
	cr_assert_gt(recv(fd, text, sizeof(text), 0), 0, "its greeting");
}

static void stop(void)
{
	close(fd);
	engine_fini();
	rte_eal_cleanup();
}

TestSuite(telemetry, .init = start, .fini = stop, .timeout = 60);

Test(telemetry, what_went_through_the_graph)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), 0);

	hx_port();
	for (unsigned i = 0; i < 3; i++)
		hx_rx(1, buf, n);
	hx_turn();
	graph_stats_update();
	cr_assert_eq(number(ask("/heddle/drops"), "ip6_lookup/no_route", NULL), 3, "%s", text);
	cr_assert_eq(number(ask("/heddle/nodes"), "ip6_lookup", "objects"), 3, "%s", text);
	cr_assert_gt(number(ask("/heddle/workers"), "0", "loops"), 0, "%s", text);
	cr_assert_eq(number(ask("/heddle/vector,verdict/ip6-lookup"), "no_route", "packets"), 3,
		     "%s", text);
	cr_assert_eq(number(ask("/heddle/vector,verdict/ip6-lookup,2"), "no_route", "packets"), -1,
		     "from row 2 on");
	cr_assert_eq(ask("/heddle/vector,nosuch"), NULL, "%s", text);
	cr_assert_eq(ask("/heddle/vector"), NULL, "%s", text);
	cr_assert_eq(json_object_array_length(ask("/heddle/vectors")), stats_hdr()->n_vecs);
	cr_assert_eq(json_object_object_length(ask("/heddle/interfaces")), 0,
		     "no feature counts any here");
}

/* A long vector comes in parts, each of them valid. */
Test(telemetry, long_vectors)
{
	static const char *const cols[] = { "packets-in", "octets-in", NULL };
	int vec = stats_vec_add("interface", HD_STATS_COUNTER, 5000, cols, NULL);
	uint64_t *cell = stats_slice(vec, 0);
	unsigned seen = 0, asked = 0;
	char cmd[64] = "/heddle/interfaces";

	for (unsigned i = 1000; i < 1300; i++)
		cell[i * 2] = cell[i * 2 + 1] = UINT64_MAX - i;
	for (;;) {
		struct json_object *o = ask(cmd);
		int64_t next = number(o, "next", NULL);

		seen += (unsigned)json_object_object_length(o) - (next >= 0);
		cr_assert_lt(++asked, 20);
		if (next < 0)
			break;
		snprintf(cmd, sizeof(cmd), "/heddle/interfaces,%ld", (long)next);
	}
	cr_assert_eq(seen, 300);
}

/* The segment goes while somebody is connected. */
Test(telemetry, after_the_end)
{
	telemetry_fini();
	cr_assert_eq(ask("/heddle/drops"), NULL, "%s", text);
	telemetry_init();
	cr_assert_neq(ask("/heddle/drops"), NULL, "%s", text);
}
