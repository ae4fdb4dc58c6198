/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/api.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <grp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/audit.h"
#include "ctrl/auth.h"
#include "ctrl/cfg.h"
#include "ctrl/ctrl.h"
#include "ctrl/file.h"
#include "ctrl/log.h"
#include "ctrl/restconf.h"
#include "ctrl/yaml.h"

#define SERVERS_MAX  8u
#define PEM_FILE_MAX (1u << 20)
#define PORT_DEFAULT 8443u

/* A TLS server as it is configured, with the content of its files. */
struct server {
	char name[64], address[64];
	uint16_t port;
	char *cert, *key, *trust; /* PEM; trust may be NULL */
	int fd;                   /* bound; -1: that of the server that has this address already */
	struct http_listener *listener;
};

struct settings {
	struct api_access access;
	struct server server[SERVERS_MAX];
	unsigned n_servers;
};

struct api {
	struct ctrl *c;
	struct http *http;
	struct auth *auth;
	struct audit *audit;
	char socket[108];
	gid_t first_group; /* of the socket file, as it was made */
	struct settings now;
	struct settings next; /* checked, not applied */
	bool checked;
};

/* --- settings from the tree ------------------------------------------------------------------ */

static void settings_fini(struct settings *s)
{
	for (unsigned i = 0; i < s->n_servers; i++) {
		struct server *v = &s->server[i];
		free(v->cert);
		if (v->key != NULL)
			sodium_memzero(v->key, strlen(v->key));
		free(v->key);
		free(v->trust);
		if (v->fd >= 0)
			close(v->fd);
	}
	free(s->access.user);
	*s = (struct settings){ 0 };
}

static int refuse(struct ctrl_err *err, const struct lyd_node *at, int rc, const char *what,
		  const char *name)
{
	char *path = lyd_path(at, LYD_PATH_STD, NULL, 0);

	err->line = yaml_line(at);
	snprintf(err->path, sizeof(err->path), "%s", path != NULL ? path : "");
	free(path);
	return ctrl_fail(err, -EINVAL, "%s%s%s%s%s", name, name[0] != '\0' ? ": " : "", what,
			 rc != 0 ? ": " : "", rc != 0 ? strerror(-rc) : "");
}

static int read_pem(const struct lyd_node *at, const char *leaf, char **ret, struct ctrl_err *err)
{
	const char *path = cfg_str(at, leaf);
	size_t len;

	if (path == NULL)
		return 0;
	int rc = file_read(path, PEM_FILE_MAX, ret, &len);
	return rc < 0 ? refuse(err, cfg_child(at, leaf), rc, "cannot be read", path) : 0;
}

/* Do key and certificate fit, and is the authority one? */
static int check_tls(const struct lyd_node *at, const struct server *v, struct ctrl_err *err)
{
	gnutls_certificate_credentials_t cred;
	gnutls_datum_t cert = { (uint8_t *)v->cert, (unsigned)strlen(v->cert) },
		       key = { (uint8_t *)v->key, (unsigned)strlen(v->key) };
	int rc = gnutls_certificate_allocate_credentials(&cred);

	if (rc < 0)
		return refuse(err, at, -ENOMEM, "no TLS", "");
	rc = gnutls_certificate_set_x509_key_mem(cred, &cert, &key, GNUTLS_X509_FMT_PEM);
	if (rc < 0)
		rc = refuse(err, at, 0, gnutls_strerror(rc), "certificate and key");
	if (rc == 0 && v->trust != NULL) {
		gnutls_datum_t ca = { (uint8_t *)v->trust, (unsigned)strlen(v->trust) };
		int n = gnutls_certificate_set_x509_trust_mem(cred, &ca, GNUTLS_X509_FMT_PEM);
		if (n <= 0)
			rc = refuse(err, cfg_child(at, "client-ca"), 0,
				    n < 0 ? gnutls_strerror(n) : "no certificate in it",
				    cfg_str(at, "client-ca"));
	}
	gnutls_certificate_free_credentials(cred);
	return rc < 0 ? rc : 0;
}

static int tcp_bind(const char *address, uint16_t port, int *ret)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = { 0 };
	socklen_t len = sizeof(a.in);
	uint8_t ip[16];
	int one = 1;

	uint8_t family = cfg_addr(address, ip);
	if (family == 6) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(port);
		memcpy(&a.in6.sin6_addr, ip, 16);
		len = sizeof(a.in6);
	} else {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
		memcpy(&a.in.sin_addr, ip, 4);
	}
	int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == 6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, &a.sa, len) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	*ret = fd;
	return 0;
}

static const struct server *same_address(const struct settings *s, const struct server *v)
{
	for (unsigned i = 0; i < s->n_servers; i++)
		if (s->server[i].port == v->port && strcmp(s->server[i].address, v->address) == 0 &&
		    &s->server[i] != v)
			return &s->server[i];
	return NULL;
}

