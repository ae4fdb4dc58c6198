/* SPDX-License-Identifier: BSD-3-Clause
 * Table API server: non-blocking connections in one epoll set, nested in the control loop's.
 * A message is looked at only when it is whole; lengths are checked before anything is read.  Output a slow client
 * does not take is buffered up to OUT_MAX, then the client is dropped: it reconnects and reconciles. */
#include "dataplane/api_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "dataplane/crash.h"
#include "dataplane/debug_api.h"
#include "dataplane/dp_limits.h"
#include "dataplane/log.h"
#include "dataplane/meta.h"
#include "dataplane/objects.h"
#include "dataplane/stats.h"

#include "heddle/api/debug.h"

#define CLIENTS_MAX    16u
#define IN_SIZE        (4u * HD_API_MSG_MAX)
#define OUT_MAX        (64u << 20)
#define OUT_EVENTS_MAX (1u << 20) /* events are not queued beyond this */
#define FDS_MAX        4u

struct client {
	int fd;
	bool greeted, closing;
	uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_off, out_len, out_room;
	struct object_txn *txn;
	uint64_t epoch;   /* open epoch, or 0 */
	int fds[FDS_MAX]; /* descriptors received, oldest first, not yet used */
	unsigned n_fds;
};

static int epoll_fd = -1, listen_fd = -1, punt_listen_fd = -1, punt_fd = -1;
static struct client clients[CLIENTS_MAX];
static char sock_path[108], punt_path[108], software[64];
static uint64_t epoch_now = 1; /* epoch of messages outside any reconcile; grows */

/* ---- output ---------------------------------------------------------------------------------------------- */

static void client_close(struct client *c)
{
	if (c->fd < 0)
		return;
	object_txn_abort(c->txn); /* a peer that goes in mid-batch leaves nothing behind */
	for (unsigned i = 0; i < c->n_fds; i++)
		close(c->fds[i]);
	close(c->fd);
	free(c->in);
	free(c->out);
	*c = (struct client){ .fd = -1 };
}

static void client_watch(struct client *c, bool want_out)
{
	struct epoll_event ev = { .events = EPOLLIN | (want_out ? EPOLLOUT : 0), .data.ptr = c };

	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
}

static void client_flush(struct client *c)
{
	while (c->out_off < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_off, c->out_len - c->out_off,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			client_watch(c, true);
			return;
		}
		if (n <= 0) {
			c->closing = true;
			return;
		}
		c->out_off += (size_t)n;
	}
	c->out_off = c->out_len = 0;
	client_watch(c, false);
}

static void client_send(struct client *c, uint16_t type, uint32_t seq, uint32_t flags,
			const void *body, size_t size)
{
	struct hd_api_hdr h = { .length = (uint32_t)(sizeof(h) + size),
				.type = type,
				.version = HD_API_VERSION,
				.seq = seq,
				.flags = flags };
	size_t need = c->out_len + h.length;

	if (c->closing)
		return;
	if (need > OUT_MAX) {
		log_warn("api: a client does not read its replies; it is disconnected");
		c->closing = true;
		return;
	}
	if (need > c->out_room) {
		size_t room = c->out_room == 0 ? 4096 : c->out_room;

		while (room < need)
			room *= 2;
		uint8_t *p = realloc(c->out, room);
		if (p == NULL) {
			c->closing = true;
			return;
		}
		c->out = p;
		c->out_room = room;
	}
	memcpy(c->out + c->out_len, &h, sizeof(h));
	if (size != 0)
		memcpy(c->out + c->out_len + sizeof(h), body, size);
	c->out_len = need;
}

static void client_reply(struct client *c, uint32_t seq, const struct hd_api_reply *r)
{
	client_send(c, HD_API_REPLY, seq, HD_API_F_REPLY, r, sizeof(*r));
}

static void client_error(struct client *c, uint32_t seq, int error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void client_error(struct client *c, uint32_t seq, int error, const char *fmt, ...)
{
	struct hd_api_reply r = { .error = (uint32_t)error };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.text, sizeof(r.text), fmt, ap);
	va_end(ap);
	client_reply(c, seq, &r);
}

/* ---- requests -------------------------------------------------------------------------------------------- */

