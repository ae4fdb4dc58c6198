/* SPDX-License-Identifier: BSD-3-Clause
 * The API over its Unix socket, asked with libcurl as any client would, against a mock data plane: answers, errors,
 * clients that go away, and whether every answer is what the YANG modules say. */
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctrl/api.h"
#include "ctrl/config.h"
#include "ctrl/dp.h"
#include "ctrl/events.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/tests/fixture.h"
#include "ctrl/tests/good.h"

static char socket_path[100];

static void setup(void)
{
	fixture_init();
	snprintf(socket_path, sizeof(socket_path), "%s/ctrl.sock", state_dir);
	cr_assert_eq(api_create(&c, socket_path, state_dir, &c.api), 0);
}

TestSuite(api, .init = setup, .fini = fixture_fini, .timeout = 60);

/* --- a client in a thread ------------------------------------------------------------------------- */

struct call {
	const char *method, *path, *body;
	long status;
	char *answer;
	size_t len;
	volatile bool done;
	pthread_t thread;
};

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct call *call = arg;

	call->answer = realloc(call->answer, call->len + size * n + 1);
	memcpy(call->answer + call->len, data, size * n);
	call->len += size * n;
	call->answer[call->len] = '\0';
	return size * n;
}

static void *client(void *arg)
{
	struct call *call = arg;
	CURL *curl = curl_easy_init();
	char url[200];

	snprintf(url, sizeof(url), "http://x%s", call->path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	if (call->body != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &call->status);
	curl_easy_cleanup(curl);
	call->done = true;
	return NULL;
}

static void call_start(struct call *call)
{
	cr_assert_eq(pthread_create(&call->thread, NULL, client, call), 0);
}

static void call_wait(struct call *call)
{
	cr_assert(turn_until(call->done), "%s %s was never answered", call->method, call->path);
	pthread_join(call->thread, NULL);
}

/* One request; the answer's text is to be freed. */
static char *ask(const char *method, const char *path, const char *body, long status)
{
	struct call call = { .method = method, .path = path, .body = body };

	call_start(&call);
	call_wait(&call);
	cr_assert_eq(call.status, status, "%s %s: %ld %s", method, path, call.status, call.answer);
	return call.answer != NULL ? call.answer : strdup("");
}

static void expect(const char *method, const char *path, const char *body, long status,
		   const char *says)
{
	char *text = ask(method, path, body, status);

	cr_assert_not_null(strstr(text, says), "%s %s: '%s' is not in %s", method, path, says,
			   text);
	free(text);
}

static void load_good(void)
{
	struct json_object *in = json_object_new_object(), *top = json_object_new_object();

	json_object_object_add(in, "config", json_object_new_string(good_yaml));
	json_object_object_add(in, "file", json_object_new_string("good.yaml"));
	json_object_object_add(top, "heddle-system:input", in);
	free(ask("POST", "/restconf/operations/heddle-system:load", json_object_to_json_string(top),
		 200));
	json_object_put(top);
}

/* --- tests ------------------------------------------------------------------------------------------ */

Test(api, errors_are_restconf_errors)
{
	expect("GET", "/", NULL, 404, "ietf-restconf:errors");
	expect("GET", "/restconf/data/heddle-x:y", NULL, 404, "there is no 'heddle-x:y'");
	expect("GET", "/restconf/dataset", NULL, 404, "ietf-restconf:errors");
	expect("DELETE", "/restconf/data", NULL, 405, "operation-not-supported");
	expect("GET", "/restconf/operations/heddle-system:load", NULL, 405, "GET is not possible");
	expect("POST", "/restconf/operations/heddle-system:fly", "{}", 404, "no operation");
	expect("GET", "/restconf/data/heddle-ip:neighbour-state", NULL, 503,
	       "no data plane is connected");
	expect("POST", "/restconf/operations/heddle-system:load",
	       "{\"heddle-system:input\":{\"config\":\"system:\\n  x: 1\"}}", 400, "\"line\":2");
	expect("POST", "/restconf/operations/heddle-system:load",
	       "{\"heddle-system:input\":{\"konfig\":\"\"}}", 400, "unknown name 'konfig'");
	expect("POST", "/restconf/operations/heddle-system:load", "{\"input\":{}}", 400,
	       "the body must be");
	expect("POST", "/restconf/operations/heddle-system:load", "not json at [", 400,
	       "error-message");
	expect("POST", "/restconf/operations/heddle-trace:start",
	       "{\"heddle-trace:input\":{\"count\":2000}}", 400, "2000");
	expect("POST", "/restconf/operations/heddle-trace:start",
	       "{\"heddle-trace:input\":{\"interface\":\"x\"}}", 404, "no interface 'x'");
	expect("POST", "/restconf/operations/heddle-system:reload", NULL, 400, "--config");
	expect("GET", "/restconf/data/heddle-capture:pcapng", NULL, 404, "no capture");
}

Test(api, load_show_and_diff)
{
	connect_dp();
	load_good();
	expect("GET", "/restconf/data", NULL, 200, "\"heddle-interfaces:interfaces\"");
	expect("GET", "/restconf/data/heddle-interfaces:interfaces", NULL, 200, "net_null0");
	expect("GET", "/restconf/data/heddle-ip:route-state", NULL, 200, "10.9.0.2 core");
	expect("GET", "/restconf/data/heddle-srv6:sid-state", NULL, 200, "fc00:1::e/128");
	expect("POST", "/restconf/operations/heddle-system:diff", NULL, 200, "\"equal\":true");
	expect("POST", "/restconf/operations/heddle-system:diff",
	       "{\"heddle-system:input\":{\"config\":\"{}\"}}", 200,
	       "- /heddle-system:system/hostname = lab");
	fake->obj[0] = fake->obj[--fake->n_obj]; /* behind the back of everybody */
	expect("POST", "/restconf/operations/heddle-system:diff", NULL, 200, "\"equal\":false");
	expect("POST", "/restconf/operations/heddle-system:load",
	       "{\"heddle-system:input\":{\"config\":\"{}\",\"check\":true}}", 200, "accepted");
	expect("GET", "/restconf/data", NULL, 200, "net_null0");
}

/* What the state providers say is valid by the modules: clients can rely on them. */
Test(api, state_is_what_the_modules_say)
{
	connect_dp();
	load_good();
	for (size_t d = 0; domains[d] != NULL; d++)
		for (const struct ctrl_state *s = domains[d]->states; s != NULL && s->name != NULL;
		     s++) {
			char path[100];
			struct lyd_node *tree = NULL;
			snprintf(path, sizeof(path), "/restconf/data/%s", s->name);
			struct call call = { .method = "GET", .path = path };
			call_start(&call);
			call_wait(&call);
			if (call.status == 200) { /* the mock has no packets, workers and graph */
				LY_ERR rc = lyd_parse_data_mem(c.ly, call.answer, LYD_JSON,
							       LYD_PARSE_STRICT | LYD_PARSE_ONLY, 0,
							       &tree);
				cr_assert_eq(rc, LY_SUCCESS, "%s: %s\n%s", s->name, ly_errmsg(c.ly),
					     call.answer);
				lyd_free_all(tree);
			} else {
				cr_assert_not_null(strstr(call.answer, "ietf-restconf:errors"),
						   "%s", s->name);
			}
			free(call.answer);
		}
}

Test(api, operations_have_their_models)
{
	for (size_t d = 0; domains[d] != NULL; d++)
		for (const struct ctrl_op *op = domains[d]->ops; op != NULL && op->name != NULL;
		     op++) {
			char path[100];
			snprintf(path, sizeof(path), "/%s", op->name);
			cr_assert_not_null(lys_find_path(c.ly, NULL, path, 0), "%s", op->name);
		}
}

Test(api, many_clients_at_once)
{
	enum { N = 48 };
	static struct call calls[N];

	connect_dp();
	load_good();
	for (int i = 0; i < N; i++) {
		calls[i] = (struct call){ .method = "GET",
					  .path = i % 2 != 0 ?
							  "/restconf/data/heddle-ip:route-state" :
							  "/restconf/data" };
		call_start(&calls[i]);
	}
	for (int i = 0; i < N; i++) {
		call_wait(&calls[i]);
		cr_assert_eq(calls[i].status, 200);
		free(calls[i].answer);
	}
}

static int raw_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Clients that go at every point of a request, also while the data plane is being asked, leave nothing behind. */
Test(api, clients_that_go_away)
{
	static const char text[] =
		"POST /restconf/operations/heddle-system:diff HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 2\r\n\r\n{}";

	connect_dp();
	load_good();
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		int fd = raw_connect();
		cr_assert_eq(write(fd, text, cut), (ssize_t)cut);
		for (unsigned i = 0; i < cut % 5; i++)
			uv_run(c.loop, UV_RUN_NOWAIT);
		close(fd);
		uv_run(c.loop, UV_RUN_NOWAIT);
	}
	expect("GET", "/restconf/data/heddle-system:system-state", NULL, 200,
	       "\"synchronised\":true");
}

