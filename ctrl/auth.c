/* SPDX-License-Identifier: BSD-3-Clause
 * Argon2 is slow and needs much memory, on purpose: passwords are checked one after the other in a thread of libuv's
 * pool, few may wait, and one that fitted is remembered for a while by a keyed hash of it. */
#include "ctrl/auth.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netdb.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/file.h"
#include "ctrl/log.h"
#include "ctrl/restconf.h"

#define REMEMBERED        64u
#define REMEMBER_MS       300000u
#define WAITING_MAX       8u
#define PASSWORD_FILE_MAX (1u << 20)
#define PASSWORD_MAX      256u
#define GROUPS_MAX        256u

struct known {
	uint8_t hash[32]; /* of name and password */
	uint64_t until_ms;
};

struct auth {
	uv_loop_t *loop;
	const struct api_access *access;
	uint8_t key[32];
	struct known known[REMEMBERED];
	unsigned next;
	struct timespec file_time;
	unsigned n_waiting; /* checks under way or queued */
	bool dead;
};

struct check {
	uv_work_t work;
	struct auth *a;
	struct http_req *req;
	char file[512], name[64], password[PASSWORD_MAX];
	uint8_t hash[32];
	enum http_role role;
	bool fits;
};

struct auth *auth_create(uv_loop_t *loop, const struct api_access *access)
{
	struct auth *a = calloc(1, sizeof(*a));

	if (a == NULL || sodium_init() < 0) {
		free(a);
		return NULL;
	}
	a->loop = loop;
	a->access = access;
	randombytes_buf(a->key, sizeof(a->key));
	return a;
}

void auth_forget(struct auth *a)
{
	sodium_memzero(a->known, sizeof(a->known));
}

void auth_destroy(struct auth *a)
{
	if (a == NULL)
		return;
	a->dead = true;
	if (a->n_waiting == 0) /* else the last check frees it */
		free(a);
}

static const struct api_user *find_user(const struct auth *a, const char *name, bool by_cn)
{
	for (unsigned i = 0; i < a->access->n_users; i++) {
		const struct api_user *u = &a->access->user[i];
		if (strcmp(by_cn ? u->cn : u->name, name) == 0)
			return u;
	}
	return NULL;
}

/* --- Unix socket ----------------------------------------------------------------------------- */

static bool in_group(int fd, gid_t primary, gid_t want)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (want == (gid_t)-1)
		return false;
	if (primary == want)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == want)
			return true;
	return false;
}

static int admit_unix(struct auth *a, struct http_req *req)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd = http_peer_fd(req);
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		restconf_errorf(req, -EACCES, "who asks is not known: %s", strerror(errno));
		return 1;
	}
	if (getpwuid_r(cred.uid, &pw, buf, sizeof(buf), &found) == 0 && found != NULL)
		snprintf(req->user, sizeof(req->user), "%s", pw.pw_name);
	else
		snprintf(req->user, sizeof(req->user), "uid %u", cred.uid);
	snprintf(req->from, sizeof(req->from), "unix socket, pid %d, uid %u", (int)cred.pid,
		 cred.uid);
	if (cred.uid == 0 || cred.uid == geteuid() || !a->access->groups)
		req->role = HTTP_ROLE_WRITE; /* without groups, the file's mode has decided */
	else if (in_group(fd, cred.gid, a->access->write_group))
		req->role = HTTP_ROLE_WRITE;
	else if (in_group(fd, cred.gid, a->access->read_group))
		req->role = HTTP_ROLE_READ;
	if (req->role != HTTP_ROLE_NONE)
		return 0;
	restconf_errorf(req, -EACCES,
			"%s is in neither group that may use the API (system/api/read-group, "
			"write-group)",
			req->user);
	return 1;
}

/* --- client certificates --------------------------------------------------------------------- */

/* Common name of the peer's certificate, when it has one that a trusted authority signed. */
static bool certified_name(gnutls_session_t tls, char *buf, size_t size)
{
	unsigned n = 0, status = 0;
	const gnutls_datum_t *der = gnutls_certificate_get_peers(tls, &n);
	gnutls_x509_crt_t crt;

	if (der == NULL || n == 0 || gnutls_certificate_verify_peers2(tls, &status) < 0 ||
	    status != 0 || gnutls_x509_crt_init(&crt) < 0)
		return false;
	bool ok = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0 &&
		  gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, buf,
						&size) == 0;
	gnutls_x509_crt_deinit(crt);
	return ok;
}