/* The HELLO reply carries the statistics segment, so it goes out by itself, ahead of the buffer. */
static void handle_hello(struct client *c, uint32_t seq, const void *body, size_t size)
{
	struct hd_api_hello in = { 0 },
			    out = { .version = HD_API_VERSION, .pid = (uint32_t)getpid() };

	memcpy(&in, body, size < sizeof(in) ? size : sizeof(in));
	if (in.version != HD_API_VERSION) {
		client_error(c, seq, EPROTO,
			     "table API version %u asked, this data plane speaks %u", in.version,
			     HD_API_VERSION);
		client_flush(c);
		c->closing = true;
		return;
	}
	out.instance = stats_hdr()->instance;
	snprintf(out.software, sizeof(out.software), "%s", software);
	out.max_ifaces = dp_limits.ifaces;
	out.max_vrfs = dp_limits.vrfs;
	out.max_nexthops = dp_limits.nexthops;
	out.max_nhgroups = dp_limits.nhgroups;
	out.max_routes4 = dp_limits.routes4;
	out.max_routes6 = dp_limits.routes6;
	out.max_neighs = dp_limits.neighs;
	out.max_sids = dp_limits.sids;
	out.max_policies = dp_limits.policies;
	out.max_seglists = dp_limits.seglists;
	out.n_workers = dp_limits.workers;
	out.n_objects = objects_count(0);

	struct hd_api_hdr h = { .length = sizeof(h) + sizeof(out),
				.type = HD_API_HELLO,
				.version = HD_API_VERSION,
				.seq = seq,
				.flags = HD_API_F_REPLY };
	struct iovec iov[2] = { { &h, sizeof(h) }, { &out, sizeof(out) } };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl = { 0 };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = ctl.buf,
			      .msg_controllen = sizeof(ctl.buf) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
	int fd = stats_fd();

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	/* The first message on a fresh socket: its buffer has room for 144 octets. */
	if (c->greeted || c->out_len != 0 ||
	    sendmsg(c->fd, &msg, MSG_NOSIGNAL) != (ssize_t)h.length) {
		c->closing = true;
		return;
	}
	c->greeted = true;
}

static void handle_commit(struct client *c, uint32_t seq)
{
	struct hd_api_reply r;

	if (c->txn == NULL) {
		client_error(c, seq, EPROTO, "COMMIT without BEGIN");
		return;
	}
	object_txn_commit(c->txn, &r);
	c->txn = NULL;
	crash_txn_note("commit seq %u: %u set, %u unchanged, %u deleted, error %u", seq, r.n_set,
		       r.n_unchanged, r.n_del, r.error);
	if (r.error != 0)
		log_info("api: transaction refused: %s", r.text);
	client_reply(c, seq, &r);
}

struct dump_ctx {
	struct client *c;
	uint32_t seq, left;
};

static int dump_one(uint16_t type, const void *msg, size_t size, void *arg)
{
	struct dump_ctx *d = arg;

	client_send(d->c, type, d->seq, HD_API_F_REPLY, msg, size);
	return --d->left == 0;
}

static void handle_dump(struct client *c, uint32_t seq, const void *body, size_t size)
{
	struct hd_api_dump req = { 0 };
	struct hd_api_reply r = { 0 };

	memcpy(&req, body, size < sizeof(req) ? size : sizeof(req));
	struct dump_ctx d = { c, seq, req.max == 0 ? UINT32_MAX : req.max };
	if (objects_walk(req.kind, dump_one, &d) < 0) {
		client_error(c, seq, ENOENT, "object kind 0x%03x is not known to this data plane",
			     req.kind);
		return;
	}
	client_reply(c, seq, &r);
}

struct debug_ctx {
	struct client *c;
	uint32_t seq;
};

static void debug_send(void *arg, uint16_t type, const void *body, size_t size)
{
	struct debug_ctx *d = arg;

	client_send(d->c, type, d->seq, HD_API_F_REPLY, body, size);
}

static void handle_debug(struct client *c, const struct hd_api_hdr *h, const void *body,
			 size_t size)
{
	struct debug_ctx d = { c, h->seq };
	struct hd_api_reply r = { 0 };
	int fd = -1;

	if (h->type == HD_API_CAPTURE_START && c->n_fds != 0) {
		fd = c->fds[0];
		memmove(&c->fds[0], &c->fds[1], --c->n_fds * sizeof(c->fds[0]));
	}
	int rc = debug_request(h->type, body, size, fd, debug_send, &d, &r);
	if (rc < 0 && r.error == 0) {
		r.error = (uint32_t)-rc;
		if (r.text[0] == '\0')
			snprintf(r.text, sizeof(r.text), "%s", strerror(-rc));
	}
	client_reply(c, h->seq, &r);
}

