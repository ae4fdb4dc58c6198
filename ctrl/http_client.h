/* SPDX-License-Identifier: BSD-3-Clause
 * One GET of another heddle-ctrl's API, in a thread of libuv's pool, so that the loop never waits. */
#ifndef CTRL_HTTP_CLIENT_H
#define CTRL_HTTP_CLIENT_H

#include "ctrl/ctrl.h"

struct json_object;

struct http_peer {        /* empty strings: none */
	char url[208];    /* "https://r2.example:8443"; or else */
	char socket[108]; /* a Unix socket */
	char ca_file[256], certificate_file[256], key_file[256];
};

#define HTTP_CLIENT_TIMEOUT_S 5
#define HTTP_CLIENT_MAX       (64u << 20) /* octets of an answer */

/* Called once, in the loop.  answer NULL: problem says why.  Both are gone when it returns. */
typedef void (*http_client_done)(void *arg, struct json_object *answer, const char *problem);
/* path: "/restconf/data/...".  0, or -ENOMEM: done is not called.  Counts in c->jobs. */
int http_client_get(struct ctrl *c, const struct http_peer *peer, const char *path,
		    http_client_done done, void *arg);

#endif
