/* SPDX-License-Identifier: BSD-3-Clause
 * Running the rows of rows_steps.h. */
#include <time.h>

#include "dataplane/debug_api.h"
#include "dataplane/engine.h"
#include "tests/conformance/srv6_node.h"

#define FRAME_MAX 2048u

static struct pktb last; /* what was sent last, for errors that quote it */

/* The packet of a step, its octets changed behind ';'. */
static void packet_of(const char *text, struct pktb *ret)
{
	char copy[600];
	char *set;

	snprintf(copy, sizeof(copy), "%s", text);
	set = strchr(copy, ';');
	if (set != NULL)
		*set++ = '\0';
	packet_make(ret, copy, set != NULL ? set : "");
}

static size_t frame_of(const char *hex, uint8_t to[FRAME_MAX])
{
	size_t n = 0;
	unsigned octet;

	for (; n < FRAME_MAX && sscanf(hex + 2 * n, "%2x", &octet) == 1; n++)
		to[n] = (uint8_t)octet;
	return n;
}

static void frame_in(uint32_t port, const char *hex)
{
	uint8_t frame[FRAME_MAX];

	dut_rx(port, frame, frame_of(hex, frame));
	dut_turn();
}

static void frame_out(const char *id, uint32_t port, const char *hex)
{
	uint8_t want[FRAME_MAX], have[FRAME_MAX];
	size_t n = frame_of(hex, want), got = dut_tx(port, have, sizeof(have));

	cr_assert_neq(got, 0, "%s: no frame leaves on port %u", id, port);
	cr_assert(got == n && memcmp(have, want, n) == 0, "%s: port %u: %zu octets, not %zu\n%s",
		  id, port, got, n, pktb_hexdump(have, got));
}

static unsigned n_copies;

static void count_copy(void *arg, uint16_t type, const void *body, size_t size)
{
	(void)arg;
	(void)type;
	(void)body;
	(void)size;
	n_copies++;
}

static void copies(const char *id, unsigned want)
{
	struct hd_api_reply reply = { 0 };

	if (!dut_in_process())
		return;
	n_copies = 0;
	dut_turn();
	must(debug_request(HD_API_SRV6_OAM_STATE, NULL, 0, -1, count_copy, NULL, &reply), "copies");
	cr_assert_eq(n_copies, want, "%s: %u copies, not %u", id, n_copies, want);
}

/* What packets taught has to come to the control plane and back. */
static void pause_for_control(void)
{
	const struct timespec half = { .tv_nsec = 500000000 };

	if (!dut_in_process()) {
		nanosleep(&half, NULL);
		return;
	}
	for (int i = 0; i < 10; i++) {
		engine_tick();
		dut_turn();
	}
}

static void step(const struct steps_row *r, const char *s)
{
	unsigned port = 0, type, code, data;
	struct pktb want;
	int at = 0;

	sscanf(s + 1, "%u %n", &port, &at);
	switch (s[0]) {
	case '>':
		packet_of(s + 1 + at, &last);
		lab_send(port, last.buf, last.len);
		return;
	case '<':
	case '~':
		packet_of(s + 1 + at, &want);
		(s[0] == '<' ? lab_expect : lab_expect_encap)(r->id, port, &want);
		return;
	case ']':
		frame_in(port, s + 1 + at);
		return;
	case '[':
		frame_out(r->id, port, s + 1 + at);
		return;
	case '=':
		copies(r->id, port);
		return;
	case '!':
		if (sscanf(s + 1, "%u %u %u", &type, &code, &data) == 3) {
			lab_expect_icmp6(r->id, 1, last.buf, last.len, (uint8_t)type, (uint8_t)code,
					 data);
			return;
		}
		break;
	case '.':
		pause_for_control();
		return;
	default:
		break;
	}
	conf_fail("steps", "what is '%s'?", s);
}

void run_steps(const struct steps_row *r)
{
	unsigned times = r->times == 0 ? 1 : dut_in_process() ? r->times : (r->times + 9) / 10;
	uint8_t b[FRAME_MAX];
	char line[700];

	for (unsigned i = 0; i < times; i++)
		for (const char *s = r->steps; *s != '\0'; s += *s == '\n') {
			size_t n = strcspn(s, "\n");

			snprintf(line, sizeof(line), "%.*s", (int)n, s);
			step(r, line);
			s += n;
		}
	for (uint32_t p = 1; p <= SUITE_PORTS; p++) {
		size_t n = dut_tx(p, b, sizeof(b));

		cr_assert_eq(n, 0, "%s: something leaves on port %u\n%s", r->id, p,
			     pktb_hexdump(b, n < sizeof(b) ? n : sizeof(b)));
	}
	if (dut_in_process())
		cr_assert_eq(hx_mbufs_in_use(), 0, "%u buffers lost", hx_mbufs_in_use());
}

const char *steps_text(const struct steps_row *r, char *to, size_t size)
{
	size_t n = 0;

	for (const char *s = r->steps; *s != '\0' && n + 3 < size; s++) {
		if (*s == '\n')
			n += (size_t)snprintf(to + n, size - n, "; ");
		else
			to[n++] = *s;
	}
	to[n] = '\0';
	return to;
}
