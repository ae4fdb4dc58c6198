/* SPDX-License-Identifier: BSD-3-Clause
 * What the traffic generator computes: histogram, sequence tracker, pacing, search, signature, frames, readers. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/traffic/frame.h"
#include "bench/traffic/pace.h"
#include "bench/traffic/search.h"
#include "bench/traffic/seq.h"
#include "bench/traffic/sig.h"
#include "bench/traffic/stream.h"
#include "heddle/stats.h"
#include "heddle/wire/udp.h"

static uint64_t seed(void)
{
	const char *s = getenv("HEDDLE_SEED");

	return s != NULL && *s != '\0' ? strtoull(s, NULL, 10) : 1;
}

static uint64_t rnd(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* ---- histogram ---------------------------------------------------------------------------------------------- */

Test(hist, a_bucket_is_never_wider_than_one_percent)
{
	uint32_t before = 0;

	for (double v = 0; v < 1e12; v = v < 1000 ? v + 1 : v * 1.003) {
		uint64_t x = (uint64_t)v, high = hd_hist_high(hd_hist_index(x));

		cr_assert_geq(high, x);
		cr_assert_leq((double)(high - x), 0.0079 * (double)x, "%llu is shown as %llu",
			      (unsigned long long)x, (unsigned long long)high);
		cr_assert_geq(hd_hist_index(x), before);
		before = hd_hist_index(x);
		cr_assert_lt(before, HD_HIST_BUCKETS);
	}
	cr_assert_eq(hd_hist_index(UINT64_MAX), HD_HIST_BUCKETS - 1);
	for (uint32_t i = 0; i < HD_HIST_BUCKETS; i++)
		cr_assert_eq(hd_hist_index(hd_hist_high(i)), i);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(hist, percentiles_are_the_nearest_ranks)
{
	static struct hd_hist h, half, both;
	static uint64_t v[10007];
	const size_t n = sizeof(v) / sizeof(v[0]);
	const double p[] = { 0, 1, 50, 90, 99, 99.9, 99.99, 100 };
	uint64_t x = seed() | 1;

	for (size_t i = 0; i < n; i++) {
		v[i] = rnd(&x) >> (24 + rnd(&x) % 40);
		hd_hist_add(&h, v[i]);
		hd_hist_add(i % 2 ? &half : &both, v[i]);
	}
	hd_hist_merge(&both, &half);
	cr_assert_eq(memcmp(&both, &h, sizeof(h)), 0, "merging is not adding");
	qsort(v, n, sizeof(v[0]), by_value);
	cr_assert_eq(h.min, v[0]);
	cr_assert_eq(h.max, v[n - 1]);
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		size_t rank = (size_t)ceil(p[i] / 100 * n);
		uint64_t true_value = v[rank == 0 ? 0 : rank - 1],
			 got = hd_hist_percentile(&h, p[i]);

		cr_assert(got >= true_value && (double)got <= (double)true_value * 1.0079,
			  "p%g: %llu, not %llu", p[i], (unsigned long long)got,
			  (unsigned long long)true_value);
	}
	cr_assert_eq(hd_hist_percentile(&(struct hd_hist){ 0 }, 50), 0);
}

/* ---- sequence tracker --------------------------------------------------------------------------------------- */

#define WINDOW 64u

struct seq_row {
	char why[64], arrivals[128];
	uint32_t unique, reordered, duplicate, late, behind;
};

