/* SPDX-License-Identifier: BSD-3-Clause
 * Who asks, and what may he do: peer credentials on a Unix socket; on TLS a client certificate, or a password whose
 * argon2id hash stands in a file (libsodium). */
#ifndef CTRL_AUTH_H
#define CTRL_AUTH_H

#include <uv.h>

#include "ctrl/api.h"

struct auth;

struct auth *auth_create(uv_loop_t *loop,
			 const struct api_access *access); /* access stays the caller's */
void auth_destroy(struct auth *a);

/* Fill user, from and role of a request.  As the admit hook: 0, -EINPROGRESS, or 1: refused, and answered. */
int auth_admit(struct auth *a, struct http_req *req);
/* Users or the password file have changed: what was remembered about passwords is not. */
void auth_forget(struct auth *a);

/* Is there a "name:hash" in a password file's text, and does the password fit?  Takes the same time when there is no
 * such name.  Takes long: not for the loop. */
bool auth_password_fits(const char *text, const char *name, const char *password);
/* Is each line of a password file "name:hash" of argon2?  0, or the number of the first that is not. */
unsigned auth_password_check(const char *text);

#endif
