/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctrl/log.h"

#define STREAM_POLL_MS 50u

struct http {
	uv_loop_t *loop;
	struct MHD_Daemon *mhd;
	uv_poll_t poll;   /* of libmicrohttpd's epoll descriptor */
	uv_timer_t timer; /* its timeouts */
	unsigned n_handles;
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	http_handler handler;
	void *arg;
	struct conn *first; /* requests under way */
	struct stream *streams;
	bool running; /* inside MHD_run() */
};

struct conn {
	struct http_req req; /* first: a request is its connection */
	struct http *http;
	struct MHD_Connection *mhd;
	struct conn *next, **at;
	char *body;
	size_t cap;
	bool too_large, dispatched, suspended, peer_gone;
	struct MHD_Response *response; /* ready to be queued */
	unsigned status;
};

static void http_run(struct http *h);

static void unlink_conn(struct conn *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
}

static void conn_free(struct conn *c)
{
	unlink_conn(c);
	if (c->response != NULL)
		MHD_destroy_response(c->response);
	free(c->body);
	free((char *)c->req.method);
	free((char *)c->req.path);
	free(c);
}

static struct conn *conn_new(struct http *h, struct MHD_Connection *mhd, const char *method,
			     const char *path)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->http = h;
	c->mhd = mhd;
	c->req.method = strdup(method);
	c->req.path = strdup(path);
	c->next = h->first;
	c->at = &h->first;
	if (h->first != NULL)
		h->first->at = &c->next;
	h->first = c;
	if (c->req.method == NULL || c->req.path == NULL) {
		conn_free(c);
		return NULL;
	}
	return c;
}

static void conn_body(struct conn *c, const char *data, size_t len)
{
	if (c->req.body_len + len > HTTP_BODY_MAX)
		c->too_large = true;
	if (c->too_large)
		return;
	if (c->req.body_len + len + 1 > c->cap) {
		size_t cap = c->cap != 0 ? c->cap : 4096;
		while (cap < c->req.body_len + len + 1)
			cap *= 2;
		char *body = realloc(c->body, cap);
		if (body == NULL) {
			c->too_large = true;
			return;
		}
		c->body = body;
		c->cap = cap;
	}
	memcpy(c->body + c->req.body_len, data, len);
	c->req.body_len += len;
	c->body[c->req.body_len] = '\0';
}

static enum MHD_Result queue(struct conn *c)
{
	struct MHD_Response *r = c->response;

	c->response = NULL;
	enum MHD_Result ok = MHD_queue_response(c->mhd, c->status, r);
	MHD_destroy_response(r);
	return ok;
}

/* libmicrohttpd: a request's headers, then pieces of its body, then once more without data: it is complete. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **ctx)
{
	struct http *h = arg;
	struct conn *c = *ctx;

	(void)version;
	if (c == NULL) {
		c = conn_new(h, mhd, method, url);
		*ctx = c;
		return c != NULL ? MHD_YES : MHD_NO;
	}
	if (*len > 0) {
		conn_body(c, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (!c->dispatched) {
		c->dispatched = true;
		c->req.body = c->body != NULL ? c->body : "";
		if (c->too_large)
			http_reply(&c->req, 413, "text/plain", "too large\n", 10);
		else
			h->handler(h->arg, &c->req);
	}
	if (c->response != NULL)
		return queue(c);
	c->suspended = true;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **ctx,
			 enum MHD_RequestTerminationCode code)
{
	struct conn *c = *ctx;

	(void)arg;
	(void)mhd;
	(void)code;
	if (c == NULL)
		return;
	*ctx = NULL;
	if (c->dispatched && c->status == 0) /* not answered yet: whoever answers frees it */
		c->peer_gone = true;
	else
		conn_free(c);
}

static void reply(struct conn *c, unsigned status, const char *type, struct MHD_Response *r)
{
	c->status = status;
	if (c->peer_gone || r == NULL) {
		if (r != NULL)
			MHD_destroy_response(r);
		if (c->peer_gone)
			conn_free(c);
		return;
	}
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	c->response = r;
	if (!c->suspended)
		return; /* still inside on_request() */
	c->suspended = false;
	MHD_resume_connection(c->mhd);
	http_run(c->http);
}

void http_reply(struct http_req *req, unsigned status, const char *type, const void *body,
		size_t len)
{
	reply((struct conn *)req, status, type,
	      MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY));
}

/* --- streams --------------------------------------------------------------------------------- */

struct stream {
	struct stream *later, **at; /* streams of one server */
	struct http *http;
	struct MHD_Connection *mhd;
	ssize_t (*next)(void *arg, char *buf, size_t size);
	void (*end)(void *arg);
	void *arg;
	uv_timer_t *timer; /* runs while the connection is suspended for want of data */
	bool suspended;
};

static void on_stream_timer(uv_timer_t *t)
{
	struct stream *s = t->data;

	if (s == NULL || !s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->mhd);
	http_run(s->http);
}

