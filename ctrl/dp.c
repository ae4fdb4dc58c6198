/* SPDX-License-Identifier: BSD-3-Clause
 * The socket is watched with uv_poll, not uv_pipe: HELLO brings a descriptor, and captures send one.
 * Output is a queue of chunks; small messages share a chunk, one with a descriptor has its own. */
#include "ctrl/dp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctrl/log.h"

#define RETRY_MIN_MS       100u
#define RETRY_MAX_MS       2000u
#define REQUEST_TIMEOUT_MS 5000u
#define COMMIT_TIMEOUT_MS  120000u
#define CHUNK_SIZE         (256u << 10)
#define IN_SIZE            (4u * HD_API_MSG_MAX)

struct out_chunk {
	struct out_chunk *next;
	size_t len, off;
	int fd; /* goes with the first octet; -1: none */
	uint8_t data[CHUNK_SIZE];
};

struct pending {
	struct pending *next;
	uint32_t seq;
	uint32_t first_object_seq; /* of a transaction; 0: another request */
	uint64_t deadline_ms;
	dp_done_fn done;
	void *arg;
	uint8_t *msgs;
	size_t len, cap;
};

struct dp_segment {
	struct hd_stats_hdr *hdr;
	size_t size;
	unsigned users;
};

enum dp_state { DP_IDLE, DP_CONNECTING, DP_GREETING, DP_UP };

struct dp {
	uv_loop_t *loop;
	uv_poll_t *poll;  /* of fd; NULL: none.  Freed by its close callback */
	uv_timer_t timer; /* retry, and deadlines while connected */
	bool closing;
	int fd;
	enum dp_state state;
	uint64_t retry_ms;
	struct sockaddr_un addr;
	struct dp_hooks hooks;
	void *arg;
	uint32_t seq, txn_seq;
	struct hd_api_hello hello;
	struct dp_segment *segment; /* NULL unless connected */
	struct hd_stats_hdr *stats; /* its header */
	int stats_fd;               /* received, not yet mapped */
	struct out_chunk *out, *out_last;
	struct pending *pending;
	uint8_t *in;
	size_t in_len;
	char problem[300];
};

static void dp_lost(struct dp *dp, const char *why);
static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

/* --- statistics ------------------------------------------------------------------------------ */

/* The segment comes from another process: nothing in it is used before it is checked. */
static int stats_map(struct dp *dp)
{
	struct stat st;

	if (dp->stats_fd < 0)
		return -EBADMSG; /* HELLO came without it */
	if (fstat(dp->stats_fd, &st) < 0 || (size_t)st.st_size < sizeof(struct hd_stats_hdr))
		return -EBADMSG;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, dp->stats_fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	const struct hd_stats_hdr *h = map;
	uint64_t size = (uint64_t)st.st_size;
	if (h->magic != HD_STATS_MAGIC || h->version != HD_STATS_VERSION || h->size > size ||
	    h->vec_off > size ||
	    (size - h->vec_off) / sizeof(struct hd_stats_vec) < HD_STATS_VECS_MAX) {
		snprintf(dp->problem, sizeof(dp->problem),
			 "statistics segment of version %u and %llu octets, wanted version %u",
			 h->version, (unsigned long long)h->size, HD_STATS_VERSION);
		munmap(map, (size_t)st.st_size);
		return -EPROTO;
	}
	dp->segment = malloc(sizeof(*dp->segment));
	if (dp->segment == NULL) {
		munmap(map, (size_t)st.st_size);
		return -ENOMEM;
	}
	*dp->segment = (struct dp_segment){ .hdr = map, .size = (size_t)st.st_size, .users = 1 };
	dp->stats = map;
	return 0;
}

struct dp_segment *dp_stats_hold(struct dp *dp)
{
	if (dp->segment != NULL)
		dp->segment->users++;
	return dp->segment;
}

void dp_stats_release(struct dp_segment *s)
{
	if (s == NULL || --s->users > 0)
		return;
	munmap(s->hdr, s->size);
	free(s);
}

const struct hd_stats_hdr *dp_segment_stats(const struct dp_segment *s)
{
	return s != NULL ? s->hdr : NULL;
}

static void stats_unmap(struct dp *dp)
{
	dp_stats_release(dp->segment);
	dp->segment = NULL;
	dp->stats = NULL;
	if (dp->stats_fd >= 0)
		close(dp->stats_fd);
	dp->stats_fd = -1;
}

