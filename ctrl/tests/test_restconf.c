/* SPDX-License-Identifier: BSD-3-Clause
 * RESTCONF on datastores: reading with query parameters, edits and what they refuse, entity tags, the candidate,
 * commits that must be confirmed, history.  Requests are handed over without a connection; the data plane is a mock. */
#include <criterion/criterion.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/candidate.h"
#include "ctrl/config.h"
#include "ctrl/dp.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/tests/fixture.h"
#include "ctrl/tests/good.h"
#include "ctrl/versions.h"

TestSuite(restconf, .init = fixture_init, .fini = fixture_fini, .timeout = 60);

/* --- requests ------------------------------------------------------------------------------------- */

struct call {
	struct http_req req; /* first */
	const char *header[4][2];
	unsigned status;
	char *text;
	char etag[64], location[300], allow[80];
};
static enum http_role role = HTTP_ROLE_WRITE;

static void answered(struct http_req *req, unsigned status, const char *type, const void *body,
		     size_t len)
{
	struct call *call = (struct call *)req;

	(void)type;
	cr_assert_eq(call->status, 0, "answered twice");
	call->status = status;
	call->text = strndup(body, len);
	for (unsigned i = 0; i < req->n_fields; i++) {
		if (strcmp(req->field[i].name, "ETag") == 0)
			snprintf(call->etag, sizeof(call->etag), "%s", req->field[i].value);
		if (strcmp(req->field[i].name, "Location") == 0)
			snprintf(call->location, sizeof(call->location), "%s", req->field[i].value);
		if (strcmp(req->field[i].name, "Allow") == 0)
			snprintf(call->allow, sizeof(call->allow), "%s", req->field[i].value);
		free(req->field[i].value);
	}
}

static const char *header(struct http_req *req, const char *name)
{
	struct call *call = (struct call *)req;

	for (int i = 0; i < 4 && call->header[i][0] != NULL; i++)
		if (strcasecmp(call->header[i][0], name) == 0)
			return call->header[i][1];
	return NULL;
}

/* path: "ds/..." and the like, behind /restconf/; with a query. */
static void run(struct call *call, const char *method, const char *path, const char *body)
{
	char url[400], *query;

	snprintf(url, sizeof(url), "%s%s", path[0] == '/' ? "" : "/restconf/", path);
	query = strchr(url, '?');
	if (query != NULL)
		*query++ = '\0';
	call->req = (struct http_req){ .method = method,
				       .path = url,
				       .query = query != NULL ? query : "",
				       .body = body != NULL ? body : "",
				       .body_len = body != NULL ? strlen(body) : 0,
				       .user = "tester",
				       .role = role,
				       .answer = answered,
				       .header = header };
	call->status = 0;
	call->text = NULL;
	restconf_handle(&c, &call->req);
	cr_assert(turn_until(call->status != 0), "%s %s was never answered", method, path);
}

/* Without the layout that libyang prints. */
static void squeeze(char *text)
{
	char *to = text;
	bool quoted = false;

	for (; *text != '\0'; text++) {
		if (*text == '"' && (to == text || text[-1] != '\\'))
			quoted = !quoted;
		if (quoted || (*text != ' ' && *text != '\n'))
			*to++ = *text;
	}
	*to = '\0';
}

/* The answer has this status, and says this. */
static void expect(const char *method, const char *path, const char *body, unsigned status,
		   const char *says)
{
	struct call call = { 0 };

	run(&call, method, path, body);
	cr_assert_eq(call.status, status, "%s %s: %u %s", method, path, call.status, call.text);
	if (call.text[0] == '{')
		squeeze(call.text);
	cr_assert_not_null(strstr(call.text, says), "%s %s: '%s' is not in %s", method, path, says,
			   call.text);
	free(call.text);
}

static void expect_not(const char *path, const char *says)
{
	struct call call = { 0 };

	run(&call, "GET", path, NULL);
	cr_assert_eq(call.status, 200, "%s: %s", path, call.text);
	cr_assert_null(strstr(call.text, says), "%s: %s", path, call.text);
	free(call.text);
}

static void operate(const char *name, const char *input, unsigned status, const char *says)
{
	char path[100], body[400];

	snprintf(path, sizeof(path), "operations/heddle-system:%s", name);
	snprintf(body, sizeof(body), "{\"heddle-system:input\": {%s}}", input);
	expect("POST", path, body, status, says);
}

static void load(const char *text)
{
	struct json_object *in = json_object_new_object(), *top = json_object_new_object();

	json_object_object_add(in, "config", json_object_new_string(text));
	json_object_object_add(top, "heddle-system:input", in);
	expect("POST", "operations/heddle-system:load", json_object_to_json_string(top), 200,
	       "revision");
	json_object_put(top);
}