static ssize_t stream_read(void *arg, uint64_t pos, char *buf, size_t size)
{
	struct stream *s = arg;

	(void)pos;
	ssize_t n = s->next(s->arg, buf, size);
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		s->suspended = true;
		MHD_suspend_connection(s->mhd);
		uv_timer_start(s->timer, on_stream_timer, STREAM_POLL_MS, 0);
	}
	return n;
}

static void free_handle(uv_handle_t *h)
{
	free(h);
}

static void stream_free(void *arg)
{
	struct stream *s = arg;

	*s->at = s->later;
	if (s->later != NULL)
		s->later->at = s->at;
	s->timer->data = NULL;
	uv_timer_stop(s->timer);
	uv_close((uv_handle_t *)s->timer, free_handle);
	s->end(s->arg);
	free(s);
}

void http_reply_stream(struct http_req *req, const char *type,
		       ssize_t (*next)(void *arg, char *buf, size_t size), void (*end)(void *arg),
		       void *arg)
{
	struct conn *c = (struct conn *)req;
	struct stream *s = malloc(sizeof(*s));
	uv_timer_t *timer = malloc(sizeof(*timer));
	struct MHD_Response *r = NULL;

	if (s != NULL && timer != NULL) {
		*s = (struct stream){ .http = c->http,
				      .mhd = c->mhd,
				      .next = next,
				      .end = end,
				      .arg = arg,
				      .timer = timer };
		r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, stream_read, s,
						      stream_free);
	}
	if (r == NULL) {
		free(s);
		free(timer);
		end(arg);
		http_reply(req, 503, "text/plain", "out of memory\n", 14);
		return;
	}
	s->later = c->http->streams;
	s->at = &c->http->streams;
	if (s->later != NULL)
		s->later->at = &s->later;
	c->http->streams = s;
	uv_timer_init(c->http->loop, timer);
	timer->data = s;
	reply(c, 200, type, r);
}

const char *http_query(struct http_req *req, const char *name)
{
	return MHD_lookup_connection_value(((struct conn *)req)->mhd, MHD_GET_ARGUMENT_KIND, name);
}

/* --- the loop -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *t)
{
	http_run(t->data);
}

static void http_run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (h->running) /* resumed from inside: the run under way sees it, the timer makes sure */
		ms = 0;
	else {
		h->running = true;
		MHD_run(h->mhd);
		h->running = false;
		if (MHD_get_timeout(h->mhd, &ms) != MHD_YES) {
			uv_timer_stop(&h->timer);
			return;
		}
	}
	uv_timer_start(&h->timer, on_timer, ms, 0);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	http_run(p->data);
}

static int unix_listen(const char *path, int *ret)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int rc = 0;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 || errno == EAGAIN)
		rc = -EADDRINUSE;
	close(fd);
	if (rc < 0)
		return rc;
	unlink(path); /* left by a process that is gone */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	mode_t mask = umask(0117); /* owner and group */
	rc = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 64) < 0 ? -errno :
											  0;
	umask(mask);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*ret = fd;
	return 0;
}

int http_create(uv_loop_t *loop, const char *path, http_handler handler, void *arg,
		struct http **ret)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return -ENOMEM;
	h->loop = loop;
	h->handler = handler;
	h->arg = arg;
	int rc = unix_listen(path, &h->fd);
	if (rc < 0) {
		free(h);
		return rc;
	}
	snprintf(h->path, sizeof(h->path), "%s", path);
	h->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
				  on_request, h, MHD_OPTION_LISTEN_SOCKET, h->fd,
				  MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
				  MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		h->mhd != NULL ? MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info == NULL) {
		close(h->fd);
		unlink(path);
		free(h);
		return -EIO;
	}
	uv_poll_init(loop, &h->poll, info->epoll_fd);
	uv_timer_init(loop, &h->timer);
	h->poll.data = h->timer.data = h;
	uv_poll_start(&h->poll, UV_READABLE, on_poll);
	*ret = h;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct http *h = handle->data;

	if (--h->n_handles == 0)
		free(h);
}

void http_destroy(struct http *h)
{
	if (h == NULL)
		return;
	/* Whoever still waits gets an answer: libmicrohttpd must not stop with suspended requests. */
	for (struct conn *c = h->first, *next; c != NULL; c = next) {
		next = c->next;
		if (c->suspended && !c->peer_gone)
			http_reply(&c->req, 503, "text/plain", "heddle-ctrl stops\n", 18);
	}
	for (struct stream *s = h->streams; s != NULL; s = s->later) {
		if (s->suspended)
			MHD_resume_connection(s->mhd);
		s->suspended = false;
	}
	uv_poll_stop(&h->poll);
	uv_timer_stop(&h->timer);
	MHD_stop_daemon(h->mhd); /* closes the listening socket too */
	unlink(h->path);
	h->n_handles = 2;
	uv_close((uv_handle_t *)&h->poll, on_closed);
	uv_close((uv_handle_t *)&h->timer, on_closed);
}
