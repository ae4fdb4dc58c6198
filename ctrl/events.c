/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "ctrl/ctrl.h"
#include "ctrl/http.h"
#include "ctrl/log.h"
#include "ctrl/restconf.h"
#include "ctrl/uri.h"
#include "ctrl/versions.h"

#define EVENT_MAX    8192u  /* octets of one event; a longer one is not sent */
#define KEEPALIVE_MS 15000u /* a comment, so that both ends notice when the other has gone */

struct events {
	struct ctrl *c;
	char *ring[EVENTS_KEPT]; /* "id: N\ndata: ...\n\n" of event id N at N % EVENTS_KEPT */
	time_t time[EVENTS_KEPT];
	uint64_t next_id; /* of the event to come; ids begin at 1 */
	struct reader *readers;
	unsigned n_readers;
};

struct reader {
	struct reader *next, **at;
	struct events *e;
	struct http_stream *stream;
	uint64_t next_id; /* event it gets next */
	uint64_t sent_ms;
	time_t stop; /* 0: never */
	bool greeted, over;
	char user[64];
};

struct events *events_create(struct ctrl *c)
{
	struct events *e = calloc(1, sizeof(*e));

	if (e != NULL) {
		e->c = c;
		e->next_id = 1;
	}
	return e;
}

void events_destroy(struct events *e)
{
	if (e == NULL)
		return;
	for (unsigned i = 0; i < EVENTS_KEPT; i++)
		free(e->ring[i]);
	free(e);
}