#define ACCESS    "data/heddle-interfaces:interfaces/interface=access"
#define CANDIDATE "ds/ietf-datastores:candidate/"
#define ROUTE     "data/heddle-ip:ip/route=10.2.0.0%2F16"

/* --- reading --------------------------------------------------------------------------------------- */

Test(restconf, root_and_discovery)
{
	expect("GET", "/.well-known/host-meta", NULL, 200,
	       "<Link rel='restconf' href='/restconf'/>");
	expect("GET", "/restconf", NULL, 200, "\"yang-library-version\":\"2019-01-04\"");
	expect("GET", "yang-library-version", NULL, 200, "2019-01-04");
	expect("GET", "data/ietf-yang-library:yang-library", NULL, 200, "heddle-srv6");
	expect("GET", "data/ietf-restconf-monitoring:restconf-state/capabilities", NULL, 200,
	       "capability:fields:1.0");
	expect("GET",
	       "data/ietf-restconf-monitoring:restconf-state/streams/stream=NETCONF/access=json/"
	       "location",
	       NULL, 200, "/restconf/streams/NETCONF");
	expect("GET", "operations", NULL, 200, "heddle-system:commit");
	expect("PUT", "/restconf", NULL, 405, "operation-not-supported");
}

Test(restconf, parts_of_the_configuration)
{
	load(good_yaml);
	expect("GET", ACCESS "/mtu", NULL, 200, "{\"heddle-interfaces:mtu\":1400}");
	expect("GET", "data/interfaces/interface=core.10/outer-vlan/id", NULL, 200, "10");
	expect("GET", ROUTE "/next-hop=1/address", NULL, 200, "10.9.0.2");
	expect("GET", "data/heddle-interfaces:interfaces/interface", NULL, 200, "core.10");
	expect("GET", "data/heddle-ip:ip/route=10.200.0.0%2F16", NULL, 404, "invalid-value");
	expect("GET", "data/heddle-ip:ip/route=ten", NULL, 400, "invalid-value");
	expect("GET", "data/heddle-ip:ip/route=10.2.0.0%2F16,1", NULL, 400, "by its key: prefix");
	expect("GET", "data/heddle-interfaces:interfaces=1", NULL, 400, "it has no keys");
	expect("GET", ACCESS "/mtuu", NULL, 404, "mtuu");
	expect("GET", "data/heddle-ip:interfaces", NULL, 404, "there is no");
	expect("GET", "ds/ietf-datastores:running/heddle-system:system/hostname", NULL, 200, "lab");
	expect("GET", CANDIDATE "heddle-system:system/hostname", NULL, 200, "lab");
	expect("HEAD", "data/heddle-system:system", NULL, 200, "");
	expect("GET", "data/heddle-system:system/hostname?content=nonconfig", NULL, 404, "");
}

Test(restconf, query_parameters)
{
	load(good_yaml);
	expect("GET", "data/heddle-interfaces:interfaces?fields=interface(name;mtu)", NULL, 200,
	       "{\"heddle-interfaces:interfaces\":{\"interface\":[{\"name\":\"access\",\"mtu\":1400},"
	       "{\"name\":\"core\"},");
	expect("GET", "data/heddle-interfaces:interfaces?depth=1", NULL, 200,
	       "{\"heddle-interfaces:interfaces\":{}}");
	expect("GET", "data/heddle-interfaces:interfaces?depth=2", NULL, 200,
	       "\"interface\":[{},{},{}]");
	expect_not(ACCESS, "\"enabled\"");
	expect("GET", ACCESS "?with-defaults=report-all", NULL, 200, "\"enabled\":true");
	expect("GET", ACCESS "?with-defaults=report-all-tagged", NULL, 400, "with-defaults");
	expect("GET", ACCESS "?depth=0", NULL, 400, "depth");
	expect("GET", ACCESS "?limit=1", NULL, 400, "limit");
	expect("GET", ACCESS "?depth=1&depth=2", NULL, 400, "twice");
	expect("GET", "data?content=config&fields=heddle-system:system", NULL, 200,
	       "{\"heddle-system:system\":{\"hostname\":\"lab\"}}");
	expect("GET", "data?content=nonconfig", NULL, 200, "heddle-system:system-state");
	expect_not("data?content=nonconfig", "\"heddle-system:system\":");
	expect_not("data?content=config", "system-state");
	expect("GET", "data", NULL, 200, "heddle-system:system-state");
	expect("GET", "data", NULL, 200, "\"hostname\":\"lab\"");
	expect("GET", "data/heddle-system:system-state/configuration/revision", NULL, 200,
	       "{\"heddle-system:revision\":1}");
	expect("GET", "data/heddle-system:system-state?fields=hostname", NULL, 200,
	       "{\"heddle-system:system-state\":{\"hostname\":\"lab\"}}");
	expect("GET", "data/heddle-system:system-state?content=config", NULL, 404, "state");
	expect("GET", "data/heddle-system:history-state/version=1/user", NULL, 200, "tester");
	expect("GET", "data/heddle-system:history-state/version=7", NULL, 404, "no such state");
}

