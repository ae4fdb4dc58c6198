/* SPDX-License-Identifier: BSD-3-Clause
 * HTTP server on a Unix socket, driven by the libuv loop (libmicrohttpd with its epoll descriptor outside).
 * A request is handed over whole; it is answered exactly once, at once or later, with http_reply() or
 * http_reply_stream().  A peer that goes away in the meantime is nobody's concern: the answer is dropped. */
#ifndef CTRL_HTTP_H
#define CTRL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#define HTTP_BODY_MAX (72u << 20) /* octets of a request body: a configuration, as a JSON string */

struct http;

struct http_req {
	const char *method; /* "GET" */
	const char *path;   /* decoded, without the query */
	const char *body;   /* NUL behind it */
	size_t body_len;
};

/* Called for every complete request. */
typedef void (*http_handler)(void *arg, struct http_req *req);

/* Listen on `path`, made with mode 0660, replacing a socket nobody listens on.  0, -EADDRINUSE when another process
 * serves it, or another -Exxx. */
int http_create(uv_loop_t *loop, const char *path, http_handler handler, void *arg,
		struct http **ret);
/* Ends all connections and removes the socket. */
void http_destroy(struct http *h);

/* Value of a query parameter, or NULL. */
const char *http_query(struct http_req *req, const char *name);

/* type: content type.  body is copied. */
void http_reply(struct http_req *req, unsigned status, const char *type, const void *body,
		size_t len);

/* A body of unknown length.  next() fills buf: octets, 0 when there are none yet (asked again soon), or -1 at the
 * end.  end() is called once, when all is sent or the peer has gone. */
void http_reply_stream(struct http_req *req, const char *type,
		       ssize_t (*next)(void *arg, char *buf, size_t size), void (*end)(void *arg),
		       void *arg);

#endif
