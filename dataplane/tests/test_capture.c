/* SPDX-License-Identifier: BSD-3-Clause
 * Capture: the file block by block, filters on frames and on packets inside the graph, a full ring, the ends of a
 * capture, and tshark's opinion of it all where it is installed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/debug_api.h"
#include "dataplane/engine.h"
#include "dataplane/tests/mini_graph.h"
#include "dataplane/worker.h"
#include "tests/harness.h"
#include "tests/pktb.h"

static struct hd_api_reply reply;
static int file_fd = -1;

/* ---- reading pcapng ---------------------------------------------------------------------------------------- */

struct got_packet {
	uint16_t linktype;
	char iface[48], comment[512];
	uint32_t caught, whole, flags;
	uint64_t ns;
	uint8_t head[256];
};
static struct got_packet got[16384];
static unsigned n_got, n_stats;
static uint64_t got_missed, got_written;

static uint32_t rd32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}
static uint16_t rd16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, 2);
	return v;
}

/* The value of an option in [p, end), or NULL. */
static const uint8_t *option(const uint8_t *p, const uint8_t *end, uint16_t code, uint16_t *ret_len)
{
	while (p + 4 <= end && rd16(p) != 0) {
		*ret_len = rd16(p + 2);
		if (rd16(p) == code)
			return p + 4;
		p += 4 + ((*ret_len + 3u) & ~3u);
	}
	cr_assert_leq((uintptr_t)p, (uintptr_t)end, "options run past their block");
	return NULL;
}

static void text_of(const uint8_t *p, const uint8_t *end, uint16_t code, char *to, size_t size)
{
	uint16_t len;
	const uint8_t *o = option(p, end, code, &len);

	snprintf(to, size, "%.*s", o == NULL ? 0 : (int)len, o == NULL ? "" : (const char *)o);
}

static void read_file(int fd)
{
	static uint8_t buf[24 << 20];
	ssize_t size = pread(fd, buf, sizeof(buf), 0);
	char iface[64][48] = { "" };
	uint16_t link[64], len;
	unsigned n_iface = 0;

	n_got = n_stats = 0;
	cr_assert_gt(size, 28);
	cr_assert_eq(rd32(buf), 0x0a0d0d0a, "section header first");
	cr_assert_eq(rd32(buf + 8), 0x1a2b3c4d);
	for (size_t off = 0; off < (size_t)size;) {
		const uint8_t *b = buf + off;
		uint32_t total = rd32(b + 4);
		const uint8_t *end = b + total - 4;

		cr_assert(total % 4 == 0 && off + total <= (size_t)size,
			  "block of %u octets at %zu of %zd", total, off, size);
		cr_assert_eq(rd32(end), total, "length at both ends");
		off += total;
		switch (rd32(b)) {
		case 1:
			link[n_iface] = rd16(b + 8);
			text_of(b + 16, end, 2, iface[n_iface], 48);
			cr_assert_eq(*option(b + 16, end, 9, &len), 9, "nanoseconds");
			n_iface++;
			break;
		case 5:
			got_missed = rd32(option(b + 20, end, 5, &len));
			got_written = rd32(option(b + 20, end, 8, &len));
			n_stats++;
			break;
		case 6: {
			struct got_packet *p = &got[n_got++];
			uint32_t i = rd32(b + 8);
			const uint8_t *opts;

			cr_assert_lt(i, n_iface, "an interface described before");
			p->linktype = link[i];
			memcpy(p->iface, iface[i], 48);
			p->ns = (uint64_t)rd32(b + 12) << 32 | rd32(b + 16);
			p->caught = rd32(b + 20);
			p->whole = rd32(b + 24);
			memcpy(p->head, b + 28, p->caught < 256 ? p->caught : 256);
			opts = b + 28 + ((p->caught + 3) & ~3u);
			text_of(opts, end, 1, p->comment, sizeof(p->comment));
			p->flags = rd32(option(opts, end, 2, &len));
			break;
		}
		default:
			cr_assert_eq(rd32(b), 0x0a0d0d0a, "unknown block %x", rd32(b));
		}
	}
}

/* ---- helpers ----------------------------------------------------------------------------------------------- */

static int start_with(struct hd_api_capture_start *s)
{
	file_fd = memfd_create("capture", MFD_CLOEXEC);
	return mini_request(HD_API_CAPTURE_START, s, sizeof(*s), dup(file_fd), &reply);
}