/* --- edits ------------------------------------------------------------------------------------------ */

Test(restconf, an_edit_is_one_transaction)
{
	connect_dp();
	load(good_yaml);
	unsigned commits = fake->n_commits, routes = fake_dp_count(fake, HD_API_ROUTE);
	expect("PUT", "data/heddle-ip:ip/route=10.7.0.0%2F16",
	       "{\"heddle-ip:route\":[{\"prefix\":\"10.7.0.0/16\",\"special\":\"blackhole\"}]}",
	       201, "");
	cr_assert_eq(fake->n_commits, commits + 1);
	cr_assert_eq(fake_dp_count(fake, HD_API_ROUTE), routes + 1);
	expect("PUT", "data/heddle-ip:ip/route=10.7.0.0%2F16",
	       "{\"heddle-ip:route\":[{\"prefix\":\"10.7.0.0/16\",\"special\":\"prohibit\"}]}", 204,
	       "");
	expect("GET", "data/heddle-ip:ip/route=10.7.0.0%2F16", NULL, 200, "prohibit");
	expect("DELETE", "data/heddle-ip:ip/route=10.7.0.0%2F16", NULL, 204, "");
	expect("DELETE", "data/heddle-ip:ip/route=10.7.0.0%2F16", NULL, 404, "not there");
	cr_assert_eq(fake_dp_count(fake, HD_API_ROUTE), routes);
	expect("GET", "data/heddle-system:history-state", NULL, 200,
	       "\"comment\":\"DELETE /restconf/data/heddle-ip:ip/route=10.7.0.0%2F16\"");
}

Test(restconf, post_makes_what_is_not_there)
{
	struct call call = { 0 };

	load(good_yaml);
	run(&call, "POST", "data/heddle-ip:ip",
	    "{\"heddle-ip:route\":[{\"prefix\":\"10.7.0.0/16\",\"special\":\"blackhole\"}]}");
	cr_assert_eq(call.status, 201, "%s", call.text);
	cr_assert_str_eq(call.location, "/restconf/data/heddle-ip:ip/route=10.7.0.0%2F16");
	free(call.text);
	expect("GET", call.location, NULL, 200, "blackhole");
	expect("POST", "data/heddle-ip:ip",
	       "{\"heddle-ip:route\":[{\"prefix\":\"10.7.0.0/16\",\"special\":\"blackhole\"}]}",
	       409, "data-exists");
	expect("POST", "data/heddle-ip:ip",
	       "{\"heddle-ip:route\":[{\"prefix\":\"10.8.0.0/16\",\"special\":\"blackhole\"},"
	       "{\"prefix\":\"10.9.0.0/16\",\"special\":\"blackhole\"}]}",
	       400, "exactly one");
	expect("POST", "data", "{\"heddle-system:system\":{\"hostname\":\"x\"}}", 409,
	       "data-exists");
	expect("POST", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1300}", 400, "below a leaf");
	expect("POST", "data/heddle-interfaces:interfaces/interface=none",
	       "{\"heddle-interfaces:mtu\":1300}", 404, "not there");
}

Test(restconf, patch_merges)
{
	load(good_yaml);
	expect("PATCH", ACCESS,
	       "{\"heddle-interfaces:interface\":[{\"name\":\"access\",\"mtu\":1300}]}", 204, "");
	expect("GET", ACCESS, NULL, 200, "\"mtu\":1300");
	expect("GET", ACCESS, NULL, 200, "net_null0");
	expect("PATCH", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1350}", 204, "");
	expect("PATCH", "data/heddle-interfaces:interfaces/interface=new",
	       "{\"heddle-interfaces:interface\":[{\"name\":\"new\",\"devargs\":\"net_null9\"}]}",
	       404, "not there");
	expect("PATCH", ACCESS,
	       "{\"heddle-interfaces:interface\":[{\"name\":\"other\",\"mtu\":1300}]}", 400,
	       "another resource");
	expect("PATCH", "data",
	       "{\"ietf-restconf:data\":{\"heddle-system:system\":{\"hostname\":\"new\"}}}", 204,
	       "");
	expect("GET", "data/heddle-system:system", NULL, 200, "new");
	expect("GET", ACCESS, NULL, 200, "net_null0");
	/* another case of the choice puts the first one out */
	expect("PATCH", ROUTE,
	       "{\"heddle-ip:route\":[{\"prefix\":\"10.2.0.0/16\",\"special\":\"blackhole\"}]}",
	       204, "");
	expect_not(ROUTE, "next-hop");
}