/* --- passwords ------------------------------------------------------------------------------- */

/* Next line of a password file: name and hash; false at its end. */
static bool next_line(const char **at, char name[64], char hash[crypto_pwhash_STRBYTES],
		      bool *ret_good)
{
	while (**at == '\n' || **at == '#') {
		*at += strcspn(*at, "\n");
		*at += **at == '\n';
	}
	if (**at == '\0')
		return false;
	size_t len = strcspn(*at, "\n");
	const char *colon = memchr(*at, ':', len);
	size_t name_len = colon != NULL ? (size_t)(colon - *at) : 0,
	       hash_len = colon != NULL ? len - name_len - 1 : 0;
	*ret_good = name_len > 0 && name_len < 64 && hash_len > 0 &&
		    hash_len < crypto_pwhash_STRBYTES;
	if (*ret_good) {
		snprintf(name, 64, "%.*s", (int)name_len, *at);
		memset(hash, 0, crypto_pwhash_STRBYTES);
		memcpy(hash, colon + 1, hash_len);
		*ret_good = strncmp(hash, "$argon2", 7) == 0;
	}
	*at += len + ((*at)[len] == '\n');
	return true;
}

unsigned auth_password_check(const char *text)
{
	char name[64], hash[crypto_pwhash_STRBYTES];
	const char *at = text;
	bool good;

	while (next_line(&at, name, hash, &good))
		if (!good) {
			unsigned line = 0;
			for (const char *p = text; p < at; p++)
				line += *p == '\n';
			return line + (at > text && at[-1] != '\n');
		}
	return 0;
}

bool auth_password_fits(const char *text, const char *name, const char *password)
{
	char hash[crypto_pwhash_STRBYTES], line_hash[crypto_pwhash_STRBYTES], line_name[64];
	bool good, found = false;

	while (next_line(&text, line_name, line_hash, &good))
		if (good && !found && strcmp(line_name, name) == 0) {
			memcpy(hash, line_hash, sizeof(hash));
			found = true;
		}
	if (found)
		return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
	if (crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		log_warning("API: no memory to check a password");
	return false;
}

static void fingerprint(const struct auth *a, const char *name, const char *password,
			uint8_t hash[32])
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, a->key, sizeof(a->key), 32);
	crypto_generichash_update(&st, (const uint8_t *)name, strlen(name) + 1);
	crypto_generichash_update(&st, (const uint8_t *)password, strlen(password));
	crypto_generichash_final(&st, hash, 32);
}

static bool remembered(struct auth *a, const uint8_t hash[32])
{
	struct stat st;

	/* a password file that was written meanwhile may say otherwise */
	if (stat(a->access->password_file, &st) < 0)
		return false;
	if (st.st_mtim.tv_sec != a->file_time.tv_sec ||
	    st.st_mtim.tv_nsec != a->file_time.tv_nsec) {
		auth_forget(a);
		a->file_time = st.st_mtim;
		return false;
	}
	for (unsigned i = 0; i < REMEMBERED; i++)
		if (a->known[i].until_ms > uv_now(a->loop) &&
		    sodium_memcmp(a->known[i].hash, hash, 32) == 0)
			return true;
	return false;
}

static void check_work(uv_work_t *w)
{
	struct check *k = w->data;
	char *text;
	size_t len;

	if (file_read(k->file, PASSWORD_FILE_MAX, &text, &len) < 0)
		return;
	k->fits = auth_password_fits(text, k->name, k->password);
	sodium_memzero(text, len);
	free(text);
}

static void unauthorised(struct http_req *req, const char *why);

static void check_done(uv_work_t *w, int status)
{
	struct check *k = w->data;
	struct auth *a = k->a;

	a->n_waiting--;
	if (a->dead) { /* the server has gone, and its requests with it */
		status = UV_ECANCELED;
	} else if (status == 0 && k->fits) {
		struct known *n = &a->known[a->next++ % REMEMBERED];
		memcpy(n->hash, k->hash, 32);
		n->until_ms = uv_now(a->loop) + REMEMBER_MS;
		k->req->role = k->role;
		http_admit(k->req);
	} else {
		log_warning("API: wrong name or password for '%s' from %s", k->req->user,
			    k->req->from);
		unauthorised(k->req, "name or password is wrong");
	}
	sodium_memzero(k, sizeof(*k));
	free(k);
	if (a->dead && a->n_waiting == 0)
		free(a);
}

