/* SPDX-License-Identifier: BSD-3-Clause
 * Where the API is served and to whom: the Unix socket, TLS servers, groups, users and roles, all from the
 * configuration (heddle-system:system/api).  There is no TCP without TLS. */
#ifndef CTRL_API_H
#define CTRL_API_H

#include <libyang/libyang.h>
#include <stdbool.h>
#include <sys/types.h>

#include "ctrl/err.h"
#include "ctrl/http.h"

struct api;
struct ctrl;

struct api_user {
	char name[64], cn[128]; /* cn: of the client certificate */
	enum http_role role;
};

/* What admission needs to know. */
struct api_access {
	bool groups; /* some are configured: then they decide on the Unix socket */
	gid_t read_group, write_group; /* (gid_t)-1: none */
	char password_file[512];       /* "": none */
	struct api_user *user;
	unsigned n_users;
};

/* Serve on the Unix socket.  state_dir: for the audit log; NULL: none is written.  0 or -Exxx as http_listen_unix(). */
int api_create(struct ctrl *c, const char *socket_path, const char *state_dir, struct api **ret);
void api_destroy(struct api *a);

/* Can this configuration be served?  Reads certificates, binds addresses.  0, or -Exxx with err filled.  api_apply()
 * then cannot fail, and api_abort() gives back what was bound.  All take NULL. */
int api_check(struct api *a, const struct lyd_node *tree, struct ctrl_err *err);
void api_apply(struct api *a, const struct lyd_node *tree);
void api_abort(struct api *a);

#endif
