/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctrl/log.h"

#define CONNECTIONS_MAX 64u /* of one listener */
#define PER_ADDRESS_MAX 16u
#define TCP_IDLE_S      60u
#define DRAIN_POLL_MS   100u

struct http {
	uv_loop_t *loop;
	struct http_hooks hooks;
	void *arg;
	struct http_listener *listeners;
	bool dead; /* freed with its last listener */
};

struct http_listener {
	struct http_listener *next, **at;
	struct http *http;
	struct MHD_Daemon *mhd;
	uv_poll_t poll;   /* of libmicrohttpd's epoll descriptor */
	uv_timer_t timer; /* its timeouts */
	uv_timer_t drain;
	unsigned n_handles;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* to be removed; "": none */
	bool tls;
	struct conn *first; /* requests under way */
	struct http_stream *streams;
	bool running; /* inside MHD_run() */
};

struct conn {
	struct http_req req; /* first: a request is its connection */
	struct http_listener *l;
	struct MHD_Connection *mhd;
	struct conn *next, **at;
	char *uri, *body;
	size_t cap;
	bool shown, dispatched, waiting, suspended, peer_gone, too_large, refused;
	struct MHD_Response *response; /* ready to be queued */
	unsigned status;
};

static void listener_run(struct http_listener *l);
static void on_timer(uv_timer_t *t);

/* --- requests -------------------------------------------------------------------------------- */

static void drop_fields(struct http_req *req)
{
	for (unsigned i = 0; i < req->n_fields; i++)
		free(req->field[i].value);
	req->n_fields = 0;
}

static void conn_free(struct conn *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	if (c->response != NULL)
		MHD_destroy_response(c->response);
	drop_fields(&c->req);
	free(c->body);
	free((char *)c->req.method);
	free(c->uri);
	free(c);
}

/* libmicrohttpd: a request line has come.  Here alone the URI is still as it was sent. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct http_listener *l = arg;
	struct conn *c = calloc(1, sizeof(*c));
	char *copy = strdup(uri);

	if (c == NULL || copy == NULL) {
		free(c);
		free(copy);
		return NULL;
	}
	c->l = l;
	c->mhd = mhd;
	c->uri = copy;
	c->req.path = copy;
	char *q = strchr(copy, '?');
	if (q != NULL)
		*q++ = '\0';
	c->req.query = q != NULL ? q : "";
	c->req.body = "";
	c->next = l->first;
	c->at = &l->first;
	if (l->first != NULL)
		l->first->at = &c->next;
	l->first = c;
	return c;
}

static void conn_body(struct conn *c, const char *data, size_t len)
{
	size_t max = c->req.role == HTTP_ROLE_WRITE ? HTTP_BODY_MAX : HTTP_BODY_READ_MAX;

	if (c->req.body_len + len > max)
		c->too_large = true;
	if (c->too_large || c->refused)
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

/* Nothing more is done for this request until somebody answers. */
static enum MHD_Result wait_for_answer(struct conn *c)
{
	if (c->response != NULL)
		return queue(c);
	c->suspended = true;
	MHD_suspend_connection(c->mhd);
	return MHD_YES;
}

static enum MHD_Result show(struct conn *c, const char *method)
{
	struct http *h = c->l->http;

	c->shown = true;
	c->req.method = strdup(method);
	if (c->req.method == NULL)
		return MHD_NO;
	c->waiting = true;
	int rc = h->hooks.admit(h->arg, &c->req);
	if (rc == 0) {
		c->waiting = false;
		return MHD_YES;
	}
	return wait_for_answer(c);
}