static int read_server(struct api *a, const struct lyd_node *at, struct settings *s,
		       struct ctrl_err *err)
{
	if (s->n_servers == SERVERS_MAX)
		return refuse(err, at, 0, "more servers than 8", "");
	struct server *v = &s->server[s->n_servers++];
	*v = (struct server){ .fd = -1, .port = (uint16_t)cfg_u32(at, "port", PORT_DEFAULT) };
	snprintf(v->name, sizeof(v->name), "%s", cfg_str(at, "name"));
	snprintf(v->address, sizeof(v->address), "%s", cfg_str(at, "address"));
	int rc = read_pem(at, "certificate", &v->cert, err);
	if (rc == 0)
		rc = read_pem(at, "key", &v->key, err);
	if (rc == 0)
		rc = read_pem(at, "client-ca", &v->trust, err);
	if (rc == 0)
		rc = check_tls(at, v, err);
	if (rc < 0)
		return rc;
	if (v->trust == NULL && s->access.password_file[0] == '\0')
		return refuse(err, at, 0,
			      "nobody could come in: it needs a client-ca, or system/api a "
			      "password-file",
			      "");
	if (same_address(s, v) != NULL)
		return refuse(err, at, 0, "another server has this address and port", "");
	if (same_address(&a->now, v) != NULL)
		return 0; /* its socket is taken over */
	rc = tcp_bind(v->address, v->port, &v->fd);
	return rc < 0 ? refuse(err, at, rc, "cannot be bound", v->address) : 0;
}

static int read_group(const struct lyd_node *at, const char *leaf, gid_t *ret, struct ctrl_err *err)
{
	const char *name = cfg_str(at, leaf);
	struct group gr, *found = NULL;
	char buf[16384];

	*ret = (gid_t)-1;
	if (name == NULL)
		return 0;
	if (getgrnam_r(name, &gr, buf, sizeof(buf), &found) != 0 || found == NULL)
		return refuse(err, cfg_child(at, leaf), 0, "there is no such group here", name);
	*ret = gr.gr_gid;
	return 0;
}

static int read_users(const struct lyd_node *at, struct api_access *acc, struct ctrl_err *err)
{
	unsigned n = 0;

	cfg_foreach(u, at, "user") n++;
	acc->user = calloc(n + 1, sizeof(*acc->user));
	if (acc->user == NULL)
		return ctrl_fail(err, -ENOMEM, "out of memory");
	cfg_foreach(u, at, "user")
	{
		struct api_user *to = &acc->user[acc->n_users++];
		const char *name = cfg_str(u, "name"), *cn = cfg_str(u, "certificate-name");
		snprintf(to->name, sizeof(to->name), "%s", name);
		snprintf(to->cn, sizeof(to->cn), "%s", cn != NULL ? cn : name);
		to->role = cfg_enum(u, "role", 0) == 1 ? HTTP_ROLE_WRITE : HTTP_ROLE_READ;
	}
	return 0;
}

static int read_password_file(const struct lyd_node *at, struct api_access *acc,
			      struct ctrl_err *err)
{
	const char *path = cfg_str(at, "password-file");
	struct stat st;
	char *text, what[80];
	size_t len;

	if (path == NULL)
		return 0;
	const struct lyd_node *leaf = cfg_child(at, "password-file");
	int rc = file_read(path, 1 << 20, &text, &len);
	if (rc < 0)
		return refuse(err, leaf, rc, "cannot be read", path);
	unsigned line = auth_password_check(text);
	free(text);
	if (line != 0) {
		snprintf(what, sizeof(what),
			 "line %u is not NAME:HASH as 'heddle passwd' makes them", line);
		return refuse(err, leaf, 0, what, path);
	}
	if (stat(path, &st) == 0 && (st.st_mode & 07) != 0)
		return refuse(err, leaf, 0, "everybody may read it: chmod o= it", path);
	snprintf(acc->password_file, sizeof(acc->password_file), "%s", path);
	return 0;
}

static int read_settings(struct api *a, const struct lyd_node *tree, struct settings *s,
			 struct ctrl_err *err)
{
	const struct lyd_node *at = cfg_child(cfg_top(tree, "system"), "api");

	*s = (struct settings){ 0 };
	int rc = read_group(at, "read-group", &s->access.read_group, err);
	if (rc == 0)
		rc = read_group(at, "write-group", &s->access.write_group, err);
	if (rc == 0)
		rc = read_users(at, &s->access, err);
	if (rc == 0)
		rc = read_password_file(at, &s->access, err);
	s->access.groups = s->access.read_group != (gid_t)-1 || s->access.write_group != (gid_t)-1;
	cfg_foreach(v, at, "server") if (rc == 0) rc = read_server(a, v, s, err);
	return rc;
}

