/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/tests/fake_dp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctrl/domains.h"
#include "heddle/stats.h"

struct session {
	struct fake_dp *f;
	int fd;
	struct fake_object *staged; /* of the open transaction */
	uint32_t *seq;
	bool *del;
	unsigned n_staged;
	bool open;
	uint64_t epoch;
};

static uint64_t epoch_now = 1;
static bool trickle;

static bool read_all(int fd, void *buf, size_t len, struct fake_dp *f)
{
	uint8_t *p = buf;

	while (len > 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		if (poll(&pfd, 1, 20) == 0) {
			if (f->stop)
				return false;
			continue;
		}
		ssize_t n = read(fd, p, len);
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void send_msg(int fd, uint16_t type, uint32_t seq, const void *body, size_t size, int pass)
{
	uint8_t buf[sizeof(struct hd_api_hdr) + 4096];
	struct hd_api_hdr h = { .length = (uint32_t)(sizeof(h) + size),
				.type = type,
				.version = HD_API_VERSION,
				.seq = seq,
				.flags = HD_API_F_REPLY };
	struct iovec iov = { buf, h.length };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), body, size);
	if (pass >= 0) {
		msg.msg_control = ctl.buf;
		msg.msg_controllen = sizeof(ctl.buf);
		struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &pass, sizeof(int));
	}
	if (trickle)
		iov.iov_len = 1;
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		return; /* the peer has gone: its own business */
	for (uint32_t i = 1; trickle && i < h.length; i++)
		if (send(fd, buf + i, 1, MSG_NOSIGNAL) < 0)
			return;
}

static void reply(struct session *s, uint32_t seq, uint32_t error, uint32_t failed_seq,
		  const char *text)
{
	struct hd_api_reply r = { .error = error, .failed_seq = failed_seq };

	snprintf(r.text, sizeof(r.text), "%s", text);
	send_msg(s->fd, HD_API_REPLY, seq, &r, trickle ? sizeof(r.error) : sizeof(r), -1);
}

static void vec_put(int fd, struct hd_stats_hdr *h, struct hd_stats_vec *v)
{
	v->cell_off = (h->size + 7) & ~7ull;
	v->slice_stride = (uint64_t)v->n_rows * v->n_cols * 8;
	h->size = v->cell_off + v->slice_stride * v->n_slices;
	cr_assert(pwrite(fd, v, sizeof(*v), (off_t)(h->vec_off + h->n_vecs * sizeof(*v))) ==
		  sizeof(*v));
	h->n_vecs++;
}

/* Vector "object-drop" of a slice: SIDs drop for one of two reasons, by their number; each slice in another order.  5
 * packets had no room in either. */
static void drops_put(int fd, const struct hd_stats_vec *v, uint32_t slice, uint32_t verdict_vec,
		      uint32_t sid_vec)
{
	static uint64_t cells[HD_DROP_ROWS][HD_DROP_COLS];

	cells[0][HD_DROP_PACKETS] = 5;
	for (uint32_t i = 1; i <= FAKE_DROPS; i++) {
		uint64_t *row = cells[slice == 0 ? i : HD_DROP_ROWS - i];

		row[HD_DROP_KEY] = hd_drop_key(sid_vec, i, verdict_vec, i % 2);
		row[HD_DROP_PACKETS] = i;
		row[HD_DROP_OCTETS] = 100ull * i;
	}
	cr_assert(pwrite(fd, cells, sizeof(cells),
			 (off_t)(v->cell_off + slice * v->slice_stride)) == sizeof(cells));
	memset(cells, 0, sizeof(cells));
}

/* A statistics segment: "punt" of two reasons, the first hit 7 times, "sid", each row of which holds its number in
 * every slice, a node's verdicts, and the drops of SIDs. */