/* libmicrohttpd: a request's headers, then pieces of its body, then once more without data: it is complete. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **ctx)
{
	struct http_listener *l = arg;
	struct conn *c = *ctx;

	(void)mhd;
	(void)url;
	(void)version;
	if (c == NULL)
		return MHD_NO; /* no memory for it */
	if (!c->shown)
		return show(c, method);
	if (*len > 0) {
		conn_body(c, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (!c->dispatched && !c->refused) {
		c->dispatched = true;
		c->waiting = true;
		if (c->body != NULL)
			c->req.body = c->body;
		if (c->too_large)
			http_reply(&c->req, 413, "text/plain", "too large\n", 10);
		else
			l->http->hooks.handle(l->http->arg, &c->req);
	}
	return wait_for_answer(c);
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
	if (c->waiting && c->status == 0) /* not answered yet: whoever answers frees it */
		c->peer_gone = true;
	else
		conn_free(c);
}

static void resume(struct conn *c)
{
	if (!c->suspended)
		return; /* still inside on_request() */
	c->suspended = false;
	MHD_resume_connection(c->mhd);
	listener_run(c->l);
}

static void reply(struct conn *c, unsigned status, const char *type, struct MHD_Response *r)
{
	struct http *h = c->l->http;

	if (h->hooks.answered != NULL)
		h->hooks.answered(h->arg, &c->req, status);
	c->status = status;
	c->waiting = false;
	c->refused = !c->dispatched;
	if (c->peer_gone || r == NULL) {
		if (r != NULL)
			MHD_destroy_response(r);
		if (c->peer_gone)
			conn_free(c);
		return;
	}
	if (type != NULL)
		MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-cache");
	if (c->l->tls)
		MHD_add_response_header(r, "Strict-Transport-Security", "max-age=31536000");
	for (unsigned i = 0; i < c->req.n_fields; i++)
		MHD_add_response_header(r, c->req.field[i].name, c->req.field[i].value);
	c->response = r;
	resume(c);
}

void http_reply(struct http_req *req, unsigned status, const char *type, const void *body,
		size_t len)
{
	if (req->answer != NULL) {
		req->answer(req, status, type, body, len);
		return;
	}
	reply((struct conn *)req, status, type,
	      MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY));
}

void http_admit(struct http_req *req)
{
	struct conn *c = (struct conn *)req;

	c->waiting = false;
	if (c->peer_gone)
		conn_free(c);
	else
		resume(c);
}

void http_set(struct http_req *req, const char *name, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL || req->n_fields == HTTP_FIELDS_MAX)
		free(copy);
	else
		req->field[req->n_fields++] = (struct http_field){ name, copy };
}

const char *http_header(struct http_req *req, const char *name)
{
	if (req->answer != NULL)
		return req->header != NULL ? req->header(req, name) : NULL;
	return MHD_lookup_connection_value(((struct conn *)req)->mhd, MHD_HEADER_KIND, name);
}

static const union MHD_ConnectionInfo *peer_info(struct http_req *req,
						 enum MHD_ConnectionInfoType what)
{
	return req->answer != NULL ? NULL :
				     MHD_get_connection_info(((struct conn *)req)->mhd, what);
}

int http_peer_fd(struct http_req *req)
{
	const union MHD_ConnectionInfo *i = peer_info(req, MHD_CONNECTION_INFO_CONNECTION_FD);

	return i != NULL ? i->connect_fd : -1;
}

