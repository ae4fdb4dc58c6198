/* SPDX-License-Identifier: BSD-3-Clause
 * Notifications as server-sent events (RFC 8040 section 6).  One ring of the last events serves all readers, so that
 * a slow one costs nothing; one that falls behind the ring is told what it lost, and its stream ends. */
#ifndef CTRL_EVENTS_H
#define CTRL_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct events;
struct http_req;
struct json_object;
struct version;

#define EVENTS_KEPT        256u /* events in the ring */
#define EVENTS_READERS_MAX 16u

struct events *events_create(struct ctrl *c);
void events_destroy(struct events *e); /* after the HTTP server */

/* Tell all readers; takes content.  name: a notification of the YANG modules, "heddle-system:link-state".  Every
 * function here takes e NULL: nobody listens. */
void events_publish(struct events *e, const char *name, struct json_object *content);
void events_config(struct events *e, const struct version *v, uint32_t n_set, uint32_t n_del);
void events_confirm(struct events *e, const struct version *v, const char *state);
void events_link(struct events *e, const char *port, bool up, const char *text);
void events_stall(struct events *e, uint32_t worker, uint32_t ms, const char *node);
void events_dataplane(struct events *e, bool connected, const char *text);

/* Answer a request for the stream. */
void events_stream(struct events *e, struct http_req *req);
unsigned events_readers(const struct events *e);

#endif
