/* SPDX-License-Identifier: BSD-3-Clause
 * Steering by interface and classifier, and the filters at the edge of the SR domain: the pure functions, and over the
 * whole graph.  Random rules are compared with a model that tries them one by one (HD_TEST_SEED, HD_TEST_COUNT). */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_acl.h>

#include "dataplane/worker.h"
#include "pipelines/srv6/classifier.h"
#include "pipelines/srv6/ingress.h"
#include "pipelines/srv6/tests/lab.h"

/* Policies 1..4 over R with source T, told apart by their first segment S1, S2, S3, R. */
static const char *const first[] = { NULL, "2001:db8:c::51", "2001:db8:c::52", "2001:db8:c::53",
				     "2001:db8:c::1" };
#define ACL 7u

static void iface_ingress(uint32_t id)
{
	struct hd_api_iface i = { .iface_id = id,
				  .port_id = id,
				  .mtu = 1500,
				  .mac = { 2, 0, 0, 0, 0, (uint8_t)id },
				  .flags = HD_IFACE_F_UP | HD_IFACE_F_INGRESS };

	snprintf(i.name, sizeof(i.name), "if%u", id);
	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
}

static void set_ingress(uint32_t flags, uint32_t acl, uint32_t policy4, uint32_t policy6)
{
	struct hd_api_srv6_ingress in = { 1, flags, acl, policy4, policy6, 0 };

	cr_assert_eq(hx_set(HD_API_SRV6_INGRESS, &in, sizeof(in)), 0, "%s", hx_error());
}

static void ingress_start(void)
{
	struct hd_api_srv6_conf c = { .flow_seed = 1 };
	struct ip6_addr a = pktb_addr6("2001:db8:a::1");

	lab_start();
	memcpy(c.encap_source, &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), 0, "%s", hx_error());
	for (uint32_t i = 1; i <= 4; i++) {
		struct hd_api_srv6_seglist l = { .seglist_id = i, .n_segs = 1 };
		struct hd_api_srv6_policy p = { .policy_id = i,
						.encap = HD_SRV6_H_ENCAPS_RED,
						.n_lists = 1,
						.list = { { i, 1 } } };

		a = pktb_addr6(first[i]);
		memcpy(l.seg[0], &a, 16);
		snprintf(p.name, sizeof(p.name), "p%u", i);
		cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &l, 24), 0, "%s", hx_error());
		cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, 72), 0, "%s", hx_error());
	}
	iface_ingress(1);
}

TestSuite(srv6_ingress, .init = ingress_start, .fini = lab_stop, .timeout = 120);

static void compiled(void)
{
	for (unsigned i = 0; i < 60000 && srv6_classifier_busy(); i++) {
		hx_turn();
		srv6_classifier_tick();
		usleep(1000);
	}
	cr_assert_not(srv6_classifier_busy(), "the classifier is never compiled");
}

static struct hd_api_srv6_rule rule(uint32_t seq, uint32_t family, uint32_t action, uint32_t policy)
{
	return (struct hd_api_srv6_rule){ .acl_id = ACL,
					  .family = family,
					  .seq = seq,
					  .rule_id = seq,
					  .action = action,
					  .policy_id = policy,
					  .sport_hi = 65535,
					  .dport_hi = 65535 };
}

static void set_rule(const struct hd_api_srv6_rule *r)
{
	cr_assert_eq(hx_set(HD_API_SRV6_RULE, r, sizeof(*r)), 0, "%s", hx_error());
}

/* Policy a packet sent into port 1 went through: its first segment; 0: it was routed; -1: nothing left. */
static int policy_of(const char *text)
{
	struct pktb in;
	uint8_t b[PKTB_CAP];
	size_t n;

	packet_make(&in, text, "");
	lab_send(1, in.buf, in.len);
	n = lab_recv(2, b, sizeof(b));
	if (n == 0)
		return -1;
	for (int i = 1; i <= 4; i++) {
		struct ip6_addr a = pktb_addr6(first[i]);

		if (n > 40 && b[0] >> 4 == 6 && memcmp(b + 24, &a, 16) == 0 &&
		    (b[6] == IP_NH_IP4 || b[6] == IP_NH_IP6))
			return i;
	}
	return 0;
}