ParameterizedTestParameters(seq, rows)
{
	static struct seq_row rows[] = {
		{ "in order", "0 1 2 3", 4, 0, 0, 0, 0 },
		{ "the first ones are lost", "5 6", 2, 0, 0, 0, 0 },
		{ "a gap is not reordering", "0 1 5 6", 4, 0, 0, 0, 0 },
		{ "one overtakes one", "0 2 1 3", 4, 1, 0, 0, 1 },
		{ "one overtakes three: they are the reordered ones", "0 4 1 2 3 5", 6, 3, 0, 0,
		  3 },
		{ "one is overtaken by three", "0 2 3 4 1", 5, 1, 0, 0, 3 },
		{ "two copies", "0 1 1 1 2", 3, 0, 2, 0, 0 },
		{ "a copy of a reordered one", "0 2 1 1", 3, 1, 1, 0, 1 },
		{ "a copy that comes late is a copy", "0 1 2 3 0", 4, 0, 1, 0, 0 },
		{ "just inside the window", "0 2 64 1", 4, 1, 0, 0, 63 },
		{ "just outside the window", "0 2 65 1", 3, 0, 0, 1, 0 },
		{ "a jump forgets all before the window", "0 1 1000 1001 938", 5, 1, 0, 0, 63 },
		{ "a jump of exactly a window", "0 64 63 1", 4, 2, 0, 0, 63 },
	};

	return cr_make_param_array(struct seq_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct seq_row *r, seq, rows)
{
	uint64_t seen[WINDOW / 64];
	struct seq_track t;
	char *save = NULL;

	seq_reset(&t, WINDOW, seen);
	for (char *w = strtok_r(r->arrivals, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		seq_add(&t, WINDOW, (uint32_t)atoi(w));
	cr_assert(t.unique == r->unique && t.reordered == r->reordered &&
			  t.duplicate == r->duplicate && t.late == r->late &&
			  t.max_behind == r->behind,
		  "%s: unique %llu reordered %llu duplicate %llu late %llu behind %u", r->why,
		  (unsigned long long)t.unique, (unsigned long long)t.reordered,
		  (unsigned long long)t.duplicate, (unsigned long long)t.late, t.max_behind);
}

/* Against a model that remembers everything. */
Test(seq, random_arrivals)
{
	enum { N = 4096, W = 256 };
	static uint8_t came[N];
	uint64_t x = seed() * 2654435761u | 1, seen[W / 64];
	uint64_t unique = 0, reordered = 0, duplicate = 0, late = 0;
	uint32_t next = 0, base = 0;
	struct seq_track t;

	seq_reset(&t, W, seen);
	while (base < N - 600) {
		uint32_t back = (uint32_t)(rnd(&x) % (rnd(&x) % 8 == 0 ? 600 : 40)), s;

		base += (uint32_t)(rnd(&x) % 4);
		s = base + 40 > back ? base + 40 - back : 0;
		seq_add(&t, W, s);
		if (s >= next) {
			next = s + 1;
			unique++;
			came[s] = 1;
		} else if (next - s > W) {
			late++;
		} else if (came[s]) {
			duplicate++;
		} else {
			came[s] = 1;
			unique++;
			reordered++;
		}
	}
	cr_assert_eq(t.unique, unique);
	cr_assert_eq(t.reordered, reordered);
	cr_assert_eq(t.duplicate, duplicate);
	cr_assert_eq(t.late, late);
	cr_assert(late > 0 && duplicate > 0 && reordered > 0, "the test has become pointless");
}

/* ---- pacing ------------------------------------------------------------------------------------------------- */

Test(pace, as_many_as_asked_and_at_the_right_time)
{
	struct pace p;
	uint64_t sent = 0;

	pace_start(&p, 1e5, 0.001, 1e9, 1000);
	cr_assert_eq(pace_due(&p, 1000, 32), 1, "the first packet is due at once");
	cr_assert_eq(pace_due(&p, 1000 + 9999, 32), 0);
	cr_assert_eq(pace_due(&p, 1000 + 10000, 32), 1);
	for (uint64_t now = 11000, step = 1; now < 1000 + 1000000000;
	     now += 3001 + 700 * (step++ % 20))
		sent += pace_due(&p, now, 32);
	sent += 2 + pace_due(&p, 1000 + 999999999, 32);
	cr_assert_eq(sent, 100000);
	cr_assert_eq(p.behind, 0);
}

Test(pace, a_stall_is_not_made_up_for_by_a_burst)
{
	struct pace p;

	pace_start(&p, 1e6, 0.001, 1e9, 0);
	cr_assert_eq(pace_due(&p, 500000000, 5000), 1000, "a millisecond's worth");
	cr_assert_eq(p.behind, 500001 - 1000);
	cr_assert_eq(pace_due(&p, 500000000, 5000), 0);
	cr_assert_eq(pace_due(&p, 500001000, 5000), 1);
}

/* ---- search ------------------------------------------------------------------------------------------------- */

struct sut {
	double capacity;  /* no loss below */
	double generator; /* it cannot offer more */
	double noise;     /* loss ratio that a trial may have at any load; falls with its length */
	uint64_t x;
	unsigned trials;
	double seconds;
};

static int simulate(void *arg, double load, double seconds, double *ret_loss, double *ret_load,
		    double *ret_took)
{
	struct sut *s = arg;

	s->trials++;
	s->seconds += seconds;
	*ret_load = s->generator > 0 && load > s->generator ? s->generator : load;
	*ret_loss = *ret_load > s->capacity ? 1 - s->capacity / *ret_load : 0;
	if (s->noise > 0 && rnd(&s->x) % 4 == 0)
		*ret_loss = fmin(1, *ret_loss + s->noise / seconds);
	*ret_took = seconds + 0.1;
	return 0;
}

static const struct search_params usual = { .min = 100,
					    .max = 10e6,
					    .goal = { 0, 0.005 },
					    .n_goals = 2,
					    .width = 0.005,
					    .first_s = 1,
					    .final_s = 10,
					    .phases = 3 };

struct search_row {
	double capacity;
};

ParameterizedTestParameters(search, finds_what_is_there)
{
	static struct search_row rows[] = { { 150 },     { 1e3 }, { 77e3 },
					    { 1234567 }, { 5e6 }, { 9.9e6 } };

	return cr_make_param_array(struct search_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct search_row *row, search, finds_what_is_there)
{
	static struct search_result r;
	struct sut s = { .capacity = row->capacity };

	cr_assert_eq(search_run(&usual, simulate, &s, &r), 0);
	for (unsigned g = 0; g < 2; g++) {
		/* a loss of q is met at capacity / (1 - q) */
		double answer = row->capacity / (1 - usual.goal[g]);

		if (answer > usual.max)
			continue;
		cr_assert_eq(r.goal[g].end, SEARCH_CONVERGED, "goal %u: %s", g,
			     search_end_text(r.goal[g].end));
		cr_assert(r.goal[g].lower <= answer * (1 + 1e-9) &&
				  r.goal[g].upper >= answer * (1 - 1e-9),
			  "goal %u: %g is not between %g and %g", g, answer, r.goal[g].lower,
			  r.goal[g].upper);
		cr_assert_leq(r.goal[g].upper - r.goal[g].lower,
			      usual.width * r.goal[g].upper * 1.0001);
		cr_assert_eq(r.goal[g].seconds, usual.final_s);
	}
	/* Long trials are the expensive ones: two bounds for each goal, and few more. */
	cr_assert_leq(s.seconds, 10 * 10.0, "%u trials, %g s", s.trials, s.seconds);
}

Test(search, more_than_the_highest_load_is_not_claimed)
{
	static struct search_result r;
	struct sut s = { .capacity = 1e9 };

	cr_assert_eq(search_run(&usual, simulate, &s, &r), 0);
	cr_assert(r.goal[0].end == SEARCH_AT_MAX && r.goal[0].lower == usual.max &&
		  r.goal[0].upper == 0);
}

Test(search, a_system_that_forwards_nothing)
{
	static struct search_result r;
	struct sut s = { .capacity = 1 };

	cr_assert_eq(search_run(&usual, simulate, &s, &r), 0);
	cr_assert(r.goal[0].end == SEARCH_BELOW_MIN && r.goal[0].lower == 0 &&
		  r.goal[0].upper == usual.min);
}

Test(search, the_generator_is_the_limit)
{
	static struct search_result r;
	struct sut s = { .capacity = 5e6, .generator = 2e6 };

	cr_assert_eq(search_run(&usual, simulate, &s, &r), 0);
	cr_assert_eq(r.goal[0].end, SEARCH_GENERATOR, "%s", search_end_text(r.goal[0].end));
	cr_assert(r.goal[0].lower > 1.9e6 && r.goal[0].lower <= 2e6);
	/* Enough for a system below that. */
	s = (struct sut){ .capacity = 1.5e6, .generator = 2e6 };
	cr_assert_eq(search_run(&usual, simulate, &s, &r), 0);
	cr_assert(r.goal[0].lower <= 1.5e6 && r.goal[0].upper >= 1.5e6 &&
		  r.goal[0].end == SEARCH_CONVERGED);
}

Test(search, time_is_bounded)
{
	static struct search_result r;
	struct search_params p = usual;

	for (p.limit_s = 0.5; p.limit_s < 200; p.limit_s *= 1.3) {
		struct sut s = { .capacity = 3e6 };

		cr_assert_eq(search_run(&p, simulate, &s, &r), 0);
		cr_assert_leq(r.took, p.limit_s + 0.1);
		for (unsigned g = 0; g < 2; g++) {
			double answer = 3e6 / (1 - p.goal[g]);

			cr_assert(r.goal[g].end == SEARCH_TIME ||
				  r.goal[g].end == SEARCH_CONVERGED);
			cr_assert(r.goal[g].lower <= answer * (1 + 1e-9),
				  "what is claimed is true");
			cr_assert(r.goal[g].upper == 0 || r.goal[g].upper >= answer * (1 - 1e-9));
			if (p.limit_s > 150)
				cr_assert_eq(r.goal[g].end, SEARCH_CONVERGED);
		}
	}
}

/* Chance losses make an answer lower, never higher than the truth, and the search ends. */
Test(search, noise_never_makes_it_optimistic)
{
	static struct search_result r;
	struct search_params p = usual;

	for (uint64_t k = 1; k <= 200; k++) {
		struct sut s = { .capacity = 2e6,
				 .noise = 1e-4,
				 .x = (seed() + k) * 2654435761u | 1 };

		p.limit_s = 1000;
		cr_assert_eq(search_run(&p, simulate, &s, &r), 0);
		cr_assert_leq(r.goal[0].lower, 2e6 * (1 + 1e-9));
		cr_assert_leq(r.goal[1].lower, 2e6 / 0.995 * (1 + 1e-9));
	}
}

/* ---- signature ---------------------------------------------------------------------------------------------- */

Test(sig, its_sum_is_constant_whatever_it_carries)
{
	uint8_t buf[24] = { 0 };
	uint64_t x = seed() | 1;

	for (unsigned i = 0; i < 20000; i++) {
		struct sig s = { (uint16_t)rnd(&x), (uint16_t)rnd(&x), (uint32_t)rnd(&x), rnd(&x) },
			   got;
		unsigned odd = i % 2;

		memset(buf, 0, sizeof(buf));
		sig_write(buf + odd, &s);
		cr_assert(hd_csum_ok(hd_csum_add(0, buf, 20)), "offset %u", odd);
		cr_assert(sig_read(buf + odd, s.tag, 0, &got));
		cr_assert(got.flow == s.flow && got.seq == s.seq && got.tsc == s.tsc);
		buf[odd + i % SIG_LEN] ^= (uint8_t)(1u << i % 8);
		cr_assert(!sig_read(buf + odd, s.tag, 0, &got), "a changed bit is noticed");
	}
}

Test(sig, behind_padding_and_of_earlier_trials)
{
	uint8_t frame[128] = { 0 };
	struct sig s = { 100, 7, 8, 9 }, got;

	sig_write(frame + 40, &s);
	cr_assert(sig_find(frame, 40 + SIG_LEN + SIG_PADDING, 100, 0, &got) && got.flow == 7);
	cr_assert(!sig_find(frame, 40 + SIG_LEN + SIG_PADDING + 1, 100, 0, &got));
	cr_assert(!sig_find(frame, 60, 101, 0, &got), "another trial");
	cr_assert(sig_find(frame, 60, 103, 3, &got) && got.tag == 100);
	cr_assert(!sig_find(frame, 60, 104, 3, &got));
	cr_assert(!sig_find(frame, 60, 99, 3, &got), "a trial to come");
	for (size_t len = 0; len < SIG_LEN; len++)
		cr_assert(!sig_find(frame + 40, len, 100, 0, &got));
}

/* ---- streams and frames ------------------------------------------------------------------------------------- */

Test(sizes, text)
{
	uint32_t s[STREAM_SIZES_MAX];

	cr_assert_eq(sizes_parse("64", s), 1);
	cr_assert(sizes_parse("64,128,1518", s) == 3 && s[2] == 1518);
	cr_assert_eq(sizes_parse("imix", s), 12);
	cr_assert_eq(sizes_parse("63", s), -EINVAL);
	cr_assert_eq(sizes_parse("9999", s), -EINVAL);
	cr_assert_eq(sizes_parse("64,", s), -EINVAL);
	cr_assert_eq(sizes_parse("", s), -EINVAL);
	cr_assert_eq(sizes_parse("64 ", s), -EINVAL);
	cr_assert_eq(sizes_parse("64,64,64,64,64,64,64,64,64,64,64,64,64,64,64,64,64", s), -EINVAL);
}

struct yaml_row {
	char layers[320]; /* YAML flow sequence */
	uint32_t headers;
};

#define E     "eth: {src: 02:00:00:00:00:01, dst: 02:00:00:00:00:02}"
#define IP4   "ip4: {src: 198.18.0.1..198.18.0.9, dst: 198.19.0.1}"
#define IP6   "ip6: {src: 2001:db8::1, dst: 2001:db8:1::1..2001:db8:1::ff}"
#define SRH   "srh: {segments: [2001:db8:a::1, 2001:db8:b::1, 2001:db8:c::1]}"
#define OUTER "ip6: {src: 2001:db8::1}"
#define NSH   "nsh: {path: 42, index: 254, context: 000102030405060708090a0b0c0d0e0f}"

ParameterizedTestParameters(frame, every_kind)
{
	static struct yaml_row rows[] = {
		{ "[" E ", " IP4 ", udp]", 42 },
		{ "[" E ", " IP4 ", tcp: {flags: 2}]", 54 },
		{ "[" E ", " IP6 ", udp: {src: 1..9, dst: 9}]", 62 },
		{ "[" E ", " IP6 ", tcp]", 74 },
		{ "[" E ", vlan: {id: 100, pcp: 5}, " IP4 ", udp]", 46 },
		{ "[" E ", vlan: {id: 1..4094, tpid: 0x88a8}, vlan: {id: 7}, " IP6 ", udp]", 70 },
		{ "[" E ", pppoe: {session: 1..65535}, " IP4 ", udp]", 50 },
		{ "[" E ", vlan: {id: 7}, pppoe: {session: 5}, " IP6 ", tcp]", 86 },
		{ "[" E ", " OUTER ", " SRH ", udp]", 118 },
		{ "[" E ", " OUTER ", " SRH ", " IP4 ", udp]", 138 },
		{ "[" E ", " OUTER ", " SRH ", " IP6 ", tcp]", 170 },
		{ "[" E ", " OUTER ", " SRH ", " E ", " IP4 ", udp]", 152 },
		{ "[" E ", " IP6 ", " IP4 ", udp]", 82 },
		{ "[" E ", " NSH ", " IP4 ", udp]", 66 },
		{ "[" E ", " NSH ", " E ", " IP6 ", udp]", 100 },
		{ "[" E ", nsh: {path: 1..100, md-type: 2}, " IP6 ", tcp]", 82 },
		{ "[" E ", " IP4 ", udp, vxlan-gpe: {vni: 99}, " NSH ", " IP4 ", udp]", 102 },
		{ "[" E ", " IP6 ", udp, vxlan-gpe: {vni: 99}, " E ", " IP4 ", tcp]", 124 },
	};

	return cr_make_param_array(struct yaml_row, rows, sizeof(rows) / sizeof(rows[0]));
}

static const char *stream_of(const char *layers, char to[1024])
{
	/* one layer per item, as the block style has it */
	size_t n = (size_t)snprintf(to, 1024, "streams:\n- flows: 16\n  packet:\n  - ");
	unsigned depth = 0;

	for (const char *p = layers + 1; *p != '\0' && n < 1000; p++) {
		depth += *p == '{' || *p == '[';
		if (depth == 0 && *p == ']')
			break;
		depth -= *p == '}' || *p == ']';
		if (depth == 0 && *p == ',')
			n += (size_t)snprintf(to + n, 1024 - n, "\n  -");
		else
			to[n++] = *p;
	}
	to[n] = '\0';
	return to;
}

/* The innermost transport checksum of a frame is right: sum over pseudo-header and data. */
static bool transport_ok(const uint8_t *frame, uint32_t payload, uint32_t csum, uint32_t len,
			 const struct packet *p)
{
	bool tcp = p->layer[p->n_layers - 1].kind == LAYER_TCP;
	uint32_t at = csum - (tcp ? 16 : 6), n = len - at, ip = at;
	uint64_t sum;

	cr_assert_eq(payload, at + (tcp ? 20u : 8u));
	switch (p->layer[p->n_layers - 2].kind) {
	case LAYER_IP4:
		ip -= 20;
		cr_assert(hd_csum_ok(hd_csum_add(0, frame + ip, 20)), "IPv4 header checksum");
		sum = hd_csum_ip4_pseudo(*(const be32_t *)(frame + ip + 12),
					 *(const be32_t *)(frame + ip + 16), (uint16_t)n,
					 tcp ? 6 : 17);
		break;
	case LAYER_IP6:
		ip -= 40;
		sum = hd_csum_ip6_pseudo((const struct ip6_addr *)(frame + ip + 8),
					 (const struct ip6_addr *)(frame + ip + 24), n,
					 tcp ? 6 : 17);
		break;
	default: /* behind an SRH: its first entry is the final segment */
		ip -= 40 + 8 + 48;
		sum = hd_csum_ip6_pseudo((const struct ip6_addr *)(frame + ip + 8),
					 (const struct ip6_addr *)(frame + ip + 48), n,
					 tcp ? 6 : 17);
		break;
	}
	return hd_csum_ok(hd_csum_add(sum, frame + at, n));
}

ParameterizedTest(struct yaml_row *row, frame, every_kind)
{
	static struct streams s;
	static uint8_t frame[FRAME_OCTETS_MAX];
	const uint32_t sizes[] = { 60, 61, 200, 1514, 9000 };
	char text[1024], err[256] = "";

	stream_of(row->layers, text);
	cr_assert_eq(streams_from_yaml(text, strlen(text), "t.yaml", &s, err, sizeof(err)), 0,
		     "%s\n%s", err, text);
	cr_assert_eq(packet_headers(&s.stream[0].packet), row->headers);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (uint32_t f = 0; f < 16; f++) {
			const struct packet *p = &s.stream[0].packet;
			uint32_t len = packet_octets(p, sizes[i]), payload, n, csum;
			struct sig sig = { 0 }, got;
			uint64_t x = f + 1;

			cr_assert_eq(len, sizes[i] < row->headers + SIG_LEN ?
						  row->headers + SIG_LEN :
						  sizes[i]);
			packet_build(p, f, len, frame);
			cr_assert_eq(frame_find_payload(frame, len, &payload, &n, &csum), 0, "%s",
				     row->layers);
			cr_assert_eq(payload, row->headers);
			cr_assert_eq(payload + n, len);
			cr_assert(transport_ok(frame, payload, csum, len, p), "%s: %u octets",
				  row->layers, len);
			/* and stays right with any signature */
			sig = (struct sig){ (uint16_t)rnd(&x), (uint16_t)rnd(&x), (uint32_t)rnd(&x),
					    rnd(&x) };
			sig_write(frame + len - SIG_LEN, &sig);
			cr_assert(transport_ok(frame, payload, csum, len, p), "%s: %u octets",
				  row->layers, len);
			cr_assert(sig_find(frame, len, sig.tag, 0, &got) && got.seq == sig.seq);
			/* a prefix is refused, or has no payload that is whole */
			for (uint32_t cut = 0; f == 0 && i == 0 && cut < len; cut++)
				cr_assert_neq(frame_find_payload(frame, cut, &payload, &n, &csum),
					      0, "cut at %u", cut);
		}
	streams_free(&s);
}

Test(frame, ranges_go_round)
{
	static struct streams s;
	uint8_t a[128], b[128], c[128];
	char text[1024], err[256];

	stream_of("[" E ", " IP4 ", udp]", text);
	cr_assert_eq(streams_from_yaml(text, strlen(text), "t", &s, err, sizeof(err)), 0);
	packet_build(&s.stream[0].packet, 0, 64, a);
	packet_build(&s.stream[0].packet, 8, 64, b);
	packet_build(&s.stream[0].packet, 9, 64, c);
	cr_assert_eq(memcmp(a, c, 64), 0, "nine sources");
	cr_assert_eq(a[29], 1);
	cr_assert_eq(b[29], 9);
}

struct bad_row {
	char text[400], wants[100];
};

ParameterizedTestParameters(yaml, refusals)
{
#define P "streams:\n- packet:\n  - eth\n"
	static struct bad_row rows[] = {
		{ "", "t.yaml:0: \"streams:\" is wanted" },
		{ "streams: [", "t.yaml:2:" },
		{ "streams:\n", "t.yaml:1:" },
		{ "stream: []\n", "t.yaml:1:" },
		{ "streams: []\n", "there is no stream" },
		{ "streams:\n- name: x\n", "t.yaml:2: the stream has no packet" },
		{ P "  - ip4: {src: 1.2.3.4}\n", "t.yaml:4: ip4 needs \"dst\"" },
		{ P "  - ip4: {src: 1.2.3, dst: 1.2.3.4}\n", "\"1.2.3\" is not an IPv4 address" },
		{ P "  - ip4: {src: 1.2.3.4..1.2.3.3, dst: 1.2.3.4}\n", "lies before the first" },
		{ P "  - ip6: {src: '::1..1::', dst: '::'}\n", "differs in the upper 64 bits" },
		{ P "  - ip6: {src: '::1'}\n  - udp\n", "ip6 needs \"dst\", unless srh follows" },
		{ P "  - vlan: {id: 4095}\n", "t.yaml:4: id: \"4095\" is not a number up to 4094" },
		{ P "  - vlan: {id: 1, pcp: 8}\n", "pcp: a number from 0 to 7" },
		{ P "  - vlan: {id: 1, color: 8}\n", "vlan has no \"color\"" },
		{ P "  - udp\n", "t.yaml:4: udp cannot stand on eth" },
		{ "streams:\n- packet:\n  - ip4: {}\n", "ip4 cannot stand first" },
		{ P "  - mpls: {}\n", "\"mpls\" is no layer" },
		{ P "  - pppoe: {session: 1}\n", "pppoe needs a layer behind it" },
		{ P "  - ip6: {src: '::1'}\n  - srh: {segments: []}\n", "the list is empty" },
		{ P "  - ip6: {src: '::1'}\n  - srh: {segments: ['::2'], left: 1}\n",
		  "left is 1, but there are 1 segments" },
		{ P "  - nsh: {path: 1, context: 00}\n", "32 hexadecimal digits" },
		{ P "  flows: 70000\n", "t.yaml:4: flows: a number from 1 to 65536" },
		{ P "  flows: 65536\n- packet: [eth]\n", "more than 65536 flows in all" },
		{ P "  size: 10\n", "size: octets with FCS" },
		{ P "  color: 10\n", "a stream has no \"color\"" },
		{ "ports:\n- address: [1.2.3.400]\n" P, "an IPv4 or IPv6 address is wanted" },
		{ "ports:\n- gateway: 1.2.3.4\n" P, "the port has no address of its family" },
		{ P "  from: 8\n", "from: a number from 0 to 7" },
		{ P "streams:\n- packet: [eth]\n", "t.yaml:4: \"streams\" is given twice" },
	};

	return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct bad_row *r, yaml, refusals)
{
	static struct streams s;
	char err[256] = "";

	cr_assert_lt(streams_from_yaml(r->text, strlen(r->text), "t.yaml", &s, err, sizeof(err)), 0,
		     "%s", r->text);
	cr_assert_not_null(strstr(err, r->wants), "said \"%s\", not \"%s\", of\n%s", err, r->wants,
			   r->text);
	cr_assert_eq(s.n, 0);
}

/* ---- pcap --------------------------------------------------------------------------------------------------- */

static size_t pcap_of(uint8_t *to, const uint8_t *frame, uint32_t len, uint32_t caplen)
{
	static const uint32_t head[6] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 };
	const uint32_t rec[4] = { 0, 0, caplen, len };

	memcpy(to, head, 24);
	memcpy(to + 24, rec, 16);
	memcpy(to + 40, frame, caplen);
	return 40 + caplen;
}

Test(pcap, a_frame_is_taken_with_its_checksum)
{
	static struct streams y, s;
	static uint8_t frame[2048], file[4096];
	char text[1024], err[256] = "";

	stream_of("[" E ", vlan: {id: 5}, " IP6 ", udp]", text);
	cr_assert_eq(streams_from_yaml(text, strlen(text), "t", &y, err, sizeof(err)), 0);
	for (uint32_t len = 90; len < 130; len++) {
		uint32_t payload, n, csum;
		FILE *f;

		packet_build(&y.stream[0].packet, 3, len, frame);
		/* what was there before is no signature */
		for (uint32_t i = len - SIG_LEN; i < len; i++)
			frame[i] = (uint8_t)(i * 37);
		udp_csum_set((struct udp_hdr *)(frame + 58),
			     hd_csum_ip6_pseudo((struct ip6_addr *)(frame + 26),
						(struct ip6_addr *)(frame + 42), len - 58, 17));
		f = fmemopen(file, pcap_of(file, frame, len, len), "r");
		cr_assert_eq(streams_from_pcap(f, "x.pcap", &s, err, sizeof(err)), 0, "%s", err);
		cr_assert(s.stream[0].n_frames == 1 && s.stream[0].flows == 1 &&
			  s.stream[0].frame[0].sig == len - SIG_LEN);
		cr_assert_eq(frame_find_payload(s.stream[0].frame[0].octets, len, &payload, &n,
						&csum),
			     0);
		cr_assert(transport_ok(s.stream[0].frame[0].octets, payload, csum, len,
				       &y.stream[0].packet),
			  "%u octets", len);
		streams_free(&s);
	}
	/* cut while it was captured */
	FILE *f = fmemopen(file, pcap_of(file, frame, 129, 100), "r");

	cr_assert_lt(streams_from_pcap(f, "x.pcap", &s, err, sizeof(err)), 0);
	cr_assert_not_null(strstr(err, "x.pcap: frame 1: was cut"), "%s", err);
	/* no payload to speak of */
	packet_build(&y.stream[0].packet, 3, 84, frame);
	wire_put16(frame + 58 + 4, 8 + 17);
	f = fmemopen(file, pcap_of(file, frame, 84, 84), "r");
	cr_assert_lt(streams_from_pcap(f, "x.pcap", &s, err, sizeof(err)), 0);
	cr_assert_not_null(strstr(err, "less than 18 octets"), "%s", err);
	f = fmemopen(file, 24, "r");
	cr_assert_lt(streams_from_pcap(f, "x.pcap", &s, err, sizeof(err)), 0);
	cr_assert_not_null(strstr(err, "no frames"), "%s", err);
}