static bool vec_ok(const struct hd_stats_hdr *h, const struct hd_stats_vec *v)
{
	uint64_t cells = (uint64_t)v->n_rows * v->n_cols * 8, last;

	if (v->n_cols > HD_STATS_COLS_MAX || v->n_rows > 1u << 28 || v->n_slices > 4096 ||
	    v->cell_off > h->size || (v->cell_off & 7) != 0 || (v->slice_stride & 7) != 0)
		return false;
	if (v->n_slices != 0 &&
	    __builtin_mul_overflow((uint64_t)(v->n_slices - 1), v->slice_stride, &last))
		return false;
	if (v->n_slices == 0)
		last = 0;
	if (last > h->size || cells > h->size || v->cell_off + last + cells > h->size)
		return false;
	return v->row_info_off == 0 ||
	       (v->row_info_off < h->size &&
		(h->size - v->row_info_off) / sizeof(struct hd_stats_row) >= v->n_rows);
}

const struct hd_stats_vec *stats_vec(const struct hd_stats_hdr *h, const char *name,
				     uint32_t *ret_index)
{
	if (h == NULL)
		return NULL;
	uint32_t n = __atomic_load_n(&h->n_vecs, __ATOMIC_ACQUIRE);
	const struct hd_stats_vec *v = hd_stats_vecs(h);
	for (uint32_t i = 0; i < n && i < HD_STATS_VECS_MAX; i++)
		if (strncmp(v[i].name, name, sizeof(v[i].name)) == 0 && vec_ok(h, &v[i])) {
			if (ret_index != NULL)
				*ret_index = i;
			return &v[i];
		}
	return NULL;
}

uint32_t stats_row_by_name(const struct hd_stats_hdr *h, const struct hd_stats_vec *v,
			   const char *name)
{
	if (v == NULL || v->row_info_off == 0)
		return UINT32_MAX;
	const struct hd_stats_row *row = (const void *)((const uint8_t *)h + v->row_info_off);
	for (uint32_t i = 0; i < v->n_rows; i++)
		if (strncmp(row[i].name, name, sizeof(row[i].name)) == 0)
			return i;
	return UINT32_MAX;
}

const struct hd_stats_vec *dp_stats_vec(const struct dp *dp, const char *name, uint32_t *ret_index)
{
	return stats_vec(dp->stats, name, ret_index);
}

const struct hd_stats_vec *dp_stats_vec_at(const struct dp *dp, uint32_t index)
{
	if (dp->stats == NULL || index >= HD_STATS_VECS_MAX ||
	    index >= __atomic_load_n(&dp->stats->n_vecs, __ATOMIC_ACQUIRE))
		return NULL;
	const struct hd_stats_vec *v = hd_stats_vecs(dp->stats) + index;
	return vec_ok(dp->stats, v) ? v : NULL;
}

const struct hd_stats_row *dp_stats_row(const struct dp *dp, const struct hd_stats_vec *v,
					uint32_t row)
{
	if (v == NULL || v->row_info_off == 0 || row >= v->n_rows)
		return NULL;
	return (const struct hd_stats_row *)((const uint8_t *)dp->stats + v->row_info_off) + row;
}

uint64_t dp_stats_sum(const struct dp *dp, const struct hd_stats_vec *v, uint32_t row, uint32_t col)
{
	if (v == NULL || row >= v->n_rows || col >= v->n_cols)
		return 0;
	return hd_stats_sum(dp->stats, v, row, col);
}

uint64_t dp_stats_slice(const struct dp *dp, const struct hd_stats_vec *v, uint32_t slice,
			uint32_t row, uint32_t col)
{
	if (v == NULL || row >= v->n_rows || col >= v->n_cols || slice >= v->n_slices)
		return 0;
	return __atomic_load_n(hd_stats_cell(dp->stats, v, slice, row, col), __ATOMIC_RELAXED);
}

/* --- output ---------------------------------------------------------------------------------- */

static void watch(struct dp *dp)
{
	if (dp->poll != NULL)
		uv_poll_start(dp->poll, UV_READABLE | (dp->out != NULL ? UV_WRITABLE : 0), on_poll);
}

