/* SPDX-License-Identifier: BSD-3-Clause
 * The rtnetlink socket: one for changes and for dumps, so that what the kernel tells comes in the order in which it
 * happened.  Dumps run one after the other.  When the kernel had more to say than the buffer holds (ENOBUFS), all is
 * read again; what was read before stays in force until the new reading is complete. */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/kernel/kernel_private.h"
#include "ctrl/log.h"

#define READ_MAX 32u    /* datagrams in one turn of the loop */
#define SOON_MS  50u    /* changes that come together are read together */
#define STUCK_MS 10000u /* a dump without a word for so long is given up */

struct nlsock {
	struct mirror *m;
	int fd;
	uv_poll_t *poll;
	uv_timer_t *timer;
	uint32_t seq, dump_seq; /* dump_seq 0: no dump runs */
	uint32_t dump_gen;
	enum kclass dump_class;
	bool interrupted; /* NLM_F_DUMP_INTR: the tables changed meanwhile */
	/* After ENOBUFS the kernel throws away in silence whatever comes until the socket has been read empty
	 * (NETLINK_S_CONGESTED), and a dump keeps it from being empty: no dump begins before that. */
	bool congested;
	unsigned due, later; /* enum kclass: to be dumped; so after a moment */
	unsigned read;       /* classes that were read at least once */
	uint64_t heard_ms, soon_ms;
	uint8_t buf[65536];
};

static void dump_next(struct nlsock *s);

/* --- sending --------------------------------------------------------------------------------- */

static int nl_send(struct nlsock *s, struct nlmsghdr *h)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };

	if (++s->seq == 0)
		s->seq = 1;
	h->nlmsg_seq = s->seq;
	return sendto(s->fd, h, h->nlmsg_len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) <
			       0 ?
		       -errno :
		       0;
}

static void dump_start(struct nlsock *s, enum kclass class)
{
	static const struct {
		enum kclass class;
		uint16_t type;
		uint8_t family;
	} what[] = {
		{ K_LINK, RTM_GETLINK, AF_UNSPEC },   { K_ADDR, RTM_GETADDR, AF_UNSPEC },
		{ K_NEIGH, RTM_GETNEIGH, AF_UNSPEC }, { K_NEXTHOP, RTM_GETNEXTHOP, AF_UNSPEC },
		{ K_ROUTE4, RTM_GETROUTE, AF_INET },  { K_ROUTE6, RTM_GETROUTE, AF_INET6 },
	};
	uint8_t buf[256] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		if (what[i].class == class) {
			h->nlmsg_type = what[i].type;
			h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
			/* every one of these begins with the family; rtmsg is as long as any but ifinfomsg */
			uint8_t *fixed = mnl_nlmsg_put_extra_header(
				h, class == K_LINK    ? sizeof(struct ifinfomsg) :
				   class == K_ADDR    ? sizeof(struct ifaddrmsg) :
				   class == K_NEIGH   ? sizeof(struct ndmsg) :
				   class == K_NEXTHOP ? 8 :
							sizeof(struct rtmsg));
			fixed[0] = what[i].family;
		}
	s->dump_class = class;
	s->dump_gen = ++s->m->gen;
	s->interrupted = false;
	s->heard_ms = uv_now(s->m->c->loop);
	if (nl_send(s, h) < 0)
		return; /* the timer tries again */
	s->dump_seq = s->seq;
	s->due &= ~(unsigned)class;
	s->m->count.dumps++;
}

static void dump_next(struct nlsock *s)
{
	for (unsigned class = 1; !s->congested && s->dump_seq == 0 && class <= K_ROUTE6;
	     class <<= 1)
		if ((s->due & class) != 0)
			dump_start(s, (enum kclass) class);
}

void nlsock_dump(struct nlsock *s, unsigned classes)
{
	s->due |= classes;
	dump_next(s);
}

void nlsock_soon(struct nlsock *s, unsigned classes)
{
	if (s->later == 0)
		s->soon_ms = uv_now(s->m->c->loop) + SOON_MS;
	s->later |= classes;
}

bool nlsock_synced(const struct nlsock *s)
{
	return s->read == K_ALL && s->due == 0 && s->later == 0 && s->dump_seq == 0;
}

/* NTF_USE: as if a packet had been sent there. */
void nlsock_resolve(struct nlsock *s, uint32_t index, uint8_t family, const uint8_t *addr)
{
	uint8_t buf[256] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = RTM_NEWNEIGH;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	struct ndmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));
	n->ndm_family = family;
	n->ndm_ifindex = (int)index;
	n->ndm_state = NUD_NONE;
	n->ndm_flags = NTF_USE;
	mnl_attr_put(h, NDA_DST, family == AF_INET ? 4 : 16, addr);
	nl_send(s, h); /* a full socket: the data plane asks again */
}

/* --- receiving ------------------------------------------------------------------------------- */

static void dump_done(struct nlsock *s, int error)
{
	s->dump_seq = 0;
	if (error != 0 &&
	    error != -EOPNOTSUPP) { /* -EOPNOTSUPP: a kernel without next-hop objects */
		s->later |= s->dump_class;
		s->soon_ms = uv_now(s->m->c->loop) + 10 * SOON_MS;
		return;
	}
	if (s->interrupted) {
		s->due |= s->dump_class;
	} else {
		model_sweep(s->m, s->dump_class, s->dump_gen);
		s->read |= s->dump_class;
	}
	dump_next(s);
	if (nlsock_synced(s))
		mirror_pump(s->m);
}