void *http_peer_tls(struct http_req *req)
{
	const union MHD_ConnectionInfo *i = peer_info(req, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return i != NULL ? i->tls_session : NULL;
}

const struct sockaddr *http_peer_addr(struct http_req *req)
{
	const union MHD_ConnectionInfo *i = peer_info(req, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return i != NULL ? i->client_addr : NULL;
}

/* --- streams --------------------------------------------------------------------------------- */

struct http_stream {
	struct http_stream *later, **at; /* streams of one listener */
	struct http_listener *l;
	struct MHD_Connection *mhd;
	ssize_t (*next)(void *arg, char *buf, size_t size);
	void (*end)(void *arg);
	void *arg;
	unsigned poll_ms;
	uv_timer_t *timer; /* runs while the connection is suspended for want of data */
	bool suspended;
};

void http_stream_wake(struct http_stream *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	uv_timer_stop(s->timer);
	MHD_resume_connection(s->mhd);
	/* not at once: whoever wakes may be in the middle of something */
	uv_timer_start(&s->l->timer, on_timer, 0, 0);
}

static void on_stream_timer(uv_timer_t *t)
{
	if (t->data != NULL)
		http_stream_wake(t->data);
}

static ssize_t stream_read(void *arg, uint64_t pos, char *buf, size_t size)
{
	struct http_stream *s = arg;

	(void)pos;
	ssize_t n = s->next(s->arg, buf, size);
	if (n < 0)
		return n == -1 ? MHD_CONTENT_READER_END_OF_STREAM :
				 MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0) {
		s->suspended = true;
		MHD_suspend_connection(s->mhd);
		uv_timer_start(s->timer, on_stream_timer, s->poll_ms, 0);
	}
	return n;
}

static void free_handle(uv_handle_t *h)
{
	free(h);
}

static void stream_free(void *arg)
{
	struct http_stream *s = arg;

	*s->at = s->later;
	if (s->later != NULL)
		s->later->at = s->at;
	s->timer->data = NULL;
	uv_timer_stop(s->timer);
	uv_close((uv_handle_t *)s->timer, free_handle);
	s->end(s->arg);
	free(s);
}

/* Streams need a connection: an inner request cannot have one. */
static struct http_stream *no_stream(struct http_req *req, void (*end)(void *arg), void *arg,
				     unsigned status, const char *why)
{
	end(arg);
	http_reply(req, status, "text/plain", why, strlen(why));
	return NULL;
}

struct http_stream *http_reply_stream(struct http_req *req, const char *type, unsigned poll_ms,
				      ssize_t (*next)(void *arg, char *buf, size_t size),
				      void (*end)(void *arg), void *arg)
{
	struct conn *c = (struct conn *)req;
	struct MHD_Response *r = NULL;

	if (req->answer != NULL)
		return no_stream(req, end, arg, 501, "only as a request of its own\n");
	struct http_stream *s = malloc(sizeof(*s));
	uv_timer_t *timer = malloc(sizeof(*timer));
	if (s != NULL && timer != NULL) {
		*s = (struct http_stream){ .l = c->l,
					   .mhd = c->mhd,
					   .next = next,
					   .end = end,
					   .arg = arg,
					   .poll_ms = poll_ms,
					   .timer = timer };
		r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, stream_read, s,
						      stream_free);
	}
	if (r == NULL) {
		free(s);
		free(timer);
		return no_stream(req, end, arg, 503, "out of memory\n");
	}
	s->later = c->l->streams;
	s->at = &c->l->streams;
	if (s->later != NULL)
		s->later->at = &s->later;
	c->l->streams = s;
	uv_timer_init(c->l->http->loop, timer);
	timer->data = s;
	bool gone = c->peer_gone;
	reply(c, 200, type, r);
	return gone ? NULL : s;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *t)
{
	listener_run(t->data);
}

static void listener_run(struct http_listener *l)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (l->running) /* resumed from inside: the run under way sees it, the timer makes sure */
		ms = 0;
	else {
		l->running = true;
		MHD_run(l->mhd);
		l->running = false;
		if (MHD_get_timeout(l->mhd, &ms) != MHD_YES) {
			uv_timer_stop(&l->timer);
			return;
		}
	}
	uv_timer_start(&l->timer, on_timer, ms, 0);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	listener_run(p->data);
}

static int unix_listen(const char *path, mode_t mode, int *ret)
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
	mode_t mask = umask(~mode & 0777);
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

/* fd stays the caller's on failure. */
static int listener_create(struct http *h, int fd, const struct http_tls *tls,
			   struct http_listener **ret)
{
	struct http_listener *l = calloc(1, sizeof(*l));
	struct MHD_OptionItem more[6] = { 0 };
	unsigned n = 0;

