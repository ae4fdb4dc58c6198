/* SPDX-License-Identifier: BSD-3-Clause
 * Fuzz target: a request to the API: method, URI with query, header, role and body, handed over without a connection.
 * It is answered exactly once, an error says why, and what runs stays valid: it is parsed again to the same text.
 * Input: "METHOD URI\nIf-Match or Content-Type: value\nbody"; the first octet's case chooses the role. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/candidate.h"
#include "ctrl/config.h"
#include "ctrl/ctrl.h"
#include "ctrl/dp.h"
#include "ctrl/events.h"
#include "ctrl/log.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uv_loop_t loop;
static struct ctrl c;

struct call {
	struct http_req req; /* first */
	char *name, *value;  /* of one header field */
	unsigned answers, status;
};

static void answered(struct http_req *req, unsigned status, const char *type, const void *body,
		     size_t len)
{
	struct call *call = (struct call *)req;

	(void)type;
	call->answers++;
	call->status = status;
	if (status >= 400 && status != 500 && (len == 0 || memchr(body, 'm', len) == NULL))
		abort(); /* no error-message */
	for (unsigned i = 0; i < req->n_fields; i++)
		free(req->field[i].value);
	req->n_fields = 0;
}

static const char *header(struct http_req *req, const char *name)
{
	struct call *call = (struct call *)req;

	return call->name != NULL && strcmp(call->name, name) == 0 ? call->value : NULL;
}

static void done(void *arg, const struct load_result *r)
{
	(void)arg;
	if (r->rc < 0)
		abort();
}

static void start(void)
{
	static const char text[] =
		"system: {hostname: x}\n"
		"interfaces: {interface: [{name: a, devargs: net_null0, mtu: 1400,\n"
		"  ipv4: {address: [{ip: 10.0.0.1, prefix-length: 24}]}}, {name: a.1, parent: a,\n"
		"  outer-vlan: {id: 1}, vrf: r}]}\n"
		"ip: {vrf: [{name: r}], route: [{prefix: 10.2.0.0/16, next-hop: [{interface: a}]},\n"
		"  {prefix: 10.3.0.0/16, srv6-policy: p}]}\n"
		"srv6: {encapsulation: {source-address: 'fc00::1'}, policy: [{name: p,\n"
		"  segment-list: [{name: l, segment: ['fc00::2', 'fc00::3']}]}]}\n";
	static const struct dp_hooks hooks = { 0 };
	struct ctrl_err err = { 0 };
	struct load l = { 0 };

	log_level = LOG_LEVEL_ERROR;
	uv_loop_init(&loop);
	c = (struct ctrl){ .loop = &loop,
			   .ly = config_yang(HEDDLE_YANG_DIR, &err),
			   .ids = ids_create() };
	c.dp = dp_create(c.loop, "/nonexistent", &hooks, &c);
	c.events = events_create(&c);
	c.running = running_create(&c, NULL);
	c.candidate = candidate_create(&c);
	if (c.ly == NULL || config_parse(c.ly, text, sizeof(text) - 1, "start", &l.cfg, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	running_load(c.running, &l, done, NULL);
}

/* Cut the first line off *at; NULL at the end. */
static char *line(char **at)
{
	char *first = *at, *end = strchr(*at, '\n');

	if (end != NULL)
		*end = '\0';
	*at = end != NULL ? end + 1 : *at + strlen(*at);
	return first;
}

static void check_running(void)
{
	struct ctrl_err err;
	struct config *again;
	const char *json = running_config(c.running)->json;

	if (config_parse(c.ly, json, strlen(json), "again", &again, &err) < 0 ||
	    strcmp(json, again->json) != 0)
		abort();
	config_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct call call = { 0 };
	static uint32_t revision;
	char *text = malloc(size + 1), *at = text;

	if (c.loop == NULL)
		start();
	memcpy(text, data, size);
	text[size] = '\0';
	char *method = line(&at), *uri = strchr(method, ' ');
	call.name = line(&at);
	call.value = strchr(call.name, ':');
	if (uri == NULL || call.value == NULL) {
		free(text);
		return -1;
	}
	*uri++ = '\0';
	*call.value++ = '\0';
	call.value += strspn(call.value, " ");
	char *query = strchr(uri, '?');
	if (query != NULL)
		*query++ = '\0';
	bool reads = method[0] >= 'a' && method[0] <= 'z';
	if (reads)
		method[0] = (char)(method[0] - 'a' + 'A');
	call.req = (struct http_req){ .method = method,
				      .path = uri,
				      .query = query != NULL ? query : "",
				      .body = at,
				      .body_len = strlen(at),
				      .user = "fuzz",
				      .role = reads ? HTTP_ROLE_READ : HTTP_ROLE_WRITE,
				      .answer = answered,
				      .header = header };
	restconf_handle(&c, &call.req);
	while (c.jobs > 0 || call.answers == 0)
		uv_run(&loop, UV_RUN_ONCE);
	if (call.answers != 1 ||
	    (reads && running_revision(c.running) != revision && revision != 0))
		abort();
	if (running_revision(c.running) != revision)
		check_running();
	revision = running_revision(c.running);
	free(text);
	return 0;
}