static void start(const char *node, const char *filter, uint32_t count)
{
	struct hd_api_capture_start s = { .count = count };

	snprintf(s.node, sizeof(s.node), "%s", node);
	snprintf(s.filter, sizeof(s.filter), "%s", filter);
	cr_assert_eq(start_with(&s), 0, "%s", reply.text);
}

static void send_one(uint8_t hop_limit)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), hop_limit);

	hx_rx(1, buf, n);
}

static void stop(void)
{
	cr_assert_eq(mini_request(HD_API_CAPTURE_STOP, NULL, 0, -1, &reply), 0, "%s", reply.text);
	for (unsigned i = 0; i < 10; i++) /* a full ring takes some turns */
		hx_turn();
	cr_assert_eq(mini_request(HD_API_CAPTURE_STOP, NULL, 0, -1, &reply), -ENOENT,
		     "it has ended");
	cr_assert_eq(workers[0]->watch, 0);
	read_file(file_fd);
}

TestSuite(capture, .init = hx_start_default, .fini = hx_stop);

/* ---- tests ------------------------------------------------------------------------------------------------- */

Test(capture, sent_frames)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), 64);

	hx_port();
	start("", "", 0);
	hx_rx(1, buf, n);
	hx_turn();
	stop();
	cr_assert_eq(n_got, 1, "the harness injects: only port-tx sees it");
	cr_assert_eq(got[0].linktype, 1);
	cr_assert_str_eq(got[0].iface, "p1", "as the owner calls the port");
	cr_assert_eq(got[0].flags, 2, "outbound");
	cr_assert_eq(got[0].whole, n);
	cr_assert_arr_eq(got[0].head, buf, n);
	cr_assert_eq(n_stats, 1);
	cr_assert_eq(got_missed, 0);
	cr_assert_eq(got_written, 1);
	cr_assert_lt((uint64_t)time(NULL) - got[0].ns / 1000000000ull + 1, 4, "time is now");
}

Test(capture, drop_has_the_reason)
{
	hx_port();
	start("drop", "", 0);
	send_one(0);
	send_one(64);
	send_one(1);
	hx_turn();
	stop();
	cr_assert_eq(n_got, 2, "a drop and what icmp-error answers");
	cr_assert_neq(strstr(got[0].comment, "ip6-lookup no-route: no route to the destination"),
		      NULL, "%s", got[0].comment);
	cr_assert_neq(strstr(got[0].comment, "interface iface1 (1), vrf 7"), NULL, "%s",
		      got[0].comment);
	cr_assert_neq(strstr(got[0].comment, "object 77"), NULL, "%s", got[0].comment);
	cr_assert_neq(strstr(got[1].comment, "ip6-lookup hop-limit"), NULL, "%s", got[1].comment);
	cr_assert_neq(strstr(got[1].comment, "node icmp-error"), NULL, "%s", got[1].comment);
	cr_assert_eq(got[0].linktype, 1, "the received L2 header is still there");
	cr_assert_eq(got[0].head[12], 0x86);
	cr_assert_eq(got[0].head[14] >> 4, 6);
}

Test(capture, stale_l2_header_is_left_out)
{
	hx_port();
	start("drop", "", 0);
	send_one(7);
	hx_turn();
	stop();
	cr_assert_eq(n_got, 1);
	cr_assert_eq(got[0].linktype, 101);
	cr_assert_eq(got[0].head[0] >> 4, 6);
}

Test(capture, dropped_before_any_l3)
{
	uint8_t runt[10] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0 };

	hx_port();
	start("drop", "", 0);
	hx_rx(1, runt, sizeof(runt));
	hx_turn();
	stop();
	cr_assert_eq(n_got, 1);
	cr_assert_eq(got[0].linktype, 1);
	cr_assert_eq(got[0].whole, sizeof(runt));
	cr_assert_arr_eq(got[0].head, runt, sizeof(runt));
}

/* A packet made inside has no L2 header: it goes to an interface of raw IP. */
Test(capture, without_l2_header)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), 0);
	struct hd_api_punt h = { .version = HD_API_VERSION, .flags = HD_PUNT_F_ROUTE };

	hx_port();
	start("ip6-lookup", "ip6 and udp port 2000", 0);
	debug_inject(&h, buf + 14, n - 14);
	send_one(0);
	hx_turn();
	stop();
	cr_assert_eq(n_got, 2);
	cr_assert_eq(got[0].linktype, 101);
	cr_assert_eq(got[0].whole, n - 14);
	cr_assert_arr_eq(got[0].head, buf + 14, n - 14);
	cr_assert_eq(got[1].linktype, 1);
	cr_assert_eq(got[1].whole, n);
	cr_assert_neq(strstr(got[1].comment, "from eth-input ip6"), NULL, "%s", got[1].comment);
}

