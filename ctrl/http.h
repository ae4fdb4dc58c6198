/* SPDX-License-Identifier: BSD-3-Clause
 * HTTP server driven by the libuv loop (libmicrohttpd with its epoll descriptors outside): one server, any number of
 * listeners, on Unix sockets or on TCP with TLS.
 * A request is first shown without its body, to be admitted or refused; then it is handed over whole, and answered
 * exactly once, at once or later, with http_reply() or http_reply_stream().  A peer that goes away in the meantime is
 * nobody's concern: the answer is dropped. */
#ifndef CTRL_HTTP_H
#define CTRL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <uv.h>

#define HTTP_BODY_MAX      (72u << 20) /* octets of a request body: a configuration, as a JSON string */
#define HTTP_BODY_READ_MAX (1u << 20) /* of somebody who may only read */
#define HTTP_FIELDS_MAX    8u

struct http;
struct http_listener;
struct http_stream;

enum http_role { HTTP_ROLE_NONE, HTTP_ROLE_READ, HTTP_ROLE_WRITE };

struct http_field {
	const char *name; /* static */
	char *value;
};

struct http_req {
	const char *method; /* "GET" */
	const char *path;   /* as sent, with its percent encoding, without the query */
	const char *query;  /* as sent, what follows the '?'; "" if none */
	const char *body;   /* NUL behind it */
	size_t body_len;
	/* who asks: filled by the admit hook */
	char user[64], from[96];
	char note[160]; /* how it ended, for the audit log */
	enum http_role role;
	/* A request that did not come over a connection is answered by this call; NULL for all others. */
	void (*answer)(struct http_req *req, unsigned status, const char *type, const void *body,
		       size_t len);
	const char *(*header)(struct http_req *req,
			      const char *name);  /* of such a request; or NULL */
	struct http_field field[HTTP_FIELDS_MAX]; /* see http_set() */
	unsigned n_fields;
};

struct http_hooks {
	/* Called with a request's head.  0: admitted.  -EINPROGRESS: http_admit() follows, or an answer that refuses.
	 * Another value: it has been answered already. */
	int (*admit)(void *arg, struct http_req *req);
	/* Called with a complete request. */
	void (*handle)(void *arg, struct http_req *req);
	/* Called for every answer, before it is sent.  NULL: nobody wants to know. */
	void (*answered)(void *arg, struct http_req *req, unsigned status);
};

/* Certificate, key and trusted client authorities, all PEM texts; trust may be NULL. */
struct http_tls {
	const char *cert, *key, *trust;
};

/* A server that does not listen yet.  0 or -ENOMEM. */
int http_create(uv_loop_t *loop, const struct http_hooks *hooks, void *arg, struct http **ret);
/* Ends all connections and removes the sockets. */
void http_destroy(struct http *h);

/* Listen on `path` with this mode, replacing a socket nobody listens on.  0, -EADDRINUSE when another process serves
 * it, or another -Exxx. */
int http_listen_unix(struct http *h, const char *path, mode_t mode, struct http_listener **ret);
/* Listen with TLS on fd, a socket that is bound and listens; it passes to the listener on success. */
int http_listen_tls(struct http *h, int fd, const struct http_tls *tls, struct http_listener **ret);
/* Accept no more, answer what is under way, then end.  Returns the listening socket, which becomes the caller's. */
int http_listener_drain(struct http_listener *l);

/* The end of an admission that was in progress: the request goes on.  To refuse it, it is answered. */
void http_admit(struct http_req *req);

/* What is known about the peer: its socket; its TLS session (gnutls_session_t) or NULL; its address. */
int http_peer_fd(struct http_req *req);
void *http_peer_tls(struct http_req *req);
const struct sockaddr *http_peer_addr(struct http_req *req);

/* Value of a request's header field, or NULL. */
const char *http_header(struct http_req *req, const char *name);
/* Add a field to the answer that will be given; name is kept, value copied. */
void http_set(struct http_req *req, const char *name, const char *value);

/* type: content type, NULL: none.  body is copied. */
void http_reply(struct http_req *req, unsigned status, const char *type, const void *body,
		size_t len);

/* A body of unknown length.  next() fills buf: octets, 0 when there are none yet (asked again after poll_ms, or when
 * woken), -1 at the end, or -2 at an end that must not look complete.  end() is called once, when all is sent or the
 * peer has gone.  Returns the stream, good until end() is called; NULL: there is none, and end() has been called. */
struct http_stream *http_reply_stream(struct http_req *req, const char *type, unsigned poll_ms,
				      ssize_t (*next)(void *arg, char *buf, size_t size),
				      void (*end)(void *arg), void *arg);
void http_stream_wake(struct http_stream *s);

#endif