static void handle(struct nlsock *s, const struct nlmsghdr *h)
{
	bool dump = s->dump_seq != 0 && h->nlmsg_seq == s->dump_seq;
	int error = 0;

	s->heard_ms = uv_now(s->m->c->loop);
	if (dump && (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		s->interrupted = true;
	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
		if (h->nlmsg_len >= NLMSG_HDRLEN + sizeof(error))
			memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
		if (dump)
			dump_done(s, error);
		return;
	}
	if (h->nlmsg_type >= NLMSG_MIN_TYPE)
		model_message(s->m, h, dump);
}

static void overrun(struct nlsock *s)
{
	if (s->m->count.overruns++ == 0)
		log_warning("kernel: it had more to tell than the socket holds; all is read again "
			    "(kernel/receive-buffer makes room)");
	s->interrupted = true; /* a dump that runs may have lost parts too */
	s->due |= K_ALL;
	s->read = 0;
	s->congested = true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct nlsock *s = poll->data;
	struct sockaddr_nl from;

	(void)events;
	if (status <
	    0) /* an overrun is an error of the socket, for which libuv stops watching it */
		uv_poll_start(poll, UV_READABLE, on_readable);
	for (unsigned i = 0; i < READ_MAX; i++) {
		struct iovec iov = { s->buf, sizeof(s->buf) };
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1 };
		ssize_t n = recvmsg(s->fd, &msg, MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS) {
			overrun(s);
			continue;
		}
		if (n < 0) {
			if (s->congested && s->dump_seq == 0) {
				s->congested = false;
				dump_next(s);
			}
			return;
		}
		if (from.nl_pid != 0) /* anybody may send here; only the kernel is believed */
			continue;
		if ((msg.msg_flags & MSG_TRUNC) != 0) {
			overrun(s);
			continue;
		}
		int left = (int)n;
		for (const struct nlmsghdr *h = (const void *)s->buf; nl_msg_ok(h, left);
		     h = mnl_nlmsg_next(h, &left))
			handle(s, h);
	}
}

static void on_timer(uv_timer_t *t)
{
	struct nlsock *s = t->data;
	uint64_t now = uv_now(s->m->c->loop);

	if (s->dump_seq != 0 && now > s->heard_ms + STUCK_MS) {
		s->dump_seq = 0;
		s->due |= s->dump_class;
	}
	if (s->congested) /* it may have been read empty without a look behind the last message */
		on_readable(s->poll, 0, 0);
	if (s->later != 0 && now >= s->soon_ms) {
		s->due |= s->later;
		s->later = 0;
	}
	dump_next(s);
}

/* --- life ------------------------------------------------------------------------------------ */

static int socket_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* In another network namespace: this thread, the only one that opens sockets, goes there and comes back. */
static int socket_open_in(const char *netns)
{
	char path[300];

	if (netns[0] == '\0')
		return socket_open();
	snprintf(path, sizeof(path), netns[0] == '/' ? "%s" : "/run/netns/%s", netns);
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(path, O_RDONLY | O_CLOEXEC);
	int fd = here < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0 ? -errno : 0;
	if (fd == 0) {
		fd = socket_open();
		if (setns(here, CLONE_NEWNET) < 0) {
			log_error("kernel: cannot come back from namespace %s: %s", netns,
				  strerror(errno));
			abort(); /* everything opened from here on would be in the wrong place */
		}
	}
	if (here >= 0)
		close(here);
	if (there >= 0)
		close(there);
	return fd;
}

static void socket_set(struct nlsock *s)
{
	static const int groups[] = { RTNLGRP_LINK,        RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
				      RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
				      RTNLGRP_NEXTHOP };
	int size = (int)s->m->conf.rcvbuf;

	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (setsockopt(s->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) < 0)
			log_warning("kernel: rtnetlink group %d: %s", groups[i], strerror(errno));
}

struct nlsock *nlsock_create(struct mirror *m)
{
	struct nlsock *s = calloc(1, sizeof(*s));
	uv_poll_t *poll = malloc(sizeof(*poll));
	uv_timer_t *timer = malloc(sizeof(*timer));

	if (s == NULL || poll == NULL || timer == NULL)
		goto fail;
	s->m = m;
	s->fd = socket_open_in(m->conf.netns);
	if (s->fd < 0) {
		snprintf(m->problem, sizeof(m->problem), "namespace '%.100s': %s", m->conf.netns,
			 strerror(-s->fd));
		log_error("kernel: %s: it is not mirrored", m->problem);
		goto fail;
	}
	socket_set(s);
	s->poll = poll;
	s->timer = timer;
	uv_poll_init(m->c->loop, poll, s->fd);
	uv_timer_init(m->c->loop, timer);
	poll->data = timer->data = s;
	uv_poll_start(poll, UV_READABLE, on_readable);
	uv_timer_start(timer, on_timer, SOON_MS, SOON_MS);
	nlsock_dump(s, K_ALL);
	return s;
fail:
	free(s);
	free(poll);
	free(timer);
	return NULL;
}

static void handle_closed(uv_handle_t *h)
{
	free(h);
}

void nlsock_destroy(struct nlsock *s)
{
	if (s == NULL)
		return;
	uv_poll_stop(s->poll);
	uv_timer_stop(s->timer);
	uv_close((uv_handle_t *)s->poll, handle_closed);
	uv_close((uv_handle_t *)s->timer, handle_closed);
	close(s->fd);
	free(s);
}