static ssize_t chunk_send(struct dp *dp, struct out_chunk *c)
{
	struct iovec iov = { c->data + c->off, c->len - c->off };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (c->fd >= 0) {
		msg.msg_control = ctl.buf;
		msg.msg_controllen = sizeof(ctl.buf);
		struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &c->fd, sizeof(int));
	}
	return sendmsg(dp->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void chunk_free(struct out_chunk *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

/* False: the connection is lost, and dp_lost() has been called. */
static bool flush_out(struct dp *dp)
{
	while (dp->out != NULL) {
		struct out_chunk *c = dp->out;
		ssize_t n = chunk_send(dp, c);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			dp_lost(dp, strerror(errno));
			return false;
		}
		if (c->fd >= 0) {
			close(c->fd);
			c->fd = -1;
		}
		c->off += (size_t)n;
		if (c->off < c->len)
			continue;
		dp->out = c->next;
		if (dp->out == NULL)
			dp->out_last = NULL;
		free(c);
	}
	watch(dp);
	return true;
}

/* Queue one message.  Memory out: the connection is given up, which answers whoever waits. */
static uint32_t put(struct dp *dp, uint16_t type, uint32_t flags, const void *body, size_t size,
		    int fd)
{
	struct hd_api_hdr h = { .length = (uint32_t)(sizeof(h) + size),
				.type = type,
				.version = HD_API_VERSION,
				.flags = flags };
	struct out_chunk *c = dp->out_last;

	if (++dp->seq == 0)
		dp->seq = 1; /* 0 is for events */
	h.seq = dp->seq;
	if (c == NULL || fd >= 0 || c->len + h.length > CHUNK_SIZE) {
		c = malloc(sizeof(*c));
		if (c == NULL)
			return h.seq;
		c->next = NULL;
		c->len = c->off = 0;
		c->fd = fd >= 0 ? dup(fd) : -1;
		if (dp->out_last != NULL)
			dp->out_last->next = c;
		else
			dp->out = c;
		dp->out_last = c;
	}
	memcpy(c->data + c->len, &h, sizeof(h));
	if (size > 0)
		memcpy(c->data + c->len + sizeof(h), body, size);
	c->len += h.length;
	return h.seq;
}

/* --- requests -------------------------------------------------------------------------------- */

static void answer(struct pending **at, const struct dp_answer *a)
{
	struct pending *p = *at;

	*at = p->next;
	struct dp_answer full = *a;
	full.msgs = p->msgs;
	full.len = p->len;
	if (full.text == NULL)
		full.text = "";
	p->done(p->arg, &full);
	free(p->msgs);
	free(p);
}

static void expect(struct dp *dp, uint32_t seq, uint32_t first_object_seq, dp_done_fn done,
		   void *arg)
{
	struct pending *p = calloc(1, sizeof(*p)), **at = &dp->pending;
	struct dp_answer a = { .error = ENOMEM,
			       .text = "out of memory",
			       .failed_index = UINT32_MAX };

	if (p == NULL) {
		done(arg, &a);
		return;
	}
	uint64_t timeout = first_object_seq != 0 ? COMMIT_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
	*p = (struct pending){ .seq = seq,
			       .first_object_seq = first_object_seq,
			       .deadline_ms = uv_now(dp->loop) + timeout,
			       .done = done,
			       .arg = arg };
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
}

static void refuse(struct dp *dp, dp_done_fn done, void *arg)
{
	struct dp_answer a = { .error = ENOTCONN, .text = dp->problem, .failed_index = UINT32_MAX };

	done(arg, &a);
}

void dp_request(struct dp *dp, uint16_t type, const void *body, size_t size, int fd,
		dp_done_fn done, void *arg)
{
	if (dp->state != DP_UP) {
		refuse(dp, done, arg);
		return;
	}
	expect(dp, put(dp, type, 0, body, size, fd), 0, done, arg);
	watch(dp);
}

void dp_dump(struct dp *dp, uint16_t kind, dp_done_fn done, void *arg)
{
	struct hd_api_dump req = { .kind = kind };

	dp_request(dp, HD_API_DUMP, &req, sizeof(req), -1, done, arg);
}

void dp_txn_begin(struct dp *dp)
{
	if (dp->state == DP_UP)
		dp->txn_seq = put(dp, HD_API_BEGIN, 0, NULL, 0, -1);
}

void dp_txn_object(struct dp *dp, const struct object *o, bool del)
{
	if (dp->state == DP_UP)
		put(dp, o->kind->type, del ? HD_API_F_DEL : 0, o->body,
		    del ? o->kind->key_size : o->size, -1);
}

void dp_txn_commit(struct dp *dp, dp_done_fn done, void *arg)
{
	if (dp->state != DP_UP) {
		refuse(dp, done, arg);
		return;
	}
	expect(dp, put(dp, HD_API_COMMIT, 0, NULL, 0, -1), dp->txn_seq + 1, done, arg);
	watch(dp);
}

void dp_txn_abort(struct dp *dp)
{
	if (dp->state == DP_UP) {
		put(dp, HD_API_ABORT, 0, NULL, 0, -1);
		watch(dp);
	}
}

const struct hd_api_hdr *dp_answer_next(const struct dp_answer *a, size_t *off, void *body,
					size_t size)
{
	if (a->len - *off < sizeof(struct hd_api_hdr))
		return NULL;
	const struct hd_api_hdr *h = (const void *)(a->msgs + *off);
	size_t have = h->length - sizeof(*h);
	memset(body, 0, size);
	memcpy(body, h + 1, have < size ? have : size);
	*off += (h->length + 7u) & ~7u;
	return h;
}

/* --- input ----------------------------------------------------------------------------------- */

static void keep_message(struct dp *dp, const struct hd_api_hdr *h)
{
	size_t room = (h->length + 7u) & ~7u; /* messages stay aligned */

	for (struct pending *p = dp->pending; p != NULL; p = p->next) {
		if (p->seq != h->seq)
			continue;
		if (p->len + room > p->cap) {
			size_t cap = p->cap != 0 ? p->cap * 2 : 4096;
			while (cap < p->len + room)
				cap *= 2;
			uint8_t *more = realloc(p->msgs, cap);
			if (more == NULL)
				return;
			p->msgs = more;
			p->cap = cap;
		}
		memset(p->msgs + p->len, 0, room);
		memcpy(p->msgs + p->len, h, h->length);
		p->len += room;
		return;
	}
}

static void handle_reply(struct dp *dp, const struct hd_api_hdr *h)
{
	struct dp_answer a = { .failed_index = UINT32_MAX };
	size_t size = h->length - sizeof(*h);

	memcpy(&a.reply, h + 1, size < sizeof(a.reply) ? size : sizeof(a.reply));
	a.reply.text[sizeof(a.reply.text) - 1] = '\0';
	a.error = (int)a.reply.error;
	a.text = a.reply.text;
	for (struct pending **at = &dp->pending; *at != NULL; at = &(*at)->next) {
		if ((*at)->seq != h->seq)
			continue;
		if (a.error != 0 && a.reply.failed_seq != 0 && (*at)->first_object_seq != 0 &&
		    a.reply.failed_seq - (*at)->first_object_seq < h->seq - (*at)->first_object_seq)
			a.failed_index = a.reply.failed_seq - (*at)->first_object_seq;
		answer(at, &a);
		return;
	}
	if (a.error != 0)
		log_warning("data plane: %s (message %#x)", a.text, a.reply.failed_type);
}

static void handle_hello(struct dp *dp, const struct hd_api_hdr *h)
{
	size_t size = h->length - sizeof(*h);
	char why[200];

	memset(&dp->hello, 0, sizeof(dp->hello));
	memcpy(&dp->hello, h + 1, size < sizeof(dp->hello) ? size : sizeof(dp->hello));
	dp->hello.software[sizeof(dp->hello.software) - 1] = '\0';
	if (dp->hello.version != HD_API_VERSION) {
		snprintf(why, sizeof(why),
			 "%s speaks table API version %u, this heddle-ctrl version %u",
			 dp->hello.software[0] != '\0' ? dp->hello.software : "the data plane",
			 dp->hello.version, HD_API_VERSION);
		dp_lost(dp, why);
		return;
	}
	int rc = stats_map(dp);
	if (rc < 0) {
		snprintf(why, sizeof(why), "statistics segment refused: %s", strerror(-rc));
		dp_lost(dp, why);
		return;
	}
	dp->state = DP_UP;
	dp->problem[0] = '\0';
	dp->retry_ms = RETRY_MIN_MS;
	log_info("data plane: connected to %s (pid %u, %u workers, %u objects)", dp->hello.software,
		 dp->hello.pid, dp->hello.n_workers, dp->hello.n_objects);
	uv_timer_start(&dp->timer, on_timer, 250, 250);
	dp->hooks.up(dp->arg);
}

/* True: go on with the next message. */
static bool handle_message(struct dp *dp, const struct hd_api_hdr *h)
{
	char why[320];

	if (dp->state == DP_GREETING) {
		struct hd_api_reply r = { 0 };
		if (h->type == HD_API_HELLO) {
			handle_hello(dp, h);
			return dp->state == DP_UP;
		}
		size_t size = h->length - sizeof(*h);
		memcpy(&r, h + 1, size < sizeof(r) ? size : sizeof(r));
		r.text[sizeof(r.text) - 1] = '\0';
		snprintf(why, sizeof(why), "refused by the data plane: %s",
			 r.text[0] != '\0' ? r.text : "no reason given");
		dp_lost(dp, why);
		return false;
	}
	if (h->type == HD_API_REPLY) {
		handle_reply(dp, h);
	} else if (h->type == HD_API_EVENT) {
		struct hd_api_event ev = { 0 };
		size_t size = h->length - sizeof(*h);
		memcpy(&ev, h + 1, size < sizeof(ev) ? size : sizeof(ev));
		ev.text[sizeof(ev.text) - 1] = '\0';
		dp->hooks.event(dp->arg, &ev);
	} else {
		keep_message(dp, h);
	}
	return dp->state == DP_UP;
}

static void parse(struct dp *dp)
{
	size_t off = 0;
	struct hd_api_hdr h;

	while (dp->in_len - off >= sizeof(h)) {
		memcpy(&h, dp->in + off, sizeof(h));
		if (h.length < sizeof(h) || h.length > HD_API_MSG_MAX) {
			dp_lost(dp, "a message of impossible length");
			return;
		}
		if (dp->in_len - off < h.length)
			break;
		_Alignas(8) static uint8_t
			whole[HD_API_MSG_MAX]; /* aligned copy; one loop, one thread */
		memcpy(whole, dp->in + off, h.length);
		off += h.length;
		if (!handle_message(dp, (const void *)whole))
			return;
	}
	memmove(dp->in, dp->in + off, dp->in_len - off);
	dp->in_len -= off;
}

/* 1: read something, 0: nothing there, -1: gone (dp_lost() was called). */
static int receive(struct dp *dp)
{
	struct iovec iov = { dp->in + dp->in_len, IN_SIZE - dp->in_len };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(4 * sizeof(int))];
	} ctl;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = ctl.buf,
			      .msg_controllen = sizeof(ctl.buf) };
	ssize_t n = recvmsg(dp->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		dp_lost(dp, n == 0 ? "it closed the connection" : strerror(errno));
		return -1;
	}
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&msg); cm != NULL; cm = CMSG_NXTHDR(&msg, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
			if (dp->stats_fd < 0 && dp->state == DP_GREETING)
				dp->stats_fd = fd;
			else
				close(fd);
		}
	}
	dp->in_len += (size_t)n;
	return 1;
}

