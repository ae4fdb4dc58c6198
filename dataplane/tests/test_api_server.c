/* SPDX-License-Identifier: BSD-3-Clause
 * The table API over its socket: greeting, transactions, reconcile, and everything a hostile or dying peer does. */
#include <criterion/criterion.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "dataplane/tests/api_bed.h"

static int fd = -1;
static uint32_t seq;

static void put_raw(const void *p, size_t n)
{
	cr_assert_eq(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
	api_server_poll();
}

static void put_version(uint16_t type, uint16_t version, uint32_t flags, const void *body,
			size_t size)
{
	uint8_t buf[2048];
	struct hd_api_hdr h = { (uint32_t)(sizeof(h) + size), type, version, ++seq, flags };

	memcpy(buf, &h, sizeof(h));
	if (size != 0)
		memcpy(buf + sizeof(h), body, size);
	put_raw(buf, sizeof(h) + size);
}
static void put(uint16_t type, uint32_t flags, const void *body, size_t size)
{
	put_version(type, HD_API_VERSION, flags, body, size);
}

/* Next message from the server; false: none there, or the connection is closed. */
static bool get(struct hd_api_hdr *h, void *body, size_t room)
{
	uint8_t rest[65536];

	if (recv(fd, h, sizeof(*h), MSG_WAITALL) != sizeof(*h))
		return false;
	size_t n = h->length - sizeof(*h);
	cr_assert_eq(recv(fd, rest, n, MSG_WAITALL), (ssize_t)n);
	memcpy(body, rest, n < room ? n : room);
	return true;
}

static struct hd_api_reply reply(void)
{
	struct hd_api_hdr h;
	struct hd_api_reply r = { 0 };

	cr_assert(get(&h, &r, sizeof(r)), "no reply");
	cr_assert_eq(h.type, HD_API_REPLY);
	cr_assert_eq(h.length, sizeof(h) + sizeof(r));
	return r;
}

static bool closed(void)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK) == 0;
}

static void hello(void)
{
	struct hd_api_hello in = { .version = HD_API_VERSION }, out;
	struct hd_api_hdr h;

	put(HD_API_HELLO, 0, &in, sizeof(in));
	cr_assert(get(&h, &out, sizeof(out)));
	cr_assert_eq(h.type, HD_API_HELLO);
	cr_assert_str_eq(out.software, "bed 1.0");
}

static void setup(void)
{
	cr_assert_eq(bed_start(), 0);
	fd = bed_connect(bed_path, SOCK_STREAM);
	cr_assert_geq(fd, 0);
	seq = 0;
}
static void teardown(void)
{
	close(fd);
	bed_stop();
}
TestSuite(api_server, .init = setup, .fini = teardown);

static struct hd_api_vrf vrf(uint32_t id)
{
	return (struct hd_api_vrf){ .vrf_id = id, .name = "v" };
}
static struct hd_api_route route(uint32_t in_vrf, uint8_t octet, uint8_t plen)
{
	return (struct hd_api_route){ .vrf_id = in_vrf,
				      .family = 4,
				      .plen = plen,
				      .prefix = { 10, octet },
				      .target = HD_TARGET_BLACKHOLE };
}
#define PUT_VRF(id) put(HD_API_VRF, 0, &(struct hd_api_vrf[]){ vrf(id) }, sizeof(struct hd_api_vrf))
#define PUT_ROUTE(v, o, l)                                               \
	put(HD_API_ROUTE, 0, &(struct hd_api_route[]){ route(v, o, l) }, \
	    sizeof(struct hd_api_route))

Test(api_server, hello_hands_out_the_statistics_segment_read_only)
{
	struct hd_api_hello in = { .version = HD_API_VERSION }, out;
	struct hd_api_hdr h = { sizeof(h) + sizeof(in), HD_API_HELLO, HD_API_VERSION, 1, 0 };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl;
	struct iovec iov[2] = { { &h, sizeof(h) }, { &out, sizeof(out) } };
	struct msghdr m = { .msg_iov = iov,
			    .msg_iovlen = 2,
			    .msg_control = ctl.buf,
			    .msg_controllen = sizeof(ctl.buf) };
	int sfd;

	put(HD_API_HELLO, 0, &in, sizeof(in));
	cr_assert_eq(recvmsg(fd, &m, 0), (ssize_t)(sizeof(h) + sizeof(out)));
	cr_assert_not_null(CMSG_FIRSTHDR(&m));
	memcpy(&sfd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(sfd));
	const struct hd_stats_hdr *s = mmap(NULL, 4096, PROT_READ, MAP_SHARED, sfd, 0);
	cr_assert_neq(s, MAP_FAILED);
	cr_assert_eq(s->magic, HD_STATS_MAGIC);
	cr_assert_eq(s->instance, out.instance);
	cr_assert_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, sfd, 0), MAP_FAILED,
		     "a reader must not be able to write the counters");
}