Test(restconf, put_replaces_all_or_a_leaf)
{
	load(good_yaml);
	expect("PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1280}", 204, "");
	expect("PUT", "data/heddle-interfaces:interfaces/interface=core/mtu",
	       "{\"heddle-interfaces:mtu\":1500}", 201, "");
	expect("PUT", "data/heddle-srv6:srv6/policy=far/segment-list=a/segment=1",
	       "{\"heddle-srv6:segment\":[{\"index\":1,\"sid\":\"fc00:9::9\"}]}", 204, "");
	/* its place is kept: the order of segments is theirs who wrote it */
	expect("GET", "data/heddle-srv6:srv6/policy=far/segment-list=a/segment", NULL, 200,
	       "[{\"index\":1,\"sid\":\"fc00:9::9\"},{\"index\":2,\"sid\":\"fc00:3::1\"}]");
	expect("PUT", ACCESS "/name", "{\"heddle-interfaces:name\":\"x\"}", 400, "key");
	expect("PUT", "data",
	       "{\"ietf-restconf:data\":{\"heddle-system:system\":{\"hostname\":\"z\"}}}", 204, "");
	expect_not("data?content=config", "interfaces");
	expect("PUT", "data/heddle-system:system-state", "{}", 405, "state");
}

#define LIST     "heddle-srv6:srv6/policy=far/segment-list=a"
#define SEGMENT  LIST "/segment"
#define POINT(n) "point=%2Fheddle-srv6:srv6%2Fpolicy%3Dfar%2Fsegment-list%3Da%2Fsegment%3D" #n
#define BODY(n)  "{\"heddle-srv6:segment\":[{\"index\":" #n ",\"sid\":\"fc00:" #n "::\"}]}"

/* The segments in their order, by index. */
static void expect_order(const char *store, const char *want)
{
	struct call call = { 0 };
	char path[200], got[100] = "";
	size_t n = 0;

	snprintf(path, sizeof(path), "%s" SEGMENT "?fields=index", store);
	run(&call, "GET", path, NULL);
	cr_assert_eq(call.status, 200, "%s", call.text);
	for (const char *p = strchr(call.text, '['); *p != '\0' && n < sizeof(got) - 2; p++)
		if (*p >= '0' && *p <= '9') {
			got[n++] = *p;
			if (p[1] < '0' || p[1] > '9')
				got[n++] = ' ';
		}
	cr_assert_str_eq(got, want);
	free(call.text);
}