/* --- connection ------------------------------------------------------------------------------ */

static void poll_closed(uv_handle_t *h)
{
	free(h);
}

static void drop_connection(struct dp *dp)
{
	if (dp->poll != NULL) {
		uv_poll_stop(dp->poll);
		uv_close((uv_handle_t *)dp->poll, poll_closed);
		dp->poll = NULL;
	}
	if (dp->fd >= 0)
		close(dp->fd);
	dp->fd = -1;
	while (dp->out != NULL) {
		struct out_chunk *c = dp->out;
		dp->out = c->next;
		chunk_free(c);
	}
	dp->out_last = NULL;
	dp->in_len = 0;
}

static void dp_lost(struct dp *dp, const char *why)
{
	bool was_up = dp->state == DP_UP;
	char text[300];

	snprintf(text, sizeof(text), "%s", why);
	if (was_up && !dp->closing)
		log_warning("data plane: connection lost: %s", text);
	else if (!dp->closing && strcmp(text, dp->problem) != 0)
		log_info("data plane: %s: %s", dp->addr.sun_path, text);
	snprintf(dp->problem, sizeof(dp->problem), "%s", text);
	dp->state = DP_IDLE;
	drop_connection(dp);
	stats_unmap(dp);
	struct dp_answer a = { .error = ENOTCONN, .text = dp->problem, .failed_index = UINT32_MAX };
	while (dp->pending != NULL)
		answer(&dp->pending, &a);
	if (was_up)
		dp->hooks.down(dp->arg);
	if (dp->closing)
		return;
	uv_timer_start(&dp->timer, on_timer, dp->retry_ms, 0);
	dp->retry_ms = dp->retry_ms * 2 < RETRY_MAX_MS ? dp->retry_ms * 2 : RETRY_MAX_MS;
}