Test(api_server, other_version_is_refused_with_both_versions)
{
	struct hd_api_hello in = { .version = 77 };

	put(HD_API_HELLO, 0, &in, sizeof(in));
	struct hd_api_reply r = reply();
	cr_assert_eq(r.error, EPROTO);
	cr_assert_str_eq(r.text, "table API version 77 asked, this data plane speaks 1");
	cr_assert(closed());
}

Test(api_server, header_of_another_version_is_refused)
{
	struct hd_api_hello in = { .version = HD_API_VERSION };

	put_version(HD_API_HELLO, 9, 0, &in, sizeof(in));
	cr_assert_eq(reply().error, EPROTO);
	cr_assert(closed());
}

Test(api_server, first_message_must_be_hello)
{
	put(HD_API_BEGIN, 0, NULL, 0);
	cr_assert_eq(reply().error, EPROTO);
	cr_assert(closed());
}

Test(api_server, transaction_and_dump)
{
	struct hd_api_dump d = { .kind = HD_API_ROUTE };
	struct hd_api_hdr h;
	struct hd_api_route got;
	struct hd_api_reply r;

	hello();
	put(HD_API_BEGIN, 0, NULL, 0);
	PUT_ROUTE(3, 1, 24);
	PUT_VRF(3);
	put(HD_API_COMMIT, 0, NULL, 0);
	r = reply();
	cr_assert_eq(r.error, 0, "%s", r.text);
	cr_assert_eq(r.n_set, 2);
	put(HD_API_DUMP, 0, &d, sizeof(d));
	cr_assert(get(&h, &got, sizeof(got)));
	cr_assert_eq(h.type, HD_API_ROUTE);
	struct hd_api_route want = route(3, 1, 24);
	cr_assert_arr_eq(&got, &want, sizeof(want));
	cr_assert_eq(reply().error, 0);
}

Test(api_server, error_in_mid_batch_changes_nothing)
{
	hello();
	put(HD_API_BEGIN, 0, NULL, 0);
	PUT_ROUTE(0, 1, 24);
	PUT_ROUTE(0, 2, 200);
	uint32_t bad = seq;
	PUT_ROUTE(0, 3, 24);
	put(HD_API_COMMIT, 0, NULL, 0);
	struct hd_api_reply r = reply();
	cr_assert_eq(r.error, EINVAL);
	cr_assert_eq(r.failed_seq, bad);
	cr_assert_eq(r.failed_type, HD_API_ROUTE);
	cr_assert_str_eq(r.text, "prefix length 200");
	cr_assert_eq(objects_count(0), 0);
	cr_assert(!closed());
}

Test(api_server, peer_gone_in_mid_batch_leaves_nothing)
{
	hello();
	put(HD_API_BEGIN, 0, NULL, 0);
	PUT_ROUTE(0, 1, 24);
	close(fd);
	api_server_poll();
	cr_assert_eq(objects_count(0), 0);
	fd = bed_connect(bed_path, SOCK_STREAM);
	hello();
	put(HD_API_COMMIT, 0, NULL, 0);
	cr_assert_eq(reply().error, EPROTO, "a transaction belongs to its connection");
}

Test(api_server, message_cut_anywhere_waits_for_the_rest)
{
	uint8_t buf[sizeof(struct hd_api_hdr) + sizeof(struct hd_api_route)];
	struct hd_api_route rt = route(0, 7, 16);
	struct hd_api_hdr h = { sizeof(buf), HD_API_ROUTE, HD_API_VERSION, 5, 0 };

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), &rt, sizeof(rt));
	hello();
	for (size_t cut = 0; cut <= sizeof(buf); cut++) {
		put(HD_API_BEGIN, 0, NULL, 0);
		if (cut != 0)
			put_raw(buf, cut);
		if (cut != sizeof(buf))
			put_raw(buf + cut, sizeof(buf) - cut);
		put(HD_API_COMMIT, 0, NULL, 0);
		struct hd_api_reply r = reply();
		cr_assert_eq(r.error, 0);
		cr_assert_eq(r.n_set + r.n_unchanged, 1, "cut at %zu", cut);
	}
}