/* {"ietf-restconf:notification": {"eventTime": ..., NAME: content}}; takes content. */
static struct json_object *envelope(const char *name, struct json_object *content)
{
	struct json_object *top = json_object_new_object(), *n = json_object_new_object();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_add_time_ns(n, "eventTime",
			 (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	json_object_object_add(n, name, content);
	json_object_object_add(top, "ietf-restconf:notification", n);
	return top;
}

void events_publish(struct events *e, const char *name, struct json_object *content)
{
	struct json_object *top = envelope(name, content);
	char *text = NULL;

	if (e != NULL) {
		const char *json = json_object_to_json_string_ext(
			top, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		if (strlen(json) >= EVENT_MAX - 64 ||
		    asprintf(&text, "id: %llu\ndata: %s\n\n", (unsigned long long)e->next_id,
			     json) < 0) {
			log_warning("event %s is too long to be told", name);
			text = NULL;
		}
	}
	json_object_put(top);
	if (text == NULL)
		return;
	e->time[e->next_id % EVENTS_KEPT] = time(NULL);
	char **slot = &e->ring[e->next_id++ % EVENTS_KEPT];
	free(*slot);
	*slot = text;
	for (struct reader *r = e->readers; r != NULL; r = r->next)
		if (r->stream != NULL)
			http_stream_wake(r->stream);
}

/* --- what is told ---------------------------------------------------------------------------- */

void events_config(struct events *e, const struct version *v, uint32_t n_set, uint32_t n_del)
{
	struct json_object *o = json_object_new_object();

	json_add_u32(o, "revision", v->revision);
	if (v->user[0] != '\0')
		json_add_str(o, "user", v->user);
	if (v->comment[0] != '\0')
		json_add_str(o, "comment", v->comment);
	json_add_u32(o, "set", n_set);
	json_add_u32(o, "deleted", n_del);
	if (v->revert_to != 0)
		json_add_u32(o, "confirm-seconds", v->confirm_s);
	events_publish(e, "heddle-system:config-change", o);
}

void events_confirm(struct events *e, const struct version *v, const char *state)
{
	struct json_object *o = json_object_new_object();

	json_add_u32(o, "revision", v->revision);
	json_add_str(o, "state", state);
	events_publish(e, "heddle-system:confirmation", o);
}

void events_link(struct events *e, const char *port, bool up, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "port", port);
	json_add_str(o, "link", up ? "up" : "down");
	if (text[0] != '\0')
		json_add_str(o, "text", text);
	events_publish(e, "heddle-system:link-state", o);
}

void events_stall(struct events *e, uint32_t worker, uint32_t ms, const char *node)
{
	struct json_object *o = json_object_new_object();

	json_add_u32(o, "worker", worker);
	json_add_u32(o, "milliseconds", ms);
	json_add_str(o, "node", node);
	events_publish(e, "heddle-system:worker-stall", o);
}

void events_dataplane(struct events *e, bool connected, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_add_bool(o, "connected", connected);
	if (text[0] != '\0')
		json_add_str(o, "text", text);
	events_publish(e, "heddle-system:dataplane-state", o);
}

/* --- readers --------------------------------------------------------------------------------- */

static uint64_t oldest(const struct events *e)
{
	return e->next_id > EVENTS_KEPT ? e->next_id - EVENTS_KEPT : 1;
}

/* The reader was too slow: say what it lost, and end. */
static ssize_t say_lost(struct reader *r, char *buf, size_t size)
{
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "lost", oldest(r->e) - r->next_id);
	json_add_str(o, "text", "this reader was too slow; ask again to go on from now");
	struct json_object *top = envelope("heddle-system:events-lost", o);
	int n = snprintf(buf, size, "event: events-lost\ndata: %s\n\n",
			 json_object_to_json_string_ext(
				 top, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	log_warning("events: the reader of %s was too slow and is let go", r->user);
	json_object_put(top);
	r->over = true;
	return n;
}

static ssize_t next(void *arg, char *buf, size_t size)
{
	struct reader *r = arg;
	struct events *e = r->e;
	size_t n = 0;

	if (r->over)
		return -1;
	if (r->next_id < oldest(e))
		return say_lost(r, buf, size);
	while (r->next_id < e->next_id) {
		const char *text = e->ring[r->next_id % EVENTS_KEPT];
		size_t len = strlen(text);
		if (r->stop != 0 && e->time[r->next_id % EVENTS_KEPT] > r->stop)
			break;
		if (len > size - n)
			break;
		memcpy(buf + n, text, len);
		n += len;
		r->next_id++;
	}
	uint64_t now = uv_now(e->c->loop);
	if (n == 0 && r->stop != 0 && time(NULL) >= r->stop)
		return -1;
	if (n == 0 && (!r->greeted || now - r->sent_ms >= KEEPALIVE_MS))
		n = (size_t)snprintf(buf, size, ": heddle events\n\n");
	if (n > 0)
		r->sent_ms = now;
	r->greeted = true;
	return (ssize_t)n;
}

static void end(void *arg)
{
	struct reader *r = arg;

	*r->at = r->next;
	if (r->next != NULL)
		r->next->at = r->at;
	r->e->n_readers--;
	free(r);
}

/* yang:date-and-time in seconds; false: it is none. */
static bool date_and_time(const char *text, time_t *ret)
{
	struct tm tm = { 0 };
	int hours = 0, minutes = 0, end = 0;
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (at == NULL)
		return false;
	if (*at == '.')
		at += 1 + strspn(at + 1, "0123456789");
	if (strcmp(at, "Z") != 0 && (sscanf(at, "%3d:%2d%n", &hours, &minutes, &end) != 2 ||
				     at[end] != '\0' || (*at != '+' && *at != '-')))
		return false;
	*ret = timegm(&tm) - hours * 3600 - (*at == '-' ? -minutes : minutes) * 60;
	return true;
}

/* RFC 8040 sections 4.8.7 and 4.8.8: from when on, as far as it is kept, and until when. */
static bool read_times(const struct events *e, struct http_req *req, struct reader *r)
{
	static const char *const known[] = { "start-time", "stop-time", NULL };
	char start[80], stop[80];
	time_t from = 0;
	int a = uri_query(req->query, "start-time", start, sizeof(start));
	int b = uri_query(req->query, "stop-time", stop, sizeof(stop));

	if (uri_query_unknown(req->query, known, stop, sizeof(stop)) || a < 0 || b < 0 ||
	    (a > 0 && !date_and_time(start, &from)) || (b > 0 && !date_and_time(stop, &r->stop)) ||
	    (b > 0 && (a == 0 || r->stop <= from)))
		return false;
	if (a == 0)
		return true;
	r->next_id = oldest(e);
	while (r->next_id < e->next_id && e->time[r->next_id % EVENTS_KEPT] < from)
		r->next_id++;
	return true;
}

void events_stream(struct events *e, struct http_req *req)
{
	const char *last = http_header(req, "Last-Event-ID");
	struct reader *r = calloc(1, sizeof(*r));

	if (e == NULL || r == NULL || e->n_readers >= EVENTS_READERS_MAX) {
		free(r);
		/* those that have gone show when something is written to them */
		for (r = e != NULL ? e->readers : NULL; r != NULL; r = r->next) {
			r->sent_ms = 0;
			if (r->stream != NULL)
				http_stream_wake(r->stream);
		}
		restconf_errorf(req, -EAGAIN, "there are %u readers of events already; end one",
				EVENTS_READERS_MAX);
		return;
	}
	r->e = e;
	r->next_id = e->next_id;
	r->sent_ms = uv_now(e->c->loop);
	snprintf(r->user, sizeof(r->user), "%s", req->user);
	if (!read_times(e, req, r)) {
		free(r);
		restconf_errorf(req, -EINVAL,
				"query parameters are start-time and a later stop-time, both "
				"yang:date-and-time (RFC 8040 section 4.8.7)");
		return;
	}
	if (last != NULL) { /* a reader that comes back gets what it missed, as far as it is kept */
		uint64_t id = strtoull(last, NULL, 10);
		if (id + 1 >= oldest(e) && id < e->next_id)
			r->next_id = id + 1;
	}
	r->next = e->readers;
	r->at = &e->readers;
	if (r->next != NULL)
		r->next->at = &r->next;
	e->readers = r;
	e->n_readers++;
	struct http_stream *s =
		http_reply_stream(req, "text/event-stream", KEEPALIVE_MS, next, end, r);
	if (s != NULL)
		r->stream = s;
}

unsigned events_readers(const struct events *e)
{
	return e != NULL ? e->n_readers : 0;
}