/* RFC 8040 sections 4.8.5 and 4.8.6: where an entry of a list goes whose order is the user's. */
static void insert_and_point(const char *store)
{
	char path[300], list[200];
	const struct {
		const char *method, *what, *body;
		unsigned status;
		const char *order;
	} rows[] = {
		{ "POST", "?insert=first", BODY(3), 201, "3 1 2 " },
		{ "POST", "?insert=last", BODY(4), 201, "3 1 2 4 " },
		{ "POST", "?insert=before&" POINT(1), BODY(5), 201, "3 5 1 2 4 " },
		{ "POST", "?" POINT(1) "&insert=after", BODY(6), 201, "3 5 1 6 2 4 " },
		{ "PUT", "/segment=7?insert=after&" POINT(4), BODY(7), 201, "3 5 1 6 2 4 7 " },
		{ "PUT", "/segment=8?insert=first", BODY(8), 201, "8 3 5 1 6 2 4 7 " },
		/* one that is there moves */
		{ "PUT", "/segment=8?insert=last", BODY(8), 204, "3 5 1 6 2 4 7 8 " },
		{ "PUT", "/segment=7?insert=before&" POINT(3), BODY(7), 204, "7 3 5 1 6 2 4 8 " },
		{ "PUT", "/segment=3?insert=after&" POINT(8), BODY(3), 204, "7 5 1 6 2 4 8 3 " },
		/* and stays where it is when nobody says */
		{ "PUT", "/segment=1", BODY(1), 204, "7 5 1 6 2 4 8 3 " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(path, sizeof(path), "%s" LIST "%s", store, rows[i].what);
		expect(rows[i].method, path, rows[i].body, rows[i].status, "");
		expect_order(store, rows[i].order);
	}
	snprintf(list, sizeof(list), "%s" LIST, store);
	expect("DELETE", list, NULL, 204, "");
}

Test(restconf, insert_and_point_in_what_runs)
{
	load(good_yaml);
	insert_and_point("data/");
}

Test(restconf, insert_and_point_in_the_candidate)
{
	load(good_yaml);
	insert_and_point(CANDIDATE);
}

Test(restconf, insert_and_point_that_cannot_be)
{
	const struct {
		const char *method, *path, *says;
	} rows[] = {
		{ "POST", "data/" LIST "?insert=middle", "first, last, before or after" },
		{ "POST", "data/" LIST "?insert=first&insert=last", "given twice" },
		{ "POST", "data/" LIST "?insert=before", "'point'" },
		{ "POST", "data/" LIST "?" POINT(1), "'point'" },
		{ "POST", "data/" LIST "?insert=first&" POINT(1), "'point'" },
		{ "POST", "data/" LIST "?insert=after&point=segment%3D1", "absolute" },
		{ "POST", "data/" LIST "?insert=after&point=%2Fheddle-srv6:none", "none" },
		{ "POST", "data/" LIST "?insert=after&" POINT(77),
		  "\"error-tag\":\"bad-attribute\",\"error-app-tag\":\"missing-instance\"" },
		{ "POST", "data/" LIST "?insert=after&point=%2Fheddle-srv6:srv6%2Fpolicy%3Dfar",
		  "no entry of the list" },
		{ "POST",
		  "data/" LIST
		  "?insert=after&point=%2Fheddle-srv6:srv6%2Fpolicy%3Dfar%2Fsegment-list"
		  "%3Db%2Fsegment%3D1",
		  "no entry of the list" },
		{ "PUT", "data/" SEGMENT "=9?insert=before&" POINT(9), "missing-instance" },
		{ "PATCH", "data/" SEGMENT "=1?insert=first", "POST and PUT" },
		{ "DELETE", "data/" SEGMENT "=1?insert=first", "POST and PUT" },
		{ "POST", "data/" LIST "?order=first", "not known" },
	};

	load(good_yaml);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(rows[i].method, rows[i].path, BODY(9), 400, rows[i].says);
	expect("PUT", "data/" SEGMENT "=1?insert=before&" POINT(1), BODY(1), 400,
	       "the entry itself");
	/* a list whose order is the system's */
	expect("PUT", ROUTE "?insert=first",
	       "{\"heddle-ip:route\":[{\"prefix\":\"10.2.0.0/16\",\"special\":\"blackhole\"}]}",
	       400, "ordered by users");
	expect_order("data/", "1 2 ");
	cr_assert_eq(running_revision(c.running), 1, "nothing was changed");
	cr_assert_not(candidate_exists(c.candidate));
	expect("POST", CANDIDATE LIST "?insert=after&" POINT(77), BODY(9), 400, "missing-instance");
	cr_assert_not(candidate_exists(c.candidate), "an edit that failed does not begin one");
}

Test(restconf, what_yang_refuses)
{
	uint32_t revision;

	connect_dp();
	load(good_yaml);
	revision = running_revision(c.running);
	unsigned commits = fake->n_commits;
	expect("PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":\"big\"}", 400,
	       "\"error-path\":\"/heddle-interfaces:interfaces/interface[name='access']/mtu\"");
	expect("PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtuu\":1}", 400, "unknown-element");
	expect("PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":", 400, "malformed-message");
	expect("PUT", ACCESS "/mtu", "", 400, "malformed-message");
	expect("PUT", "data/heddle-ip:ip/route=10.7.0.0%2F16",
	       "{\"heddle-ip:route\":[{\"prefix\":\"10.7.0.0/16\"}]}", 409, "data-missing");
	expect("DELETE", ROUTE "/next-hop=1", NULL, 409, "data-missing");
	expect("DELETE", "data/heddle-interfaces:interfaces/interface=core", NULL, 409,
	       "\"error-app-tag\":\"instance-required\"");
	expect("DELETE", "data/heddle-ip:ip/route", NULL, 400, "name the entry");
	expect("PUT", "data/heddle-ip:ip/vrf=blue/route=10.0.0.0%2F8", "{}", 404, "not there");
	cr_assert_eq(running_revision(c.running), revision);
	cr_assert_eq(fake->n_commits, commits);
	/* and what the data plane refuses */
	fake_dp_mode(fake, FAKE_REFUSES, HD_API_ROUTE);
	expect("PUT", "data/heddle-ip:ip/route=10.7.0.0%2F16",
	       "{\"heddle-ip:route\":[{\"prefix\":\"10.7.0.0/16\",\"special\":\"blackhole\"}]}",
	       400, "the mock says no");
	cr_assert_eq(running_revision(c.running), revision);
}

Test(restconf, media_types_and_methods)
{
	struct call call = { .header = { { "Content-Type", "application/yang-data+xml" } } };

	load(good_yaml);
	run(&call, "PUT", ACCESS "/mtu", "<mtu>1300</mtu>");
	cr_assert_eq(call.status, 415, "%s", call.text);
	free(call.text);
	call = (struct call){ .header = { { "Content-Type", "application/yaml; charset=utf-8" } } };
	run(&call, "PUT", ACCESS "/mtu", "mtu: 1300\n");
	cr_assert_eq(call.status, 204, "%s", call.text);
	free(call.text);
	call = (struct call){ 0 };
	run(&call, "OPTIONS", "data", NULL);
	cr_assert_eq(call.status, 200);
	cr_assert_str_eq(call.allow, "GET, HEAD, OPTIONS, POST, PUT, PATCH");
	free(call.text);
	expect("TRACE", "data/heddle-ip:ip", NULL, 405, "operation-not-supported");
	expect("PUT", "ds/ietf-datastores:operational", "{}", 405, "operation-not-supported");
	expect("PUT", "data?insert=first", "{}", 400, "not for all");
}

Test(restconf, who_may_only_read)
{
	load(good_yaml);
	role = HTTP_ROLE_READ;
	expect("GET", ACCESS, NULL, 200, "access");
	expect("PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1300}", 403, "access-denied");
	expect("DELETE", ACCESS, NULL, 403, "access-denied");
	operate("diff", "\"from\": \"running\", \"to\": \"candidate\"", 200, "\"equal\":true");
	operate("commit", "", 403, "access-denied");
	operate("load", "\"config\": \"{}\"", 403, "access-denied");
	expect("GET", "data/heddle-capture:pcapng", NULL, 403, "access-denied");
	role = HTTP_ROLE_WRITE;
}

/* --- entity tags -------------------------------------------------------------------------------------- */

Test(restconf, entity_tags)
{
	struct call call = { 0 };
	char first[64];

	load(good_yaml);
	run(&call, "GET", ACCESS, NULL);
	free(call.text);
	snprintf(first, sizeof(first), "%s", call.etag);
	cr_assert(first[0] == '"', "%s", first);

	call = (struct call){ .header = { { "If-None-Match", first } } };
	run(&call, "GET", "data/heddle-ip:ip", NULL);
	cr_assert_eq(call.status, 304);
	free(call.text);
	call = (struct call){ .header = { { "If-Match", first } } };
	run(&call, "PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1300}");
	cr_assert_eq(call.status, 204, "%s", call.text);
	cr_assert_str_neq(call.etag, first);
	free(call.text);
	/* the second of two who read the same comes too late */
	call = (struct call){ .header = { { "If-Match", first } } };
	run(&call, "PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1290}");
	cr_assert_eq(call.status, 412, "%s", call.text);
	free(call.text);
	expect("GET", ACCESS "/mtu", NULL, 200, "1300");
	call = (struct call){ .header = { { "If-Match", "\"x\", *" } } };
	run(&call, "PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1290}");
	cr_assert_eq(call.status, 204, "%s", call.text);
	free(call.text);
	call = (struct call){ .header = { { "If-Unmodified-Since",
					    "Sat, 01 Jan 2000 00:00:00 GMT" } } };
	run(&call, "DELETE", ACCESS "/mtu", NULL);
	cr_assert_eq(call.status, 412);
	free(call.text);
	call = (struct call){ .header = {
				      { "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT" } } };
	run(&call, "GET", ACCESS "/mtu", NULL);
	cr_assert_eq(call.status, 304);
	free(call.text);
}

/* --- candidate ------------------------------------------------------------------------------------------ */

Test(restconf, a_candidate_runs_when_it_is_committed)
{
	connect_dp();
	load(good_yaml);
	unsigned commits = fake->n_commits;
	operate("edit",
		"\"operation\": \"set\", \"word\": [\"ip\", \"route\", \"10.7.0.0/16\", "
		"\"special\", \"blackhole\"]",
		204, "");
	operate("edit",
		"\"operation\": \"set\", \"word\": [\"/interfaces/interface[name='access']/mtu\", "
		"\"1300\"]",
		204, "");
	operate("edit", "\"operation\": \"delete\", \"word\": [\"ip\", \"route\", \"10.2.0.0/16\"]",
		204, "");
	expect("GET", CANDIDATE "heddle-ip:ip/route=10.7.0.0%2F16", NULL, 200, "blackhole");
	expect("GET", "data/heddle-ip:ip/route=10.7.0.0%2F16", NULL, 404, "");
	cr_assert_eq(fake->n_commits, commits, "nothing of it runs yet");
	operate("diff", "\"from\": \"running\", \"to\": \"candidate\"", 200,
		"+ /heddle-ip:ip/route");
	operate("diff", "\"from\": \"running\", \"to\": \"candidate\"", 200,
		"- /heddle-interfaces:interfaces/interface[name='access']/mtu = 1400");
	operate("commit", "\"comment\": \"why not\"", 200, "in force");
	cr_assert_eq(fake->n_commits, commits + 1, "one transaction");
	cr_assert_not(candidate_exists(c.candidate));
	expect("GET", ACCESS "/mtu", NULL, 200, "1300");
	expect("GET", "data/heddle-system:history-state/version=2", NULL, 200, "why not");
	operate("commit", "", 200, "nothing changed");
	operate("diff", "\"from\": \"1\", \"to\": \"running\"", 200, "10.7.0.0/16");
	operate("diff", "\"from\": \"9\", \"to\": \"running\"", 404, "no version 9");
	operate("edit", "\"operation\": \"set\", \"word\": [\"ip\", \"roads\"]", 404, "roads");
	operate("edit", "\"operation\": \"set\", \"word\": [\"system\", \"hostname\"]", 400,
		"missing");
	operate("edit",
		"\"operation\": \"set\", \"word\": [\"system\", \"hostname\", \"a\", \"b\"]", 400,
		"too many");
	operate("edit", "\"operation\": \"delete\", \"word\": [\"ip\", \"route\"]", 204, "");
	expect_not(CANDIDATE "heddle-ip:ip", "10.3.0.0");
}

Test(restconf, a_candidate_that_is_refused_is_kept)
{
	connect_dp();
	load(good_yaml);
	operate("edit", "\"operation\": \"set\", \"word\": [\"ip\", \"route\", \"10.7.0.0/16\"]",
		204, "");
	operate("commit", "", 409, "data-missing");
	operate("commit", "\"check\": true", 409, "data-missing");
	operate("edit",
		"\"operation\": \"set\", \"word\": [\"ip\", \"route\", \"10.7.0.0/16\", "
		"\"srv6-policy\", \"near\"]",
		204, "");
	operate("commit", "", 400, "near");
	operate("edit",
		"\"operation\": \"set\", \"word\": [\"ip\", \"route\", \"10.7.0.0/16\", "
		"\"special\", \"blackhole\"]",
		204, "");
	operate("commit", "\"check\": true", 200, "accepted");
	fake_dp_mode(fake, FAKE_REFUSES, HD_API_ROUTE);
	operate("commit", "", 400, "the mock says no");
	cr_assert(candidate_exists(c.candidate));
	cr_assert_eq(running_revision(c.running), 1);
	fake_dp_mode(fake, FAKE_OBEYS, 0);
	operate("commit", "", 200, "in force");
	expect("GET", "data/heddle-ip:ip/route=10.7.0.0%2F16", NULL, 200, "blackhole");
}

Test(restconf, a_candidate_does_not_undo_what_came_meanwhile)
{
	load(good_yaml);
	expect("PUT", CANDIDATE "heddle-system:system/hostname",
	       "{\"heddle-system:hostname\":\"mine\"}", 204, "");
	expect("PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1300}", 204, "");
	operate("commit", "", 409, "rebase");
	operate("rebase-candidate", "", 204, "");
	expect("GET", CANDIDATE "heddle-interfaces:interfaces/interface=access/mtu", NULL, 200,
	       "1300");
	operate("commit", "", 200, "accepted");
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "mine");
	expect("GET", ACCESS "/mtu", NULL, 200, "1300");
	operate("rebase-candidate", "", 404, "no candidate");
}

Test(restconf, a_candidate_outlives_the_process)
{
	load(good_yaml);
	expect("PUT", CANDIDATE "heddle-system:system/hostname",
	       "{\"heddle-system:hostname\":\"mine\"}", 204, "");
	fixture_stop();
	fixture_start();
	cr_assert(candidate_exists(c.candidate));
	operate("diff", "\"to\": \"candidate\"", 200, "hostname = mine");
	operate("discard-candidate", "", 204, "");
	fixture_stop();
	fixture_start();
	cr_assert_not(candidate_exists(c.candidate));
}

/* --- confirmed commits, history ---------------------------------------------------------------------------- */

static void commit_for(unsigned seconds)
{
	char input[60];

	expect("PUT", CANDIDATE "heddle-system:system/hostname",
	       "{\"heddle-system:hostname\":\"unsure\"}", 204, "");
	snprintf(input, sizeof(input), "\"confirmed\": %u", seconds);
	operate("commit", input, 200, "unless it is confirmed");
	expect("GET", "data/heddle-system:history-state/version=2/state", NULL, 200, "unconfirmed");
}

Test(restconf, an_unconfirmed_commit_returns)
{
	load(good_yaml);
	commit_for(1);
	expect("PUT", ACCESS "/mtu", "{\"heddle-interfaces:mtu\":1300}", 409, "in-use");
	operate("rollback", "\"revision\": 1", 409, "confirm");
	cr_assert(turn_until(running_revision(c.running) == 3));
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "lab");
	expect("GET", "data/heddle-system:history-state/version=3", NULL, 200, "was not confirmed");
	cr_assert_eq(running_version(c.running)->revert_to, 0);
}