Test(api_server, hostile_lengths_end_the_connection)
{
	static const uint32_t lengths[] = { 0, 1, 15, HD_API_MSG_MAX + 1, UINT32_MAX };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct hd_api_hdr h = { lengths[i], HD_API_BEGIN, HD_API_VERSION, 1, 0 };

		hello();
		put_raw(&h, sizeof(h));
		cr_assert_eq(reply().error, EMSGSIZE, "length %u", lengths[i]);
		cr_assert(closed());
		close(fd);
		fd = bed_connect(bed_path, SOCK_STREAM);
	}
}

Test(api_server, object_outside_a_transaction_and_unknown_request)
{
	hello();
	PUT_ROUTE(0, 1, 24);
	cr_assert_eq(reply().error, EPROTO);
	put(0x0fe, 0, NULL, 0);
	cr_assert_eq(reply().error, EPROTO);
	put(0xfee, 0, NULL, 0);
	cr_assert_eq(reply().error, ENOENT);
	cr_assert(!closed());
}

Test(api_server, epoch_sweeps_what_was_not_replayed)
{
	hello();
	put(HD_API_BEGIN, 0, NULL, 0);
	PUT_ROUTE(0, 1, 24);
	PUT_ROUTE(0, 2, 24);
	put(HD_API_COMMIT, 0, NULL, 0);
	cr_assert_eq(reply().error, 0);

	put(HD_API_EPOCH_END, 0, NULL, 0);
	cr_assert_eq(reply().error, EPROTO);

	put(HD_API_EPOCH_BEGIN, 0, NULL, 0);
	cr_assert_eq(reply().error, 0);
	put(HD_API_BEGIN, 0, NULL, 0);
	PUT_ROUTE(0, 2, 24);
	put(HD_API_COMMIT, 0, NULL, 0);
	cr_assert_eq(reply().n_unchanged, 1);
	put(HD_API_EPOCH_END, 0, NULL, 0);
	cr_assert_eq(reply().n_del, 1);
	cr_assert_eq(objects_count(0), 1);
}

Test(api_server, a_slow_reader_of_dumps_loses_nothing)
{
	struct hd_api_dump d = { .kind = HD_API_ROUTE };
	struct hd_api_hdr h;
	struct hd_api_route r;
	unsigned n = 0;

	hello();
	put(HD_API_BEGIN, 0, NULL, 0);
	for (unsigned i = 0; i < 20000; i++) {
		struct hd_api_route rt = route(0, (uint8_t)i, 32);
		rt.prefix[2] = (uint8_t)(i >> 8);
		put(HD_API_ROUTE, 0, &rt, sizeof(rt));
	}
	put(HD_API_COMMIT, 0, NULL, 0);
	cr_assert_eq(reply().n_set, 20000);
	put(HD_API_DUMP, 0, &d, sizeof(d));
	for (;;) {
		api_server_poll();
		cr_assert(get(&h, &r, sizeof(r)), "lost after %u", n);
		if (h.type == HD_API_REPLY)
			break;
		n++;
	}
	cr_assert_eq(n, 20000);
}

Test(api_server, socket_in_use_is_not_taken_over)
{
	cr_assert_eq(api_server_init(bed_path, "/tmp/unused", "x"), -EADDRINUSE);
}

Test(api_server, socket_is_not_for_everybody)
{
	struct stat st;

	cr_assert_eq(stat(bed_path, &st), 0);
	cr_assert_eq(st.st_mode & 07, 0);
}

Test(api_server, punt_socket_takes_packets_and_survives_short_ones)
{
	int p = bed_connect(bed_punt_path, SOCK_SEQPACKET);
	uint8_t buf[sizeof(struct hd_api_punt) + 60] = { HD_API_VERSION };

	cr_assert_geq(p, 0);
	for (size_t n = 1; n <= sizeof(buf); n++)
		cr_assert_eq(send(p, buf, n, MSG_NOSIGNAL), (ssize_t)n);
	for (int i = 0; i < 4; i++)
		api_server_poll();
	cr_assert_eq(bed_injected, 61);
	close(p);
	api_server_poll();
}