/* The data plane dies while a client waits for its answer: the client is told. */
Test(api, data_plane_gone_while_asked)
{
	connect_dp();
	load_good();
	fake_dp_mode(fake, FAKE_DIES, HD_API_ROUTE);
	expect("POST", "/restconf/operations/heddle-system:load",
	       "{\"heddle-system:input\":{\"config\":\"{\\\"ip\\\": {\\\"route\\\": []}}\"}}", 503,
	       "went away");
	expect("GET", "/restconf/data", NULL, 200, "net_null0");
}

/* --- events ----------------------------------------------------------------------------------------- */

static void publish(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		events_link(c.events, "port", i % 2 == 0, "");
		for (int k = 0; k < 3; k++)
			uv_run(c.loop, UV_RUN_NOWAIT);
	}
}

/* Read what is there into buf, behind what it holds; the number of octets. */
static size_t read_some(int fd, char *buf, size_t size)
{
	size_t len = strlen(buf);
	ssize_t n = recv(fd, buf + len, size - len - 1, MSG_DONTWAIT);

	if (n > 0)
		buf[len + (size_t)n] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static int subscribe(void)
{
	static const char text[] = "GET /restconf/streams/NETCONF HTTP/1.1\r\nHost: x\r\n\r\n";
	unsigned before = events_readers(c.events);
	int fd = raw_connect();

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert(turn_until(events_readers(c.events) == before + 1));
	return fd;
}

Test(api, events_come_as_they_happen)
{
	static char buf[65536];
	int fd = subscribe();

	cr_assert(turn_until((read_some(fd, buf, sizeof(buf)), strstr(buf, ": heddle events"))));
	cr_assert_not_null(strstr(buf, "text/event-stream"), "%s", buf);
	publish(1);
	cr_assert(
		turn_until((read_some(fd, buf, sizeof(buf)),
			    strstr(buf, "\"heddle-system:link-state\":{\"port\":\"port\",\"link\":"
					"\"up\"}"))),
		"%s", buf);
	cr_assert_not_null(strstr(buf,
				  "id: 1\ndata: {\"ietf-restconf:notification\":{\"eventTime\":"),
			   "%s", buf);
	close(fd);
	publish(1);
	cr_assert(turn_until(events_readers(c.events) == 0), "a reader that has gone stays");
}

/* One that does not read costs nothing, holds nobody up, is told what it lost, and ends; the others get everything. */
Test(api, a_slow_reader_is_let_go)
{
	static char slow[4 << 20], quick[4 << 20];
	int fd = subscribe(), other = subscribe();
	unsigned n = 0;

	for (; n < 4000; n += 50) {
		publish(50);
		while (read_some(other, quick, sizeof(quick)) > 0)
			;
	}
	cr_assert(
		turn_until((read_some(other, quick, sizeof(quick)), strstr(quick, "id: 4000\n"))));
	cr_assert_null(strstr(quick, "events-lost"));
	cr_assert(turn_until((read_some(fd, slow, sizeof(slow)), strstr(slow, "events-lost"))),
		  "%zu octets", strlen(slow));
	cr_assert_null(strstr(slow, "id: 4000\n"));
	cr_assert(turn_until(events_readers(c.events) == 1), "it stays");
	close(fd);
	close(other);
}

Test(api, readers_of_events_are_bounded)
{
	int fd[EVENTS_READERS_MAX];

	for (unsigned i = 0; i < EVENTS_READERS_MAX; i++)
		fd[i] = subscribe();
	expect("GET", "/restconf/streams/NETCONF", NULL, 503, "readers of events already");
	for (unsigned i = 0; i < EVENTS_READERS_MAX; i++)
		close(fd[i]);
	publish(2);
	cr_assert(turn_until(events_readers(c.events) == 0),
		  "those that have gone are not noticed");
	expect("GET", "/restconf/streams/NETCONF?start-time=yesterday", NULL, 400, "start-time");
	expect("GET", "/restconf/streams/NETCONF?stop-time=2020-01-01T00:00:00Z", NULL, 400,
	       "start-time");
	publish(2);
	expect("GET",
	       "/restconf/streams/NETCONF?start-time=2020-01-01T00:00:00Z&stop-time=2100-01-01T00:00:00"
	       "%2B01:00&x=1",
	       NULL, 400, "start-time");
	expect("GET",
	       "/restconf/streams/NETCONF?start-time=1970-01-01T00:00:00Z&stop-time=2020-01-01T00:00:00Z",
	       NULL, 200, "");
}

Test(api, metrics_over_http)
{
	connect_dp();
	expect("GET", "/metrics", NULL, 200, "heddle_dataplane_connected 1");
	expect("POST", "/metrics", "x", 405, "operation-not-supported");
}