static int stats_segment(void)
{
	static uint64_t cells[FAKE_SIDS][2];
	struct hd_stats_row rows[4] = { { .name = "arp" },
					{ .name = "icmp6-error" },
					{ .name = "hop-limit", .next = "icmp-error" },
					{ .name = "bad-list", .next = "icmp-error" } };
	struct hd_stats_hdr h = {
		.magic = HD_STATS_MAGIC, .version = HD_STATS_VERSION, .instance = 1, .vec_off = 64
	};
	struct hd_stats_vec punt = { .name = "punt",
				     .kind = HD_STATS_COUNTER,
				     .n_rows = 2,
				     .n_cols = 1,
				     .n_slices = 1,
				     .col = { "packets" } },
			    sid = { .name = "sid",
				    .kind = HD_STATS_COUNTER,
				    .n_rows = FAKE_SIDS,
				    .n_cols = 2,
				    .n_slices = FAKE_SLICES,
				    .col = { "packets", "octets" } },
			    verdict = { .name = "verdict/srv6-endpoint",
					.kind = HD_STATS_VERDICT,
					.n_rows = 2,
					.n_cols = 1,
					.n_slices = 1,
					.col = { "packets" } },
			    drops = { .name = "object-drop",
				      .kind = HD_STATS_DROPS,
				      .n_rows = HD_DROP_ROWS,
				      .n_cols = HD_DROP_COLS,
				      .n_slices = FAKE_SLICES,
				      .col = { "key", "packets", "octets" } };
	uint64_t seven = 7;

	h.size = 64 + sizeof(struct hd_stats_vec) * HD_STATS_VECS_MAX;
	punt.row_info_off = h.size;
	verdict.row_info_off = h.size + 2 * sizeof(rows[0]);
	h.size += sizeof(rows);
	int fd = memfd_create("fake-stats", MFD_CLOEXEC);
	vec_put(fd, &h, &punt);
	vec_put(fd, &h, &sid);
	vec_put(fd, &h, &verdict);
	vec_put(fd, &h, &drops);
	for (unsigned i = 0; i < FAKE_SIDS; i++)
		cells[i][0] = cells[i][1] = i;
	cr_assert(ftruncate(fd, (off_t)h.size) == 0 && pwrite(fd, &h, sizeof(h), 0) == sizeof(h) &&
		  pwrite(fd, rows, sizeof(rows), (off_t)punt.row_info_off) == sizeof(rows) &&
		  pwrite(fd, &seven, 8, (off_t)punt.cell_off) == 8);
	for (unsigned s = 0; s < FAKE_SLICES; s++) {
		cr_assert(pwrite(fd, cells, sizeof(cells),
				 (off_t)(sid.cell_off + s * sid.slice_stride)) == sizeof(cells));
		drops_put(fd, &drops, s, 2, 1);
	}
	return fd;
}

static bool hello(struct session *s, const struct hd_api_hdr *h)
{
	struct hd_api_hello out = { .version = HD_API_VERSION,
				    .pid = (uint32_t)getpid(),
				    .software = "fake-dp" };

	switch (s->f->mode) {
	case FAKE_OTHER_VERSION:
		reply(s, h->seq, EPROTO, 0, "table API version 1 asked, this data plane speaks 99");
		return false;
	case FAKE_NEWER_HELLO:
		out.version = 99;
		break;
	case FAKE_GARBAGE: {
		struct hd_api_hdr bad = { .length = 3 };
		if (write(s->fd, &bad, sizeof(bad)) < 0)
			return false;
		return true;
	}
	default:
		break;
	}
	int fd = stats_segment();
	send_msg(s->fd, HD_API_HELLO, h->seq, &out, sizeof(out), fd);
	close(fd);
	return true;
}

static struct fake_object *find(struct fake_dp *f, uint16_t type, const void *key, size_t key_size)
{
	for (unsigned i = 0; i < f->n_obj; i++)
		if (f->obj[i].type == type && memcmp(f->obj[i].body, key, key_size) == 0)
			return &f->obj[i];
	return NULL;
}

static void commit(struct session *s, uint32_t seq)
{
	struct fake_dp *f = s->f;

	f->n_commits++;
	for (unsigned i = 0; f->mode == FAKE_REFUSES && i < s->n_staged; i++)
		if (s->staged[i].type == f->victim) {
			reply(s, seq, EINVAL, s->seq[i], "the mock says no");
			return;
		}
	for (unsigned i = 0; i < s->n_staged; i++) {
		const struct fake_object *o = &s->staged[i];
		size_t key = domains_kind(o->type)->key_size;
		struct fake_object *have = find(f, o->type, o->body, key);
		if (s->del[i] && have != NULL) {
			*have = f->obj[--f->n_obj];
			f->n_changed++;
		} else if (!s->del[i]) {
			if (have == NULL)
				have = &f->obj[f->n_obj++];
			if (have->size != o->size || memcmp(have->body, o->body, o->size) != 0)
				f->n_changed++;
			*have = *o;
			have->epoch = epoch_now;
		}
	}
	reply(s, seq, 0, 0, "");
}

static void sweep(struct session *s, uint32_t seq)
{
	for (unsigned i = 0; i < s->f->n_obj;) {
		if (s->f->obj[i].epoch >= s->epoch) {
			i++;
			continue;
		}
		s->f->obj[i] = s->f->obj[--s->f->n_obj];
		s->f->n_changed++;
	}
	reply(s, seq, 0, 0, "");
}