	if (l == NULL)
		return -ENOMEM;
	l->http = h;
	l->tls = tls != NULL;
	if (tls != NULL) {
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0,
						     (void *)(uintptr_t)tls->cert };
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0,
						     (void *)(uintptr_t)tls->key };
		if (tls->trust != NULL)
			more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0,
							     (void *)(uintptr_t)tls->trust };
		more[n++] =
			(struct MHD_OptionItem){ MHD_OPTION_CONNECTION_TIMEOUT, TCP_IDLE_S, NULL };
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_PER_IP_CONNECTION_LIMIT,
						     PER_ADDRESS_MAX, NULL };
	}
	more[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls != NULL ? MHD_USE_TLS : 0);
	l->mhd = MHD_start_daemon(flags, 0, NULL, NULL, on_request, l, MHD_OPTION_LISTEN_SOCKET, fd,
				  MHD_OPTION_URI_LOG_CALLBACK, on_uri, l,
				  MHD_OPTION_NOTIFY_COMPLETED, on_completed, l,
				  MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_ARRAY,
				  more, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		l->mhd != NULL ? MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info == NULL) {
		free(l);
		return -EIO;
	}
	uv_poll_init(h->loop, &l->poll, info->epoll_fd);
	uv_timer_init(h->loop, &l->timer);
	uv_timer_init(h->loop, &l->drain);
	l->poll.data = l->timer.data = l->drain.data = l;
	uv_poll_start(&l->poll, UV_READABLE, on_poll);
	l->next = h->listeners;
	l->at = &h->listeners;
	if (l->next != NULL)
		l->next->at = &l->next;
	h->listeners = l;
	*ret = l;
	return 0;
}

int http_listen_unix(struct http *h, const char *path, mode_t mode, struct http_listener **ret)
{
	struct http_listener *l;
	int fd = -1;

	int rc = unix_listen(path, mode, &fd);
	if (rc < 0)
		return rc;
	rc = listener_create(h, fd, NULL, &l);
	if (rc < 0) {
		close(fd);
		unlink(path);
		return rc;
	}
	snprintf(l->path, sizeof(l->path), "%s", path);
	if (ret != NULL)
		*ret = l;
	return 0;
}

int http_listen_tls(struct http *h, int fd, const struct http_tls *tls, struct http_listener **ret)
{
	return listener_create(h, fd, tls, ret);
}

int http_create(uv_loop_t *loop, const struct http_hooks *hooks, void *arg, struct http **ret)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return -ENOMEM;
	h->loop = loop;
	h->hooks = *hooks;
	h->arg = arg;
	*ret = h;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct http_listener *l = handle->data;
	struct http *h = l->http;

	if (--l->n_handles != 0)
		return;
	*l->at = l->next;
	if (l->next != NULL)
		l->next->at = l->at;
	free(l);
	if (h->dead && h->listeners == NULL)
		free(h);
}

static void listener_end(struct http_listener *l)
{
	/* Whoever still waits gets an answer: libmicrohttpd must not stop with suspended requests. */
	for (struct conn *c = l->first, *next; c != NULL; c = next) {
		next = c->next;
		if (c->suspended && !c->peer_gone)
			http_reply(&c->req, 503, "text/plain", "heddle-ctrl stops\n", 18);
	}
	for (struct http_stream *s = l->streams; s != NULL; s = s->later) {
		if (s->suspended)
			MHD_resume_connection(s->mhd);
		s->suspended = false;
	}
	uv_poll_stop(&l->poll);
	uv_timer_stop(&l->timer);
	MHD_stop_daemon(l->mhd); /* closes the listening socket too */
	if (l->path[0] != '\0')
		unlink(l->path);
	l->n_handles = 3;
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->timer, on_closed);
	uv_close((uv_handle_t *)&l->drain, on_closed);
}

static void on_drain(uv_timer_t *t)
{
	struct http_listener *l = t->data;

	for (struct conn *c = l->first; c != NULL; c = c->next)
		if (c->waiting || c->response != NULL)
			return;
	uv_timer_stop(t);
	listener_end(l);
}

int http_listener_drain(struct http_listener *l)
{
	int fd = MHD_quiesce_daemon(l->mhd);

	/* The answer to the request that asked for this goes out first. */
	uv_timer_start(&l->drain, on_drain, DRAIN_POLL_MS, DRAIN_POLL_MS);
	return fd;
}

void http_destroy(struct http *h)
{
	if (h == NULL)
		return;
	h->dead = true;
	if (h->listeners == NULL)
		free(h);
	else
		for (struct http_listener *l = h->listeners; l != NULL; l = l->next)
			if (!uv_is_closing((uv_handle_t *)&l->poll))
				listener_end(l);
}
