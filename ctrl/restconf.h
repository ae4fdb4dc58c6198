/* SPDX-License-Identifier: BSD-3-Clause
 * The API: RESTCONF (RFC 8040) over http.h.  Configuration and state under /restconf/data, the datastores one by one
 * under /restconf/ds (RFC 8527), operations under /restconf/operations, events under /restconf/streams; errors as
 * ietf-restconf:errors with path, message and line. */
#ifndef CTRL_RESTCONF_H
#define CTRL_RESTCONF_H

#include <json-c/json.h>

#include "ctrl/ctrl.h"
#include "ctrl/dp.h"
#include "ctrl/err.h"
#include "ctrl/http.h"

struct ctrl_state;

void restconf_handle(void *ctrl, struct http_req *req);

/* Answer with {NAME: value}; takes value.  name: "heddle-ip:neighbour-state". */
void restconf_data(struct http_req *req, const char *name, struct json_object *value);
/* Answer an operation with {"MODULE:output": value}; takes value, NULL: no output. */
void restconf_output(struct http_req *req, const char *module, struct json_object *value);
/* Answer with an error; rc: -Exxx, decides status and error-tag. */
void restconf_error(struct http_req *req, int rc, const struct ctrl_err *err);
void restconf_errorf(struct http_req *req, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a request the data plane answered with an error. */
void restconf_dp_error(struct http_req *req, const struct dp_answer *a);

/* RFC 8040 section 3.2 and RFC 7951. */
#define RESTCONF_JSON "application/yang-data+json"

/* False, and answered: whoever asks may only read. */
bool restconf_may_write(struct http_req *req);
/* Answer OPTIONS, or that this method is none of those that are allowed. */
void restconf_method(struct http_req *req, const char *allow);
bool restconf_reads(const struct http_req *req);           /* GET or HEAD */
const struct ctrl_state *restconf_state(const char *name); /* NULL: none is called so */
bool restconf_state_guarded(const char *name);             /* only for those who may write */

/* JSON helpers: 64-bit numbers are strings (RFC 7951 section 6.1), times are yang:date-and-time. */
void json_add_str(struct json_object *o, const char *name, const char *value);
void json_add_u32(struct json_object *o, const char *name, uint32_t value);
void json_add_u64(struct json_object *o, const char *name, uint64_t value);
void json_add_bool(struct json_object *o, const char *name, bool value);
void json_add_time_ns(struct json_object *o, const char *name, uint64_t ns);
void json_add_mac(struct json_object *o, const char *name, const uint8_t mac[6]);
void json_add_hex(struct json_object *o, const char *name, const uint8_t *data, size_t len);
/* List "counter" of {name, value} with every column of one row of a statistics vector; nothing if there is none. */
void json_add_counters(struct json_object *o, const struct dp *dp, const char *vec, uint32_t row);

#endif