static void dump(struct session *s, uint32_t seq, const uint8_t *body)
{
	struct hd_api_dump req;

	memcpy(&req, body, sizeof(req));
	for (unsigned i = 0; i < s->f->n_obj; i++)
		if (s->f->obj[i].type == req.kind)
			send_msg(s->fd, req.kind, seq, s->f->obj[i].body, s->f->obj[i].size, -1);
	reply(s, seq, 0, 0, "");
}

/* False: close the connection. */
static bool handle(struct session *s, const struct hd_api_hdr *h, const uint8_t *body, size_t size)
{
	switch (h->type) {
	case HD_API_HELLO:
		return hello(s, h);
	case HD_API_BEGIN:
		s->n_staged = 0;
		s->open = true;
		return true;
	case HD_API_ABORT:
		s->open = false;
		return true;
	case HD_API_COMMIT:
		commit(s, h->seq);
		s->open = false;
		return true;
	case HD_API_EPOCH_BEGIN:
		s->epoch = ++epoch_now;
		reply(s, h->seq, 0, 0, "");
		return true;
	case HD_API_EPOCH_END:
		sweep(s, h->seq);
		return true;
	case HD_API_DUMP:
		dump(s, h->seq, body);
		return true;
	}
	if (!s->open) {
		reply(s, h->seq, ENOSYS, 0, "the mock does not know this request");
		return true;
	}
	if (s->f->mode == FAKE_DIES && h->type == s->f->victim)
		return false;
	cr_assert(s->n_staged < FAKE_OBJECTS_MAX && size <= sizeof(s->staged[0].body));
	struct fake_object *o = &s->staged[s->n_staged];
	*o = (struct fake_object){ .type = h->type, .size = (uint32_t)size };
	memcpy(o->body, body, size);
	s->seq[s->n_staged] = h->seq;
	s->del[s->n_staged++] = (h->flags & HD_API_F_DEL) != 0;
	return true;
}

static void serve(struct fake_dp *f, int fd)
{
	struct session s = { .f = f, .fd = fd };
	static uint8_t body[HD_API_MSG_MAX];
	struct hd_api_hdr h;
	bool go_on = true;

	s.staged = calloc(FAKE_OBJECTS_MAX, sizeof(*s.staged));
	s.seq = calloc(FAKE_OBJECTS_MAX, sizeof(*s.seq));
	s.del = calloc(FAKE_OBJECTS_MAX, sizeof(*s.del));
	while (go_on && read_all(fd, &h, sizeof(h), f)) {
		cr_assert(h.length >= sizeof(h) && h.length <= HD_API_MSG_MAX);
		if (!read_all(fd, body, h.length - sizeof(h), f))
			break;
		pthread_mutex_lock(&f->lock);
		go_on = handle(&s, &h, body, h.length - sizeof(h));
		pthread_mutex_unlock(&f->lock);
	}
	free(s.staged);
	free(s.seq);
	free(s.del);
	close(fd);
}

static void *run(void *arg)
{
	struct fake_dp *f = arg;

	while (!f->stop) {
		struct pollfd pfd = { .fd = f->listen_fd, .events = POLLIN };
		if (poll(&pfd, 1, 20) <= 0)
			continue;
		int fd = accept(f->listen_fd, NULL, NULL);
		if (fd < 0)
			continue;
		pthread_mutex_lock(&f->lock);
		f->n_connects++;
		pthread_mutex_unlock(&f->lock);
		serve(f, fd);
	}
	return NULL;
}

void fake_dp_start(struct fake_dp *f)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "/tmp/heddle-fake-%d.sock", getpid());
	unlink(f->path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", f->path);
	f->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert(bind(f->listen_fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		  listen(f->listen_fd, 4) == 0);
	pthread_mutex_init(&f->lock, NULL);
	cr_assert(pthread_create(&f->thread, NULL, run, f) == 0);
}

void fake_dp_stop(struct fake_dp *f)
{
	f->stop = true;
	pthread_join(f->thread, NULL);
	close(f->listen_fd);
	unlink(f->path);
}

void fake_dp_mode(struct fake_dp *f, enum fake_mode mode, uint16_t victim)
{
	pthread_mutex_lock(&f->lock);
	f->mode = mode;
	trickle = mode == FAKE_TRICKLES;
	f->victim = victim;
	pthread_mutex_unlock(&f->lock);
}

unsigned fake_dp_count(struct fake_dp *f, uint16_t type)
{
	unsigned n = 0;

	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < f->n_obj; i++)
		n += type == 0 || f->obj[i].type == type;
	pthread_mutex_unlock(&f->lock);
	return n;
}