static void handle(struct client *c, const struct hd_api_hdr *h, const uint8_t *body, size_t size)
{
	struct hd_api_reply r = { 0 };

	if (h->version != HD_API_VERSION) {
		client_error(c, h->seq, EPROTO,
			     "table API version %u asked, this data plane speaks %u", h->version,
			     HD_API_VERSION);
		client_flush(c);
		c->closing = true;
		return;
	}
	if (h->type != HD_API_HELLO && !c->greeted) {
		client_error(c, h->seq, EPROTO, "the first message must be HELLO");
		client_flush(c);
		c->closing = true;
		return;
	}
	switch (h->type) {
	case HD_API_HELLO:
		handle_hello(c, h->seq, body, size);
		return;
	case HD_API_BEGIN:
		object_txn_abort(c->txn);
		c->txn = object_txn_begin();
		return;
	case HD_API_COMMIT:
		handle_commit(c, h->seq);
		return;
	case HD_API_ABORT:
		object_txn_abort(c->txn);
		c->txn = NULL;
		return;
	case HD_API_EPOCH_BEGIN:
		c->epoch = ++epoch_now;
		client_reply(c, h->seq, &r);
		return;
	case HD_API_EPOCH_END:
		if (c->epoch == 0) {
			client_error(c, h->seq, EPROTO, "EPOCH_END without EPOCH_BEGIN");
			return;
		}
		objects_sweep(c->epoch, &r);
		crash_txn_note("epoch end: %u deleted, error %u", r.n_del, r.error);
		log_info("api: reconciled, %u objects swept", r.n_del);
		c->epoch = 0;
		client_reply(c, h->seq, &r);
		return;
	case HD_API_DUMP:
		handle_dump(c, h->seq, body, size);
		return;
	}
	if (h->type >= 0xf00) {
		handle_debug(c, h, body, size);
		return;
	}
	if (h->type < 0x100 || c->txn == NULL) {
		client_error(c, h->seq, EPROTO, "message type 0x%03x %s", h->type,
			     h->type < 0x100 ? "is not a request" :
					       "outside a transaction (BEGIN first)");
		return;
	}
	object_txn_add(c->txn, h->type, h->seq, (h->flags & HD_API_F_DEL) != 0, body, size,
		       epoch_now);
}

/* ---- input ----------------------------------------------------------------------------------------------- */

/* Read what is there; keep descriptors that came along.  False: the client is gone. */
static bool client_read(struct client *c)
{
	struct iovec iov = { c->in + c->in_len, IN_SIZE - c->in_len };
	union {
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} ctl;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = ctl.buf,
			      .msg_controllen = sizeof(ctl.buf) };
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&msg); cm != NULL; cm = CMSG_NXTHDR(&msg, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
			if (c->n_fds < FDS_MAX)
				c->fds[c->n_fds++] = fd;
			else
				close(fd);
		}
	}
	c->in_len += (size_t)n;
	return n != 0;
}

static void client_parse(struct client *c)
{
	size_t off = 0;

	while (!c->closing && c->in_len - off >= sizeof(struct hd_api_hdr)) {
		struct hd_api_hdr h;

		memcpy(&h, c->in + off, sizeof(h));
		if (h.length < sizeof(h) || h.length > HD_API_MSG_MAX) {
			client_error(c, h.seq, EMSGSIZE,
				     "message length %u is not between %zu and %u", h.length,
				     sizeof(h), HD_API_MSG_MAX);
			client_flush(c);
			c->closing = true;
			return;
		}
		if (c->in_len - off < h.length)
			break;
		handle(c, &h, c->in + off + sizeof(h), h.length - sizeof(h));
		off += h.length;
	}
	memmove(c->in, c->in + off, c->in_len - off);
	c->in_len -= off;
}

static void client_accept(void)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c = NULL;

	if (fd < 0)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX && c == NULL; i++)
		if (clients[i].fd < 0)
			c = &clients[i];
	uint8_t *in = c == NULL ? NULL : malloc(IN_SIZE);
	if (in == NULL) {
		log_warn("api: connection refused: %u clients are connected already", CLIENTS_MAX);
		close(fd);
		return;
	}
	*c = (struct client){ .fd = fd, .in = in };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

/* ---- punt socket ----------------------------------------------------------------------------------------- */