/* Name and password of "Basic base64(name:password)" (RFC 7617). */
static bool basic(const char *value, char name[64], char password[PASSWORD_MAX])
{
	char text[64 + PASSWORD_MAX];
	size_t len = 0;

	if (value == NULL || strncasecmp(value, "Basic ", 6) != 0)
		return false;
	value += 6 + strspn(value + 6, " ");
	if (sodium_base642bin((uint8_t *)text, sizeof(text) - 1, value, strlen(value), " ", &len,
			      NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return false;
	text[len] = '\0';
	char *colon = strchr(text, ':');
	bool ok = colon != NULL && strlen(text) == len && colon - text < 64 &&
		  strlen(colon + 1) < PASSWORD_MAX;
	if (ok) {
		*colon = '\0';
		memcpy(name, text, (size_t)(colon - text) + 1);
		memcpy(password, colon + 1, strlen(colon + 1) + 1);
	}
	sodium_memzero(text, sizeof(text));
	return ok;
}

static void unauthorised(struct http_req *req, const char *why)
{
	http_set(req, "WWW-Authenticate", "Basic realm=\"heddle\", charset=\"UTF-8\"");
	restconf_errorf(req, -EPERM, "%s", why);
}

static int admit_password(struct auth *a, struct http_req *req)
{
	char name[64], password[PASSWORD_MAX];
	uint8_t hash[32];

	if (a->access->password_file[0] == '\0') {
		restconf_errorf(req, -EPERM,
				"a client certificate is needed whose common name is a user's");
		return 1;
	}
	if (!basic(http_header(req, "Authorization"), name, password)) {
		unauthorised(req, "a client certificate, or name and password are needed");
		return 1;
	}
	snprintf(req->user, sizeof(req->user), "%s", name);
	const struct api_user *user = find_user(a, name, false);
	fingerprint(a, name, password, hash);
	if (user != NULL && remembered(a, hash)) {
		sodium_memzero(password, sizeof(password));
		req->role = user->role;
		return 0;
	}
	struct check *k = a->n_waiting < WAITING_MAX ? calloc(1, sizeof(*k)) : NULL;
	if (k == NULL) {
		sodium_memzero(password, sizeof(password));
		restconf_errorf(req, -EAGAIN, "too many logins at once; try again");
		return 1;
	}
	*k = (struct check){ .a = a, .req = req, .role = user != NULL ? user->role : 0 };
	k->work.data = k;
	memcpy(k->hash, hash, 32);
	snprintf(k->file, sizeof(k->file), "%s", a->access->password_file);
	/* who is not configured may not come in, whatever the file says; and takes as long to be told */
	snprintf(k->name, sizeof(k->name), "%s", user != NULL ? name : "");
	memcpy(k->password, password, sizeof(password));
	sodium_memzero(password, sizeof(password));
	a->n_waiting++;
	uv_queue_work(a->loop, &k->work, check_work, check_done);
	return -EINPROGRESS;
}

int auth_admit(struct auth *a, struct http_req *req)
{
	gnutls_session_t tls = http_peer_tls(req);
	const struct sockaddr *addr = http_peer_addr(req);
	char host[64], port[16], cn[128];

	if (tls == NULL)
		return admit_unix(a, req);
	socklen_t len = addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
						      sizeof(struct sockaddr_in);
	if (getnameinfo(addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(req->from, sizeof(req->from), "%s port %s", host, port);
	if (!certified_name(tls, cn, sizeof(cn)))
		return admit_password(a, req);
	snprintf(req->user, sizeof(req->user), "%.63s", cn);
	const struct api_user *user = find_user(a, cn, true);
	if (user == NULL) {
		restconf_errorf(req, -EACCES,
				"no user is configured for a certificate of '%s' (system/api/user)",
				cn);
		return 1;
	}
	snprintf(req->user, sizeof(req->user), "%s", user->name);
	req->role = user->role;
	return 0;
}