Test(restconf, a_confirmed_commit_stays)
{
	load(good_yaml);
	commit_for(1);
	operate("confirm", "", 200, "confirmed");
	operate("confirm", "", 404, "no version waits");
	usleep(1200000);
	for (int i = 0; i < 20; i++)
		uv_run(c.loop, UV_RUN_NOWAIT);
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "unsure");
	/* a second commit confirms the first */
	expect("PUT", CANDIDATE "heddle-system:system/hostname",
	       "{\"heddle-system:hostname\":\"unsure2\"}", 204, "");
	operate("commit", "\"confirmed\": 600", 200, "revision 2 returns");
	expect("PUT", CANDIDATE "heddle-system:system/hostname",
	       "{\"heddle-system:hostname\":\"sure\"}", 204, "");
	operate("commit", "", 200, "accepted");
	cr_assert_eq(running_version(c.running)->revert_to, 0);
}

Test(restconf, a_cancelled_commit_returns_at_once)
{
	load(good_yaml);
	commit_for(600);
	operate("confirm", "\"cancel\": true", 200, "accepted");
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "lab");
	operate("confirm", "\"cancel\": true", 404, "no version waits");
}

/* The process ends while a version waits: the time goes on. */
Test(restconf, confirmation_outlives_the_process)
{
	load(good_yaml);
	commit_for(2);
	fixture_stop();
	fixture_start();
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "unsure");
	cr_assert(turn_until(running_revision(c.running) == 3));
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "lab");
}

