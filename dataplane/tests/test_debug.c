/* SPDX-License-Identifier: BSD-3-Clause
 * The other requests: last packet of a drop reason, graph, workers, ports, queues; and node statistics. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dataplane/debug_api.h"
#include "dataplane/stats.h"
#include "dataplane/telemetry.h"
#include "dataplane/tests/mini_graph.h"
#include "dataplane/worker.h"
#include "tests/harness.h"

static struct hd_api_reply reply;
TestSuite(debug, .init = hx_start_default, .fini = hx_stop);

static void send_one(uint8_t hop_limit, uint8_t mark)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), hop_limit);

	buf[20] = 17;
	buf[n - 1] = mark;
	hx_rx(1, buf, n);
}

static void ask(uint16_t type)
{
	cr_assert_eq(mini_request(type, NULL, 0, -1, &reply), 0, "%s", reply.text);
	cr_assert_eq(reply.error, 0);
}

Test(debug, drop_sample_is_the_last_packet_of_each_reason)
{
	hx_port();
	ask(HD_API_DROP_SAMPLE);
	cr_assert_eq(mini_n_answers, 0, "nothing was dropped yet");
	send_one(0, 1);
	send_one(0, 2);
	send_one(64, 3);
	send_one(1, 4);
	hx_turn();
	ask(HD_API_DROP_SAMPLE);
	cr_assert_eq(mini_n_answers, 2, "no-route, and what icmp-error answered");
	const struct hd_api_drop_sample *s = (const void *)mini_answers[0].body;
	cr_assert_eq(mini_answers[0].size, sizeof(*s));
	cr_assert_str_eq(mini_verdict_name(s->verdict_vec, s->verdict), "no-route");
	cr_assert_eq(s->length, 68, "from the IPv6 header on");
	cr_assert_eq(s->head_len, 68);
	cr_assert_eq(s->head[0] >> 4, 6);
	cr_assert_eq(s->head[67], 2, "the second of the two");
	cr_assert_eq(s->iface_id, 1);
	cr_assert_eq(s->vrf_id, MINI_VRF);
	cr_assert_lt((uint64_t)time(NULL) + 1 - s->time_ns / 1000000000ull, 4);
	s = (const void *)mini_answers[1].body;
	cr_assert_str_eq(mini_verdict_name(s->verdict_vec, s->verdict), "hop-limit");
	cr_assert_eq(s->head[67], 4);
}

static uint32_t row_of(const char *name)
{
	for (uint32_t i = 0; i < 64; i++)
		if (strcmp(mini_node_name(i), name) == 0)
			return i;
	cr_assert_fail("no node %s", name);
	return 0;
}

Test(debug, graph)
{
	ask(HD_API_GRAPH_NODE);
	cr_assert_eq(mini_n_answers, 10);
	for (unsigned i = 0; i < mini_n_answers; i++) {
		const struct hd_api_graph_node *n = (const void *)mini_answers[i].body;

		cr_assert_str_eq(n->name, mini_node_name(n->node));
		if (strcmp(n->name, "ip6-lookup") == 0) {
			cr_assert_eq(n->n_edges, 5);
			cr_assert_eq(n->edge[0], row_of("port-tx"));
			cr_assert_eq(n->edge[1], row_of("drop"));
			cr_assert_eq(n->edge[4], row_of("bounce"));
		} else if (strcmp(n->name, "port-tx") == 0) {
			cr_assert_eq(n->n_edges, 1, "four verdicts, one next node");
		} else if (strcmp(n->name, "drop") == 0) {
			cr_assert_eq(n->n_edges, 0);
		}
	}
}

Test(debug, workers_and_queues)
{
	uint32_t p = hx_port();
	struct hd_api_worker_queues q = { .port_id = p };

	cr_assert_eq(mini_request(HD_API_WORKER_QUEUES, &q, sizeof(q), -1, &reply), 0, "%s",
		     reply.text);
	ask(HD_API_WORKER);
	cr_assert_eq(mini_n_answers, 1);
	const struct hd_api_worker *w = (const void *)mini_answers[0].body;
	cr_assert_eq(w->worker, 0);
	cr_assert_eq(w->lcore, 1);
	cr_assert_eq(w->state, 0, "not launched");
	cr_assert_eq(w->n_queues, 1);
	cr_assert_eq(w->queue[0].port_id, p);
	q.worker = 5;
	cr_assert_eq(mini_request(HD_API_WORKER_QUEUES, &q, sizeof(q), -1, &reply), -EINVAL);
	cr_assert_neq(strstr(reply.text, "no worker 5"), NULL, "%s", reply.text);
	q.worker = 0;
	q.queue = 9;
	cr_assert_eq(mini_request(HD_API_WORKER_QUEUES, &q, sizeof(q), -1, &reply), -ENOENT);
	q.worker = UINT32_MAX;
	cr_assert_eq(mini_request(HD_API_WORKER_QUEUES, &q, sizeof(q), -1, &reply), 0,
		     "spread all again");
}

Test(debug, ports)
{
	uint32_t p = hx_port();

	ask(HD_API_PORT_STATE);
	cr_assert_eq(mini_n_answers, 1);
	const struct hd_api_port_state *s = (const void *)mini_answers[0].body;
	cr_assert_eq(s->port_id, p);
	cr_assert_eq(s->mtu, 9000);
	cr_assert_eq(s->n_rxq, 1);
	cr_assert_str_eq(s->driver, "net_ring");
}

static int answer(const void *body, size_t size, debug_send_fn send, void *arg,
		  struct hd_api_reply *r)
{
	(void)body;
	(void)size;
	(void)r;
	send(arg, HD_API_NEIGH_STATE, "x", 1);
	return 0;
}
static int other(const void *body, size_t size, debug_send_fn send, void *arg,
		 struct hd_api_reply *r)
{
	(void)body;
	(void)size;
	(void)send;
	(void)arg;
	snprintf(r->text, sizeof(r->text), "not today");
	return -EAGAIN;
}

Test(debug, requests_of_pipelines)
{
	cr_assert_eq(mini_request(HD_API_NEIGH_STATE, NULL, 0, -1, &reply), -EOPNOTSUPP);
	cr_assert_eq(reply.error, EOPNOTSUPP);
	cr_assert_eq(debug_request_register(HD_API_NEIGH_STATE, answer), 0);
	cr_assert_eq(debug_request_register(HD_API_NEIGH_STATE, answer), 0,
		     "once more is harmless");
	cr_assert_eq(debug_request_register(HD_API_NEIGH_STATE, other), -EEXIST);
	cr_assert_eq(debug_request_register(HD_API_WORKER, other), -EEXIST);
	ask(HD_API_NEIGH_STATE);
	cr_assert_eq(mini_n_answers, 1);
	cr_assert_eq(debug_request_register(0xf77, other), 0);
	cr_assert_eq(mini_request(0xf77, NULL, 0, -1, &reply), -EAGAIN);
	cr_assert_str_eq(reply.text, "not today");
}

Test(debug, node_statistics)
{
	hx_port();
	for (unsigned i = 0; i < 10; i++)
		send_one(64, 0);
	hx_turn();
	graph_stats_update();
	cr_assert_eq(hx_stat("node", row_of("ip6-lookup"), "objects"), 10);
	cr_assert_eq(hx_stat("node", row_of("ip6-lookup"), "calls"), 1);
	cr_assert_gt(hx_stat("node", row_of("ip6-lookup"), "cycles"), 0);
	cr_assert_eq(hx_stat("node", row_of("port-tx"), "objects"), 10);
	cr_assert_eq(hx_stat("node", row_of("drop"), "calls"), 0);
}

Test(debug, inject_refuses_what_cannot_be_sent)
{
	uint8_t frame[4000] = { 0x60 };
	struct hd_api_punt h = { .version = HD_API_VERSION, .iface_id = 1 };
	unsigned before;

	hx_port();
	before = hx_mbufs_in_use();
	debug_inject(&h, frame, 100); /* no such interface */
	h.flags = HD_PUNT_F_ROUTE;
	debug_inject(&h, frame, 39); /* shorter than an IPv6 header */
	debug_inject(&h, frame, 0);
	debug_inject(&h, frame, sizeof(frame)); /* longer than a buffer */
	h.vrf_id = 65535;
	debug_inject(&h, frame, 40);
	h.version = 9;
	h.vrf_id = 0;
	debug_inject(&h, frame, 40);
	cr_assert_eq(hx_mbufs_in_use(), before);
	h.version = HD_API_VERSION;
	debug_inject(&h, frame, 40);
	hx_turn();
	cr_assert_eq(hx_verdict("port-rx", "ip6"), 1);
	cr_assert_eq(hx_mbufs_in_use(), before);
}