static void punt_accept(void)
{
	int fd = accept4(punt_listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int room = 4 << 20;

	if (fd < 0)
		return;
	if (punt_fd >= 0)
		close(punt_fd); /* the newest control process is the one alive */
	punt_fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &punt_fd };
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

void api_server_punt(struct rte_mbuf *m, void *arg)
{
	struct hd_meta *mt = meta(m);
	struct timespec now;

	(void)arg;
	if (punt_fd >= 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		struct hd_api_punt h = { .version = HD_API_VERSION,
					 .reason = mt->punt,
					 .iface_id = mt->iface,
					 .vrf_id = mt->vrf,
					 .l3_off = mt->l2_len,
					 .time_ns = (uint64_t)now.tv_sec * 1000000000ull +
						    (uint64_t)now.tv_nsec };
		struct iovec iov[2] = { { &h, sizeof(h) },
					{ rte_pktmbuf_mtod_offset(m, char *, -(int)mt->l2_len),
					  m->data_len + mt->l2_len } };
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

		sendmsg(punt_fd, &msg,
			MSG_NOSIGNAL |
				MSG_DONTWAIT); /* a full socket loses the packet, as a wire would */
	}
	rte_pktmbuf_free(m);
}

/* The control process sends packets the same way back. */
static void punt_read(void)
{
	uint8_t buf[sizeof(struct hd_api_punt) + 9728];
	struct hd_api_punt h;

	for (unsigned i = 0; i < 64; i++) {
		ssize_t n = recv(punt_fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close(punt_fd);
			punt_fd = -1;
			return;
		}
		if ((size_t)n < sizeof(h))
			continue;
		memcpy(&h, buf, sizeof(h));
		debug_inject(&h, buf + sizeof(h), (size_t)n - sizeof(h));
	}
}

/* ---- set-up and loop ------------------------------------------------------------------------------------- */

static int unix_listen(const char *path, int type, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, rc;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0) {
		rc = -EADDRINUSE;
		goto close_fd;
	}
	close(fd);
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	mode_t mask = umask(0117);
	rc = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	umask(mask);
	if (rc < 0)
		goto close_fd;
	if (listen(fd, 8) < 0) {
		rc = -errno;
		goto close_fd;
	}
	*ret_fd = fd;
	return 0;
close_fd:
	close(fd);
	return rc;
}

int api_server_init(const char *path, const char *ppath, const char *sw)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int rc;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		clients[i].fd = -1;
	snprintf(software, sizeof(software), "%s", sw);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		return -errno;
	rc = unix_listen(path, SOCK_STREAM, &listen_fd);
	if (rc < 0)
		goto fail;
	snprintf(sock_path, sizeof(sock_path), "%s", path);
	rc = unix_listen(ppath, SOCK_SEQPACKET, &punt_listen_fd);
	if (rc < 0)
		goto fail;
	snprintf(punt_path, sizeof(punt_path), "%s", ppath);
	ev.data.ptr = &listen_fd;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &ev);
	ev.data.ptr = &punt_listen_fd;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, punt_listen_fd, &ev);
	return 0;
fail:
	api_server_fini();
	return rc;
}

void api_server_fini(void)
{
	int *fds[] = { &listen_fd, &punt_listen_fd, &punt_fd, &epoll_fd };

	if (epoll_fd >= 0)
		for (unsigned i = 0; i < CLIENTS_MAX; i++)
			client_close(&clients[i]);
	for (unsigned i = 0; i < 4; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	if (sock_path[0] != '\0')
		unlink(sock_path);
	if (punt_path[0] != '\0')
		unlink(punt_path);
	sock_path[0] = punt_path[0] = '\0';
}

int api_server_epoll_fd(void)
{
	return epoll_fd;
}

static void client_serve(struct client *c, uint32_t events)
{
	if (c->fd < 0)
		return;
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !client_read(c))
		c->closing = true;
	else
		client_parse(c);
	if (c->out_len != 0 && !c->closing)
		client_flush(c);
	if (c->closing)
		client_close(c);
}

void api_server_poll(void)
{
	struct epoll_event ev[16];
	int n = epoll_wait(epoll_fd, ev, 16, 0);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == &listen_fd)
			client_accept();
		else if (ev[i].data.ptr == &punt_listen_fd)
			punt_accept();
		else if (ev[i].data.ptr == &punt_fd)
			punt_read();
		else
			client_serve(ev[i].data.ptr, ev[i].events);
	}
}

void api_server_event(const struct hd_api_event *event)
{
	struct hd_api_event ev = *event;
	struct timespec now;

	if (epoll_fd < 0)
		return;
	if (ev.time_ns == 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		ev.time_ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &clients[i];

		if (c->fd < 0 || !c->greeted || c->closing || c->out_len > OUT_EVENTS_MAX)
			continue;
		client_send(c, HD_API_EVENT, 0, 0, &ev, sizeof(ev));
		client_flush(c); /* an error is seen by the next poll */
	}
}