Test(restconf, the_time_was_over_when_it_came_back)
{
	load(good_yaml);
	commit_for(1);
	fixture_stop();
	usleep(2100000);
	fixture_start();
	cr_assert_eq(running_revision(c.running), 3, "before anything else happens");
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "lab");
}

Test(restconf, the_first_version_has_nothing_to_return_to)
{
	expect("PUT", CANDIDATE "heddle-system:system/hostname",
	       "{\"heddle-system:hostname\":\"x\"}", 201, "");
	operate("commit", "\"confirmed\": 10", 400, "no version before");
	operate("commit", "", 200, "accepted");
}

Test(restconf, twenty_versions_back)
{
	char body[60], input[40], path[200];

	for (int i = 1; i <= 25; i++) {
		snprintf(body, sizeof(body), "{\"heddle-system:hostname\":\"h%d\"}", i);
		expect("PUT", "data/heddle-system:system/hostname", body, i == 1 ? 201 : 204, "");
	}
	operate("rollback", "\"revision\": 4", 404, "no version 4");
	snprintf(input, sizeof(input), "\"revision\": %u", 25 - VERSIONS_MAX);
	operate("rollback", input, 200, "revision");
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "h5");
	expect("GET", "data/heddle-system:history-state/version=26/comment", NULL, 200,
	       "rollback to revision 5");
	snprintf(path, sizeof(path), "%s/history/000005.json", state_dir);
	cr_assert(access(path, F_OK) < 0, "the oldest goes");
	operate("rollback", "\"revision\": 99", 404, "no version 99");
}