static void greet(struct dp *dp)
{
	struct hd_api_hello hello = { .version = HD_API_VERSION,
				      .pid = (uint32_t)getpid(),
				      .software = "heddle-ctrl " HEDDLE_VERSION };

	dp->state = DP_GREETING;
	put(dp, HD_API_HELLO, 0, &hello, sizeof(hello), -1);
	uv_timer_start(&dp->timer, on_timer, REQUEST_TIMEOUT_MS, 0);
	flush_out(dp);
}

static void try_connect(struct dp *dp)
{
	dp->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dp->fd < 0) {
		dp_lost(dp, strerror(errno));
		return;
	}
	/* A Unix socket connects at once or not at all (EAGAIN: its backlog is full). */
	if (connect(dp->fd, (struct sockaddr *)&dp->addr, sizeof(dp->addr)) < 0) {
		dp_lost(dp, errno == ENOENT || errno == ECONNREFUSED ?
				    "nobody listens there; is heddle-dp running?" :
				    strerror(errno));
		return;
	}
	dp->poll = malloc(sizeof(*dp->poll));
	if (dp->poll == NULL || uv_poll_init(dp->loop, dp->poll, dp->fd) != 0) {
		free(dp->poll);
		dp->poll = NULL;
		dp_lost(dp, "out of memory");
		return;
	}
	dp->poll->data = dp;
	greet(dp);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct dp *dp = poll->data;

	if (status < 0) {
		dp_lost(dp, uv_strerror(status));
		return;
	}
	if ((events & UV_WRITABLE) != 0 && !flush_out(dp))
		return;
	if ((events & UV_READABLE) != 0 && receive(dp) > 0)
		parse(dp);
}