int api_check(struct api *a, const struct lyd_node *tree, struct ctrl_err *err)
{
	if (a == NULL)
		return 0;
	api_abort(a);
	int rc = read_settings(a, tree, &a->next, err);
	if (rc < 0)
		settings_fini(&a->next);
	a->checked = rc == 0;
	return rc;
}

void api_abort(struct api *a)
{
	if (a == NULL || !a->checked)
		return;
	a->checked = false;
	settings_fini(&a->next);
}

/* --- putting them in force ------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void start_server(struct api *a, struct server *v, int fd)
{
	struct http_tls tls = { .cert = v->cert, .key = v->key, .trust = v->trust };

	int rc = listen(fd, 64) < 0 ? -errno : http_listen_tls(a->http, fd, &tls, &v->listener);
	if (rc < 0) {
		log_error("API: server %s does not start: %s", v->name, strerror(-rc));
		close(fd);
		return;
	}
	log_info("API: server %s on %s port %u, with TLS", v->name, v->address, v->port);
}

/* What stays the same goes on; an address that stays keeps its socket, so that nobody is refused in between. */
static void take_servers(struct api *a, struct settings *next)
{
	for (unsigned i = 0; i < next->n_servers; i++) {
		struct server *v = &next->server[i];
		struct server *old = (struct server *)same_address(&a->now, v);
		int fd = v->fd;
		v->fd = -1;
		if (old != NULL && old->listener != NULL) {
			if (same_text(old->cert, v->cert) && same_text(old->key, v->key) &&
			    same_text(old->trust, v->trust)) {
				v->listener = old->listener;
				old->listener = NULL;
				continue;
			}
			fd = http_listener_drain(old->listener);
			old->listener = NULL;
		}
		if (fd >= 0 || tcp_bind(v->address, v->port, &fd) == 0)
			start_server(a, v, fd);
		else
			log_error("API: server %s does not start", v->name);
	}
	for (unsigned i = 0; i < a->now.n_servers; i++) {
		struct server *old = &a->now.server[i];
		if (old->listener == NULL)
			continue;
		close(http_listener_drain(old->listener));
		log_info("API: server %s ends", old->name);
	}
}

/* With a read group everybody may connect, and the credentials decide; with a write group alone, its members. */
static void take_groups(struct api *a, const struct api_access *acc)
{
	bool open = acc->read_group != (gid_t)-1;
	gid_t group = acc->write_group != (gid_t)-1 ? acc->write_group : a->first_group;

	if (chown(a->socket, (uid_t)-1, group) < 0 || chmod(a->socket, open ? 0666 : 0660) < 0)
		log_error("API: %s: %s", a->socket, strerror(errno));
}

void api_apply(struct api *a, const struct lyd_node *tree)
{
	struct ctrl_err err = { 0 };
	char line[1500];

	if (a == NULL)
		return;
	if (!a->checked && api_check(a, tree, &err) < 0) {
		log_error("API: %s", ctrl_err_str(&err, line, sizeof(line)));
		return;
	}
	a->checked = false;
	take_servers(a, &a->next);
	take_groups(a, &a->next.access);
	auth_forget(a->auth);
	settings_fini(&a->now);
	a->now = a->next;
	a->next = (struct settings){ 0 };
}

/* --- life ------------------------------------------------------------------------------------ */

static int admit(void *arg, struct http_req *req)
{
	struct api *a = arg;

	return auth_admit(a->auth, req);
}

static void handle(void *arg, struct http_req *req)
{
	struct api *a = arg;

	restconf_handle(a->c, req);
}

static void answered(void *arg, struct http_req *req, unsigned status)
{
	struct api *a = arg;

	audit_write(a->audit, req, status);
}

int api_create(struct ctrl *c, const char *socket_path, const char *state_dir, struct api **ret)
{
	static const struct http_hooks hooks = { admit, handle, answered };
	struct api *a = calloc(1, sizeof(*a));
	struct stat st;

	if (a == NULL)
		return -ENOMEM;
	a->c = c;
	a->now.access.read_group = a->now.access.write_group = (gid_t)-1;
	snprintf(a->socket, sizeof(a->socket), "%s", socket_path);
	a->auth = auth_create(c->loop, &a->now.access);
	a->audit = state_dir != NULL ? audit_create(state_dir) : NULL;
	int rc = a->auth == NULL ? -ENOMEM : http_create(c->loop, &hooks, a, &a->http);
	if (rc == 0)
		rc = http_listen_unix(a->http, socket_path, 0660, NULL);
	if (rc < 0) {
		api_destroy(a);
		return rc;
	}
	a->first_group = stat(socket_path, &st) == 0 ? st.st_gid : getegid();
	*ret = a;
	return 0;
}

void api_destroy(struct api *a)
{
	if (a == NULL)
		return;
	api_abort(a);
	http_destroy(a->http);
	settings_fini(&a->now);
	auth_destroy(a->auth);
	audit_destroy(a->audit);
	free(a);
}