Test(capture, filters)
{
	static const struct {
		const char *node, *filter;
		unsigned want;
	} rows[] = {
		{ "", "udp port 2000", 1 },
		{ "", "udp port 2001", 0 },
		{ "", "ip6 dst net 2001:db8:2::/48 and greater 60", 1 },
		{ "", "ether proto 0x86dd", 1 },
		{ "ip6-lookup", "udp dst port 2000", 1 },
		{ "ip6-lookup", "tcp", 0 },
		{ "ip6-lookup", "ip6[7] = 64", 1 },
		{ "ip6-lookup", "not ether host 0a:0b:0c:0d:0e:0f",
		  1 }, /* Ethernet only: tried on the frame */
		{ "ip6-lookup", "ether host 0a:0b:0c:0d:0e:0f", 0 },
		{ "eth-input", "ether[12:2] = 0x0800", 0 },
	};

	hx_port();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(rows[i].node, rows[i].filter, 0);
		send_one(64);
		hx_turn();
		stop();
		cr_expect_eq(n_got, rows[i].want, "%s at \"%s\": %u", rows[i].filter, rows[i].node,
			     n_got);
		close(file_fd);
	}
}

Test(capture, ends_at_count_and_snaplen_cuts)
{
	struct hd_api_capture_start s = { .count = 3, .snaplen = 20 };

	hx_port();
	cr_assert_eq(start_with(&s), 0);
	for (unsigned i = 0; i < 5; i++)
		send_one(64);
	hx_turn();
	cr_assert_eq(mini_request(HD_API_CAPTURE_STOP, NULL, 0, -1, &reply), -ENOENT,
		     "ended by itself");
	cr_assert_eq(workers[0]->watch, 0);
	read_file(file_fd);
	cr_assert_eq(n_got, 3);
	cr_assert_eq(got[2].caught, 20);
	cr_assert_eq(got[2].whole, 14 + 40 + 8 + 20);
}

/* Nobody drains while the worker copies: what does not fit is counted, what fits is whole and in order. */
Test(capture, full_ring_counts_missed)
{
	static uint8_t buf[1514];
	unsigned sent = 0;

	hx_port();
	mini_frame(buf, sizeof(buf), 64);
	start("eth-input", "", 0);
	for (unsigned round = 0; round < 140; round++) {
		for (unsigned i = 0; i < 30; i++, sent++) {
			memcpy(buf + 62, &sent, 4);
			hx_rx(1, buf, sizeof(buf));
		}
		worker_turn(workers[0]);
		uint8_t out[64];
		while (hx_tx(1, out, sizeof(out)) != 0)
			;
	}
	stop();
	cr_assert_gt(got_missed, 0);
	cr_assert_eq(n_got + got_missed, sent, "%u + %lu of %u", n_got, (unsigned long)got_missed,
		     sent);
	for (unsigned i = 0; i < n_got; i++) {
		cr_assert_eq(rd32(got[i].head + 62), i);
		cr_assert_eq(got[i].whole, sizeof(buf));
	}
}

/* Across the end of the ring twice, with sizes that differ.  (Past its end: the address sanitizer would tell.) */
Test(capture, ring_wraps)
{
	static uint8_t buf[1514];
	unsigned sent = 0;

	hx_port();
	mini_frame(buf, sizeof(buf), 64);
	start("eth-input", "", 0);
	for (unsigned round = 0; round < 660; round++) {
		for (unsigned i = 0; i < 16; i++, sent++) {
			memcpy(buf + 62, &sent, 4);
			hx_rx(1, buf, 70 + sent * 37 % 1444);
		}
		hx_turn();
		uint8_t out[64];
		while (hx_tx(1, out, sizeof(out)) != 0)
			;
	}
	stop();
	cr_assert_eq(got_missed, 0);
	cr_assert_eq(n_got, sent);
	for (unsigned i = 0; i < n_got; i++) {
		cr_assert_eq(rd32(got[i].head + 62), i);
		cr_assert_eq(got[i].whole, 70 + i * 37 % 1444);
	}
}