static void on_timer(uv_timer_t *timer)
{
	struct dp *dp = timer->data;
	uint64_t now = uv_now(dp->loop);

	if (dp->state == DP_IDLE) {
		try_connect(dp);
		return;
	}
	if (dp->state == DP_GREETING) {
		dp_lost(dp, "it does not answer the greeting");
		return;
	}
	struct dp_answer a = { .error = ETIMEDOUT,
			       .text = "the data plane does not answer",
			       .failed_index = UINT32_MAX };
	for (struct pending **at = &dp->pending; *at != NULL;) {
		if ((*at)->deadline_ms > now) {
			at = &(*at)->next;
			continue;
		}
		if ((*at)->first_object_seq != 0) {
			/* Its outcome is unknown: only a fresh connection and a reconcile settle it. */
			dp_lost(dp, "it does not answer a transaction");
			return;
		}
		answer(at, &a);
		at = &dp->pending;
	}
}

struct dp *dp_create(uv_loop_t *loop, const char *path, const struct dp_hooks *hooks, void *arg)
{
	struct dp *dp = calloc(1, sizeof(*dp));

	if (dp == NULL)
		return NULL;
	*dp = (struct dp){ .loop = loop,
			   .fd = -1,
			   .stats_fd = -1,
			   .hooks = *hooks,
			   .arg = arg,
			   .retry_ms = RETRY_MIN_MS,
			   .addr = { .sun_family = AF_UNIX },
			   .problem = "not connected yet" };
	dp->in = malloc(IN_SIZE);
	if (dp->in == NULL || strlen(path) >= sizeof(dp->addr.sun_path)) {
		free(dp->in);
		free(dp);
		return NULL;
	}
	strcpy(dp->addr.sun_path, path);
	uv_timer_init(loop, &dp->timer);
	dp->timer.data = dp;
	return dp;
}

void dp_connect(struct dp *dp)
{
	uv_timer_start(&dp->timer, on_timer, 0, 0);
}

static void timer_closed(uv_handle_t *h)
{
	struct dp *dp = h->data;

	free(dp->in);
	free(dp);
}

void dp_destroy(struct dp *dp)
{
	if (dp == NULL)
		return;
	dp->closing = true;
	if (dp->state != DP_IDLE)
		dp_lost(dp, "heddle-ctrl stops");
	uv_timer_stop(&dp->timer);
	uv_close((uv_handle_t *)&dp->timer, timer_closed);
}

bool dp_connected(const struct dp *dp)
{
	return dp->state == DP_UP;
}

const struct hd_api_hello *dp_hello(const struct dp *dp)
{
	return dp->state == DP_UP ? &dp->hello : NULL;
}

const struct hd_stats_hdr *dp_stats(const struct dp *dp)
{
	return dp->stats;
}

const char *dp_problem(const struct dp *dp)
{
	return dp->problem;
}