#define V6(rest) "ip6 $A $B 64 / " rest
#define V4(rest) "ip4 $A4 $B4 64 / " rest

Test(srv6_ingress, interface_policy)
{
	cr_assert_eq(policy_of(V6("udp / fill 8")), 0, "nothing configured: routed");
	set_ingress(0, 0, 1, 2);
	cr_assert_eq(policy_of(V4("udp / fill 8")), 1);
	cr_assert_eq(policy_of(V6("udp / fill 8")), 2);
	/* what is addressed to this node is not steered: its echo reply comes back */
	struct pktb in;
	uint8_t b[PKTB_CAP];

	packet_make(&in, "ip6 $A $L 64 / icmp6 / fill 8", "");
	lab_send(1, in.buf, in.len);
	cr_assert_neq(lab_recv(1, b, sizeof(b)), 0, "no echo reply");
	lab_nothing_left("to this node");
	/* hop limit 1 is answered, not steered */
	packet_make(&in, "ip6 $A $B 1 / udp / fill 8", "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("hop limit", 1, in.buf, in.len, 3, 0, 0);
	set_ingress(0, 0, 0, 2);
	cr_assert_eq(policy_of(V4("udp / fill 8")), 0);
	/* another interface is not concerned */
	cr_assert_eq(hx_verdict("srv6-ingress", "ip4"), 2);
}

Test(srv6_ingress, rules_in_order)
{
	struct hd_api_srv6_rule r;
	uint64_t rebuilds;

	set_ingress(0, ACL, 0, 4);
	r = rule(20, 6, HD_SRV6_RULE_STEER, 1);
	set_rule(&r);
	r = rule(10, 6, HD_SRV6_RULE_STEER, 2);
	r.flags = HD_SRV6_RULE_F_PROTO;
	r.proto = IP_NH_UDP;
	r.dport_lo = 443;
	r.dport_hi = 450;
	set_rule(&r);
	r = rule(5, 6, HD_SRV6_RULE_DROP, 0);
	r.flags = HD_SRV6_RULE_F_DSCP;
	r.dscp = 8;
	set_rule(&r);
	r = rule(7, 6, HD_SRV6_RULE_PASS, 0);
	r.flags = HD_SRV6_RULE_F_PROTO;
	r.proto = IP_NH_TCP;
	set_rule(&r);
	compiled();
	cr_assert_eq(policy_of(V6("udp 9 442 / fill 8")), 1);
	cr_assert_eq(policy_of(V6("udp 9 443 / fill 8")), 2);
	cr_assert_eq(policy_of(V6("udp 9 450 / fill 8")), 2);
	cr_assert_eq(policy_of(V6("udp 9 451 / fill 8")), 1);
	cr_assert_eq(policy_of(V6("tcp 9 443 / fill 8")), 0, "pass: routed, not the interface's");
	cr_assert_eq(policy_of(V4("udp 9 443 / fill 8")), 0, "no rule of IPv4");
	cr_assert_eq(policy_of(V6("dstopt / udp 9 443 / fill 8")), 2, "behind options");
	cr_assert_eq(hx_stat("rule", 10, "packets"), 3);
	cr_assert_eq(hx_stat("rule", 20, "packets"), 2);
	cr_assert_eq(hx_stat("classifier", ACL, "rules"), 4);
	struct pktb in;

	packet_make(&in, V6("udp 9 443 / fill 8"), "0=62 1=00");
	lab_send(1, in.buf, in.len);
	lab_nothing_left("DSCP 8");
	cr_assert_eq(hx_verdict("srv6-ingress", "rule-drop"), 1);
	/* only the action changes: with the next tick, without compiling */
	rebuilds = hx_stat("classifier", ACL, "rebuilds");
	r = rule(20, 6, HD_SRV6_RULE_STEER, 3);
	set_rule(&r);
	srv6_classifier_tick();
	cr_assert_not(srv6_classifier_busy());
	cr_assert_eq(hx_stat("classifier", ACL, "rebuilds"), rebuilds);
	cr_assert_eq(policy_of(V6("udp 9 442 / fill 8")), 3);
	/* all rules go: the policy of the interface is left */
	for (uint32_t seq = 1; seq <= 20; seq++) {
		r = rule(seq, 6, 0, 0);
		hx_del(HD_API_SRV6_RULE, &r, HD_API_SRV6_RULE_KEY);
	}
	cr_assert_eq(policy_of(V6("udp 9 442 / fill 8")), 3, "the old rules hold as a whole");
	compiled();
	cr_assert_eq(policy_of(V6("udp 9 442 / fill 8")), 4);
}

/* UDP 443 goes into `policy`, all else into policy 2: rules of these numbers, which replace those before. */
static void both_rules(uint32_t *seq, uint32_t next, uint32_t policy)
{
	struct hd_api_srv6_rule r = rule(next, 6, HD_SRV6_RULE_STEER, policy);

	r.dport_lo = r.dport_hi = 443;
	set_rule(&r);
	r = rule(next + 1, 6, HD_SRV6_RULE_STEER, 2);
	set_rule(&r);
	for (uint32_t old = *seq; old != 0 && old < *seq + 2; old++) {
		r = rule(old, 6, 0, 0);
		hx_del(HD_API_SRV6_RULE, &r, HD_API_SRV6_RULE_KEY);
	}
	*seq = next;
}

/* Rules change places, matches and actions: at no moment is a packet taken by half of the old rules and half of the new
 * ones. */
Test(srv6_ingress, changes_hold_as_a_whole)
{
	uint32_t seq = 0;
	int was = 1;

	set_ingress(0, ACL, 0, 4);
	both_rules(&seq, 40, 1);
	compiled();
	for (unsigned turn = 0; turn < 40; turn++) {
		int now = 1 + 2 * (int)(turn % 2), is;

		/* numbers go down: the new rules stand before those that they replace */
		both_rules(&seq, turn % 20 != 19 ? seq - 2 : 80, (uint32_t)now);
		while (srv6_classifier_busy()) {
			is = policy_of(V6("udp 9 443 / fill 8"));
			cr_assert(is == was || is == now, "turn %u: policy %d", turn, is);
			cr_assert_eq(policy_of(V6("udp 9 444 / fill 8")), 2, "turn %u", turn);
			srv6_classifier_tick();
		}
		cr_assert_eq(policy_of(V6("udp 9 443 / fill 8")), now);
		cr_assert_eq(policy_of(V6("udp 9 444 / fill 8")), 2);
		was = now;
	}
}

/* Actions that change while matches are compiled come with them; the policy of a rule that is about to go may go
 * first. */
Test(srv6_ingress, actions_and_policies_meanwhile)
{
	struct hd_api_srv6_rule first = rule(10, 6, HD_SRV6_RULE_STEER, 1),
				second = rule(20, 6, HD_SRV6_RULE_STEER, 2);

	set_ingress(0, ACL, 0, 4);
	first.dport_lo = first.dport_hi = 443;
	set_rule(&first);
	set_rule(&second);
	compiled();
	first.dport_hi = 444;
	set_rule(&first);
	first.policy_id = 3;
	set_rule(&first);
	cr_assert_eq(policy_of(V6("udp 9 443 / fill 8")), 1);
	cr_assert_eq(policy_of(V6("udp 9 444 / fill 8")), 2);
	compiled();
	cr_assert_eq(policy_of(V6("udp 9 443 / fill 8")), 3);
	cr_assert_eq(policy_of(V6("udp 9 444 / fill 8")), 3);
	hx_del(HD_API_SRV6_RULE, &first, HD_API_SRV6_RULE_KEY);
	hx_del(HD_API_SRV6_POLICY, &first.policy_id, 4);
	cr_assert_eq(policy_of(V6("udp 9 443 / fill 8")), 4, "the interface's, nothing is lost");
	compiled();
	cr_assert_eq(policy_of(V6("udp 9 443 / fill 8")), 2);
}

/* Ports: none in a fragment and behind other protocols, and port 0 is a port. */
Test(srv6_ingress, ports_and_fragments)
{
	struct hd_api_srv6_rule r = rule(1, 4, HD_SRV6_RULE_STEER, 1);

	set_ingress(0, ACL, 0, 0);
	r.dport_hi = 0; /* port 0 alone */
	set_rule(&r);
	compiled();
	cr_assert_eq(policy_of(V4("udp 9 0 / fill 8")), 1);
	cr_assert_eq(policy_of(V4("udp 9 1 / fill 8")), 0);
	cr_assert_eq(policy_of(V4("data 08000000 / fill 8")), 0, "ICMP has no ports");
	struct pktb in;
	uint8_t b[PKTB_CAP];

	packet_make(&in, V4("udp 9 0 / fill 8"), "");
	in.ip4->frag = be16_make(IP4_MF);
	pktb_finish(&in);
	lab_send(1, in.buf, in.len);
	cr_assert_neq(lab_recv(2, b, sizeof(b)), 0);
	cr_assert_eq(b[0] >> 4, 4, "a fragment matches no ports");
}

/* ---- a model that tries the rules one by one ------------------------------------------------------------------- */

static uint64_t rnd_state;
static uint32_t rnd(uint32_t n)
{
	rnd_state = rnd_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(rnd_state >> 33) % n;
}

static bool in_prefix(const uint8_t *a, const uint8_t *p, unsigned plen)
{
	for (unsigned i = 0; i < plen; i++)
		if (((a[i / 8] ^ p[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

struct flow {
	uint8_t src[16], dst[16], proto, dscp;
	uint16_t sport, dport;
	bool v6;
};

static const struct hd_api_srv6_rule *model(const struct hd_api_srv6_rule *r, unsigned n,
					    const struct flow *f)
{
	const struct hd_api_srv6_rule *best = NULL;
	bool ports = f->proto == IP_NH_UDP || f->proto == IP_NH_TCP;

	for (unsigned i = 0; i < n; i++) {
		bool any = r[i].sport_lo == 0 && r[i].sport_hi == 65535 && r[i].dport_lo == 0 &&
			   r[i].dport_hi == 65535;

		if ((r[i].family == 6) != f->v6 || (best != NULL && best->seq < r[i].seq) ||
		    !in_prefix(f->src, r[i].src, r[i].src_plen) ||
		    !in_prefix(f->dst, r[i].dst, r[i].dst_plen) ||
		    ((r[i].flags & HD_SRV6_RULE_F_PROTO) != 0 && r[i].proto != f->proto) ||
		    ((r[i].flags & HD_SRV6_RULE_F_DSCP) != 0 && r[i].dscp != f->dscp))
			continue;
		if (!any && (!ports || f->sport < r[i].sport_lo || f->sport > r[i].sport_hi ||
			     f->dport < r[i].dport_lo || f->dport > r[i].dport_hi))
			continue;
		best = &r[i];
	}
	return best;
}

static void random_range(uint16_t *lo, uint16_t *hi)
{
	static const uint16_t edge[] = { 0, 1, 79, 80, 81, 443, 1023, 1024, 65534, 65535 };
	uint16_t a = edge[rnd(10)], b = edge[rnd(10)];

	*lo = a < b ? a : b;
	*hi = a < b ? b : a;
	if (rnd(2) != 0) {
		*lo = 0;
		*hi = 65535;
	}
}

static void random_addr(uint8_t *a, bool v6)
{
	memset(a, 0, 16);
	if (v6) {
		a[0] = 0x20;
		a[1] = 0x01;
		a[3] = (uint8_t)rnd(2);
		a[7] = (uint8_t)rnd(4);
		a[15] = (uint8_t)rnd(4);
	} else {
		a[0] = 10;
		a[1] = (uint8_t)rnd(4);
		a[3] = (uint8_t)rnd(4);
	}
}

static void random_rule(struct hd_api_srv6_rule *r, uint32_t id, uint32_t seq)
{
	static const uint8_t proto[] = { IP_NH_UDP, IP_NH_TCP, 47, IP_NH_ICMP6 };
	bool v6 = rnd(2) != 0;
	unsigned whole = v6 ? 128 : 32;

	*r = rule(seq, v6 ? 6 : 4, 1 + rnd(3), 0);
	r->rule_id = id;
	r->policy_id = r->action == HD_SRV6_RULE_STEER ? 1 + rnd(4) : 0;
	random_addr(r->src, v6);
	random_addr(r->dst, v6);
	r->src_plen = rnd(3) == 0 ? 0 : (uint8_t)rnd(whole + 1);
	r->dst_plen = rnd(3) == 0 ? 0 : (uint8_t)rnd(whole + 1);
	r->flags = (uint8_t)rnd(4);
	r->proto = proto[rnd(4)];
	r->dscp = (uint8_t)(rnd(4) * 8);
	random_range(&r->sport_lo, &r->sport_hi);
	random_range(&r->dport_lo, &r->dport_hi);
}

/* The packet of a flow; returns its octets. */
static size_t flow_packet(const struct flow *f, uint8_t *b)
{
	size_t l4;

	memset(b, 0, 100);
	if (f->v6) {
		wire_put32(b, 6u << 28 | (uint32_t)f->dscp << 22);
		wire_put16(b + 4, 20);
		b[6] = f->proto;
		b[7] = 64;
		memcpy(b + 8, f->src, 16);
		memcpy(b + 24, f->dst, 16);
		l4 = 40;
	} else {
		b[0] = 0x45;
		b[1] = (uint8_t)(f->dscp << 2);
		wire_put16(b + 2, 40);
		b[8] = 64;
		b[9] = f->proto;
		memcpy(b + 12, f->src, 4);
		memcpy(b + 16, f->dst, 4);
		l4 = 20;
	}
	wire_put16(b + l4, f->sport);
	wire_put16(b + l4 + 2, f->dport);
	return l4 + 20;
}

static const struct srv6_rule *classify(const uint8_t *ip, size_t len, bool v6);

static unsigned long env_number(const char *name, unsigned long none)
{
	const char *v = getenv(name);

	return v != NULL ? strtoul(v, NULL, 0) : none;
}

Test(srv6_ingress, random_rules)
{
	static const uint16_t port[] = { 0, 1, 79, 80, 81, 443, 1023, 1024, 65534, 65535 };
	static const uint8_t proto[] = { IP_NH_UDP, IP_NH_TCP, 47, IP_NH_ICMP6 };
	unsigned long count = env_number("HD_TEST_COUNT", 4), seed = env_number("HD_TEST_SEED", 1);
	struct hd_api_srv6_rule r[40];

	for (unsigned long turn = 0; turn < count; turn++) {
		unsigned n = 1 + turn % 40, hits = 0;

		rnd_state = seed + turn;
		for (unsigned i = 0; i < n; i++) {
			random_rule(&r[i], i, 1 + (i * 17 + 5) % 101);
			set_rule(&r[i]);
		}
		compiled();
		for (unsigned k = 0; k < 2000; k++) {
			struct flow f = { .v6 = rnd(2) != 0,
					  .proto = proto[rnd(4)],
					  .dscp = (uint8_t)(rnd(4) * 8),
					  .sport = port[rnd(10)],
					  .dport = port[rnd(10)] };
			uint8_t b[100];
			size_t len;
			const struct hd_api_srv6_rule *want;
			const struct srv6_rule *have;

			random_addr(f.src, f.v6);
			random_addr(f.dst, f.v6);
			len = flow_packet(&f, b);
			want = model(r, n, &f);
			have = classify(b, len, f.v6);
			cr_assert_eq(want != NULL, have != NULL,
				     "seed %lu, flow %u: rule %d, not %d", seed + turn, k,
				     have != NULL ? (int)have->rule_id : -1,
				     want != NULL ? (int)want->rule_id : -1);
			if (want == NULL)
				continue;
			hits++;
			cr_assert_eq(have->rule_id, want->rule_id,
				     "seed %lu, flow %u: rule %u, not %u", seed + turn, k,
				     have->rule_id, want->rule_id);
			cr_assert_eq(have->action, want->action);
		}
		cr_assert(n < 4 || hits > 10, "%u rules match nothing: the test tests nothing", n);
		for (unsigned i = 0; i < n; i++)
			hx_del(HD_API_SRV6_RULE, &r[i], HD_API_SRV6_RULE_KEY);
	}
	compiled();
	cr_assert_null(slots_get(srv6_classifiers, ACL));
}

static const struct srv6_rule *classify(const uint8_t *ip, size_t len, bool v6)
{
	const struct srv6_classifier *c = slots_get(srv6_classifiers, ACL);
	struct srv6_class_key key;
	const uint8_t *data = (const uint8_t *)&key;
	uint32_t result = 0;

	if (c == NULL || c->ctx[v6] == NULL)
		return NULL;
	if (v6)
		srv6_class_key_make(ip, (uint32_t)len, &key);
	else
		srv6_class_key4_make(ip, (uint32_t)len, (struct srv6_class_key4 *)&key);
	rte_acl_classify(c->ctx[v6], &data, &result, 1, 1);
	return result != 0 ? srv6_rule_get(c, result) : NULL;
}

/* Each truncation in an exact buffer: nothing is read past it. */
Test(srv6_class_key, truncations)
{
	struct srv6_class_key k6;
	struct srv6_class_key4 k4;
	struct pktb b;

	pktb_parse(&b, "ip6 2001:db8::1 2001:db8::2 9 / hbh / dstopt / udp 7 8 / fill 8");
	for (size_t n = 0; n <= b.len; n++) {
		uint8_t *exact = malloc(n);

		memcpy(exact, b.buf, n);
		cr_assert_eq(srv6_class_key_make(exact, (uint32_t)n, &k6), n >= 40);
		free(exact);
	}
	cr_assert_eq(k6.proto, IP_NH_UDP);
	cr_assert_eq(wire_get16(k6.sport), 7);
	cr_assert_eq(wire_get16(k6.dport), 8);
	cr_assert_eq(wire_get32(k6.bits), SRV6_CLASS_PORTS);
	pktb_parse(&b, "ip4 10.0.0.1 10.0.0.2 9 / udp 7 8 / fill 8");
	for (size_t n = 0; n <= b.len; n++) {
		uint8_t *exact = malloc(n);

		memcpy(exact, b.buf, n);
		cr_assert_eq(srv6_class_key4_make(exact, (uint32_t)n, &k4), n >= 20);
		free(exact);
	}
	cr_assert_eq(wire_get16(k4.sport), 7);
	b.buf[0] = 0x44; /* a header shorter than one */
	srv6_class_key4_make(b.buf, (uint32_t)b.len, &k4);
	cr_assert_eq(wire_get32(k4.bits), 0);
}

Test(srv6_ingress, refuses)
{
	struct hd_api_srv6_rule r = rule(1, 6, HD_SRV6_RULE_STEER, 99);
	struct hd_api_srv6_ingress in = { 1, 3, 0, 0, 0, 0 };

	cr_assert_eq(hx_set(HD_API_SRV6_RULE, &r, sizeof(r)), -ENOENT, "no such policy");
	r.policy_id = 1;
	r.family = 5;
	cr_assert_eq(hx_set(HD_API_SRV6_RULE, &r, sizeof(r)), -EINVAL);
	r.family = 4;
	r.src_plen = 33;
	cr_assert_eq(hx_set(HD_API_SRV6_RULE, &r, sizeof(r)), -EINVAL);
	r.src_plen = 0;
	r.dport_lo = 9;
	r.dport_hi = 8;
	cr_assert_eq(hx_set(HD_API_SRV6_RULE, &r, sizeof(r)), -EINVAL);
	r.dport_hi = 9;
	r.rule_id = 1u << 20;
	cr_assert_eq(hx_set(HD_API_SRV6_RULE, &r, sizeof(r)), -ENOSPC);
	r.rule_id = 1;
	set_rule(&r);
	cr_assert_eq(hx_del(HD_API_SRV6_POLICY, &r.policy_id, 4), -EBUSY, "a rule uses it");
	cr_assert_eq(hx_set(HD_API_SRV6_INGRESS, &in, sizeof(in)), -EINVAL, "in and out");
	in.flags = 0;
	in.policy6_id = 99;
	cr_assert_eq(hx_set(HD_API_SRV6_INGRESS, &in, sizeof(in)), -ENOENT);
}

/* ---- S-108: the edge of the domain ----------------------------------------------------------------------------- */

static void set_domain(void)
{
	cr_assert_eq(lab_domain(), 0, "%s", hx_error());
}

struct edge_row {
	char why[56];
	uint32_t flags;
	char packet[80];
	char verdict[24]; /* of srv6-ingress; "" passes */
};

ParameterizedTestParameters(srv6_ingress_rows, s108)
{
	static struct edge_row rows[] = {
		{ "outside to a SID of this node", HD_SRV6_INGRESS_OUTSIDE,
		  "ip6 $A $E 64 / srh $R,$E 1 / udp", "sid-from-outside" },
		{ "outside to a SID elsewhere", HD_SRV6_INGRESS_OUTSIDE, "ip6 $A $R 64 / udp",
		  "sid-from-outside" },
		{ "outside with a source of the domain", HD_SRV6_INGRESS_OUTSIDE,
		  "ip6 $T $B 64 / udp", "source-from-outside" },
		{ "outside to a customer", HD_SRV6_INGRESS_OUTSIDE, "ip6 $A $B 64 / udp", "" },
		{ "outside, IPv4", HD_SRV6_INGRESS_OUTSIDE, "ip4 $A4 $B4 64 / udp", "" },
		{ "inside to an own SID, source of the domain", HD_SRV6_INGRESS_INSIDE,
		  "ip6 $T $E 64 / srh $R,$E 1 / udp", "" },
		{ "inside to an own SID, foreign source", HD_SRV6_INGRESS_INSIDE,
		  "ip6 $A $E 64 / srh $R,$E 1 / udp", "foreign-source" },
		{ "inside to a SID elsewhere, foreign source: transit", HD_SRV6_INGRESS_INSIDE,
		  "ip6 $A $R 64 / udp", "" },
		{ "inside to a customer", HD_SRV6_INGRESS_INSIDE, "ip6 $A $B 64 / udp", "" },
		{ "neither", 0, "ip6 $A $E 64 / srh $R,$E 1 / udp", "" },
		{ "outside, an alternate mark (P-089)", HD_SRV6_INGRESS_OUTSIDE,
		  "ip6 $A $B 64 / hbh 1204abcde800 / udp", "measured-from-outside" },
		{ "outside, a trace (P-106)", HD_SRV6_INGRESS_OUTSIDE,
		  "ip6 $A $B 64 / hbh 0100310e0000007b08018000000000000000 / udp",
		  "measured-from-outside" },
		{ "outside, edge to edge", HD_SRV6_INGRESS_OUTSIDE,
		  "ip6 $A $B 64 / dstopt 0100110a0003007b400000000001 / udp",
		  "measured-from-outside" },
		{ "outside, another option", HD_SRV6_INGRESS_OUTSIDE,
		  "ip6 $A $B 64 / hbh 05020000 / udp", "" },
		{ "inside, an alternate mark", HD_SRV6_INGRESS_INSIDE,
		  "ip6 $A $B 64 / hbh 1204abcde800 / udp", "" },
	};

	return cr_make_param_array(struct edge_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct edge_row *r, srv6_ingress_rows, s108, .init = ingress_start,
		  .fini = lab_stop, .timeout = 60)
{
	struct pktb in;
	uint8_t b[PKTB_CAP];

	set_domain();
	set_ingress(r->flags, 0, 0, 0);
	packet_make(&in, r->packet, "");
	lab_send(1, in.buf, in.len);
	if (r->verdict[0] == '\0') {
		cr_assert_neq(lab_recv(2, b, sizeof(b)), 0, "%s: dropped", r->why);
	} else {
		lab_nothing_left(r->why);
		cr_assert_eq(hx_verdict("srv6-ingress", r->verdict), 1, "%s", r->why);
	}
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* ---- P-089, P-106: what leaves the domain ----------------------------------------------------------------------- */

static void outside(uint32_t iface, uint32_t flags)
{
	struct hd_api_srv6_ingress in = { iface, flags, 0, 0, 0, 0 };

	cr_assert_eq(hx_set(HD_API_SRV6_INGRESS, &in, sizeof(in)), 0, "%s", hx_error());
}

struct leave_row {
	char why[40], packet[80];
	bool stays;
};

ParameterizedTestParameters(srv6_ingress_rows, leaving)
{
	static struct leave_row rows[] = {
		{ "alternate mark", "ip6 $A $B 64 / hbh 1204abcde800 / udp", true },
		{ "mark for endpoints", "ip6 $A $B 64 / dstopt 1204abcde800 / udp", true },
		{ "trace", "ip6 $A $B 64 / hbh 0100310e0000007b08018000000000000000 / udp", true },
		{ "edge to edge", "ip6 $A $B 64 / dstopt 0100110a0003007b400000000001 / udp",
		  true },
		{ "behind an SRH", "ip6 $A $B 64 / srh $B 0 / dstopt 1204abcde800 / udp", true },
		{ "inner packet's", "ip6 $A $B 64 / ip6 $A $B 64 / hbh 1204abcde800 / udp", false },
		{ "another option", "ip6 $A $B 64 / hbh 05020000 / udp", false },
		{ "plain", "ip6 $A $B 64 / udp / fill 30", false },
		{ "IPv4", "ip4 $A4 $B4 64 / udp", false },
	};

	return cr_make_param_array(struct leave_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct leave_row *r, srv6_ingress_rows, leaving, .init = ingress_start,
		  .fini = lab_stop, .timeout = 60)
{
	static const uint32_t side[] = { HD_SRV6_INGRESS_OUTSIDE, HD_SRV6_INGRESS_INSIDE, 0 };
	uint8_t b[PKTB_CAP];
	struct pktb in;

	packet_make(&in, r->packet, "");
	for (unsigned full = 0; full < 2; full++) {
		if (full)
			setenv("HX_FULL", "1", 1);
		for (unsigned s = 0; s < 3; s++) {
			outside(2, side[s]);
			lab_send(1, in.buf, in.len);
			cr_assert_eq(lab_recv(2, b, sizeof(b)) != 0, s != 0 || !r->stays,
				     "%s, side %u", r->why, s);
		}
		lab_nothing_left(r->why);
	}
	cr_assert_eq(hx_verdict("port-tx", "measured"), r->stays ? 2 : 0);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* The others of a burst leave in their order. */
Test(srv6_ingress, leaving_in_order)
{
	uint8_t b[PKTB_CAP];
	struct pktb in;

	outside(2, HD_SRV6_INGRESS_OUTSIDE);
	for (unsigned i = 0; i < 30; i++) {
		packet_make(&in,
			    i % 3 == 1 ? "ip6 $A $B 64 / hbh 1204abcde800 / udp / fill 8" :
					 "ip6 $A $B 64 / udp / fill 8",
			    "");
		in.buf[in.len - 1] = (uint8_t)i;
		lab_queue(1, in.buf, in.len);
	}
	hx_turn();
	for (unsigned i = 0; i < 30; i++) {
		size_t n;

		if (i % 3 == 1)
			continue;
		n = lab_recv(2, b, sizeof(b));
		cr_assert_neq(n, 0, "%u", i);
		cr_assert_eq(b[n - 1], i);
	}
	lab_nothing_left("marked");
	cr_assert_eq(hx_verdict("port-tx", "measured"), 10);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* Interfaces of one port have sides of their own; a port without any is left alone again. */
Test(srv6_ingress, leaving_by_tag)
{
	struct hd_api_iface i = { .iface_id = 20,
				  .port_id = 2,
				  .mtu = 1500,
				  .mac = { 2, 0, 0, 0, 0, 20 },
				  .flags = HD_IFACE_F_UP,
				  .outer_tpid = 0x8100,
				  .outer_vid = 7 };
	struct pktb in, tagged;
	uint8_t frame[300];

	snprintf(i.name, sizeof(i.name), "if20");
	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	hx_addr(20, "2001:db8:77::9/64");
	hx_neigh(20, "2001:db8:77::1", "02:bb:00:00:00:77");
	outside(20, HD_SRV6_INGRESS_OUTSIDE);
	hx_turn();
	while (hx_tx(2, frame, sizeof(frame)) != 0) /* what the new address announces */
		;
	packet_make(&in, "ip6 $A $B 64 / hbh 1204abcde800 / udp", "");
	packet_make(&tagged, "ip6 $A 2001:db8:77::1 64 / hbh 1204abcde800 / udp", "");
	lab_send(1, in.buf, in.len);
	cr_assert_neq(hx_tx(2, frame, sizeof(frame)), 0, "untagged: another interface");
	lab_send(1, tagged.buf, tagged.len);
	cr_assert_eq(hx_tx(2, frame, sizeof(frame)), 0, "tagged");
	cr_assert_eq(hx_verdict("port-tx", "measured"), 1);
	outside(20, 0);
	cr_assert(tx_filter[2] == NULL);
	lab_send(1, tagged.buf, tagged.len);
	cr_assert_neq(hx_tx(2, frame, sizeof(frame)), 0, "no longer outside");
}