Test(capture, refusals)
{
	struct hd_api_capture_start s = { .node = "nosuch" };
	int pipes[2];

	hx_port();
	cr_assert_eq(start_with(&s), -ENOENT);
	s = (struct hd_api_capture_start){ .filter = "udp prt 5" };
	cr_assert_eq(start_with(&s), -EINVAL);
	cr_assert_neq(strstr(reply.text, "udp prt 5"), NULL, "%s", reply.text);
	s = (struct hd_api_capture_start){ 0 };
	memset(s.filter, 'x', sizeof(s.filter));
	cr_assert_eq(start_with(&s), -EINVAL, "does not end");
	s = (struct hd_api_capture_start){ 0 };
	cr_assert_eq(mini_request(HD_API_CAPTURE_START, &s, sizeof(s), -1, &reply), -EBADF);
	cr_assert_eq(pipe(pipes), 0);
	cr_assert_eq(mini_request(HD_API_CAPTURE_START, &s, sizeof(s), pipes[1], &reply), -EINVAL,
		     "a pipe could block the control loop");
	cr_assert_eq(fcntl(pipes[1], F_GETFD), -1, "taken over, so closed");
	cr_assert_eq(mini_request(HD_API_CAPTURE_START, &s, sizeof(s), open("/dev/null", O_RDONLY),
				  &reply),
		     -EINVAL);
	cr_assert_eq(mini_request(HD_API_CAPTURE_STOP, NULL, 0, -1, &reply), -ENOENT);
	cr_assert_eq(start_with(&s), 0);
	cr_assert_eq(mini_request(HD_API_CAPTURE_START, &s, sizeof(s), dup(file_fd), &reply),
		     -EBUSY);
	stop();
}

/* Host names are not asked of the network, which could take long. */
Test(capture, no_dns)
{
	struct hd_api_capture_start s = { .filter = "host some-name.example" };
	time_t begun = time(NULL);

	hx_port();
	cr_assert_eq(start_with(&s), -EINVAL);
	cr_assert_leq(time(NULL) - begun, 1);
	snprintf(s.filter, sizeof(s.filter), "host localhost");
	cr_assert_eq(start_with(&s), 0, "%s", reply.text);
	stop();
}

/* A file that cannot grow ends the capture, not the data plane. */
Test(capture, write_error_ends_it)
{
	struct hd_api_capture_start s = { 0 };
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	hx_port();
	cr_assert_eq(mini_request(HD_API_CAPTURE_START, &s, sizeof(s), dup(fd), &reply), 0);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	send_one(64);
	hx_turn();
	cr_assert_eq(mini_request(HD_API_CAPTURE_STOP, NULL, 0, -1, &reply), -ENOENT,
		     "ended by itself");
	cr_assert_eq(workers[0]->watch, 0);
}

Test(capture, tshark_reads_it)
{
	char path[] = "/tmp/test_capture.XXXXXX", cmd[256], line[1024];
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), 0);
	struct hd_api_punt h = { .version = HD_API_VERSION, .flags = HD_PUNT_F_ROUTE };
	struct hd_api_capture_start s = { .node = "drop", .filter = "ip6" };
	int fd = mkstemp(path);

	if (system("command -v tshark >/dev/null 2>&1") != 0)
		cr_skip_test("no tshark");
	hx_port();
	cr_assert_eq(mini_request(HD_API_CAPTURE_START, &s, sizeof(s), fd, &reply), 0, "%s",
		     reply.text);
	send_one(0);
	debug_inject(&h, buf + 14, n - 14);
	hx_turn();
	cr_assert_eq(mini_request(HD_API_CAPTURE_STOP, NULL, 0, -1, &reply), 0);
	hx_turn();
	snprintf(
		cmd, sizeof(cmd),
		"tshark -r %s -T fields -e frame.interface_name -e udp.dstport -e frame.comment 2>/dev/null",
		path);
	FILE *f = popen(cmd, "r");
	unsigned lines = 0, ip = 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		cr_expect_neq(strstr(line, "2000\t"), NULL, "%s", line);
		cr_expect_neq(strstr(line, "no-route"), NULL, "%s", line);
		ip += strstr(line, "none/ip\t") != NULL;
		lines++;
	}
	cr_assert_eq(pclose(f), 0, "tshark is content");
	cr_assert_eq(lines, 2);
	cr_assert_eq(ip, 1);
	unlink(path);
}