/* A disk that takes no more: nothing changes, and when it takes again all is well. */
Test(restconf, a_full_disk_refuses_the_commit)
{
	struct rlimit old, none;
	struct stat st;
	char path[200];

	connect_dp();
	load(good_yaml);
	unsigned commits = fake->n_commits;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	none = (struct rlimit){ 100, old.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	expect("PUT", "data/heddle-system:system/hostname", "{\"heddle-system:hostname\":\"n\"}",
	       413, "nothing changed");
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	cr_assert_eq(fake->n_commits, commits);
	cr_assert_eq(running_revision(c.running), 1);
	snprintf(path, sizeof(path), "%s/history/000002.json", state_dir);
	cr_assert(stat(path, &st) < 0, "half a version was left");
	fixture_stop();
	fixture_start();
	expect("GET", "data/heddle-system:system/hostname", NULL, 200, "lab");
	expect("PUT", "data/heddle-system:system/hostname", "{\"heddle-system:hostname\":\"n\"}",
	       204, "");
}

/* --- repair ------------------------------------------------------------------------------------------------- */

Test(restconf, repair_brings_the_data_plane_back)
{
	connect_dp();
	load(good_yaml);
	unsigned n = fake_dp_count(fake, 0);
	operate("diff", "", 200, "\"equal\":true");
	pthread_mutex_lock(&fake->lock);
	fake->obj[0] = fake->obj[--fake->n_obj]; /* one is lost, and one is foreign */
	fake->obj[fake->n_obj++] =
		(struct fake_object){ .type = HD_API_VRF, .size = 36, .body = { 77 } };
	pthread_mutex_unlock(&fake->lock);
	operate("diff", "", 200, "\"equal\":false");
	operate("repair", "", 200, "applied");
	operate("diff", "", 200, "\"equal\":true");
	cr_assert_eq(fake_dp_count(fake, 0), n);
}
