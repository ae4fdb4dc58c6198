/* SPDX-License-Identifier: BSD-3-Clause
 * Client of the table API.  Connects to the data plane's socket, again and again until it is there, greets it, maps
 * its statistics segment and carries requests.  Nothing here blocks; every request ends in exactly one callback. */
#ifndef CTRL_DP_H
#define CTRL_DP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "ctrl/objset.h"
#include "heddle/api/api.h"
#include "heddle/stats.h"

struct dp;

struct dp_hooks {
	void (*up)(void *arg);   /* greeted; tables are to be reconciled */
	void (*down)(void *arg); /* connection lost; pending requests have been answered */
	void (*event)(void *arg, const struct hd_api_event *ev);
};

/* Answer to a request.  The messages that came before the final REPLY stand in msgs, one after the other. */
struct dp_answer {
	int error;                 /* 0, an errno value of the data plane, ENOTCONN, or ETIMEDOUT */
	const char *text;          /* sentence about the error; "" if none */
	struct hd_api_reply reply; /* zero unless the data plane replied */
	uint32_t failed_index;     /* commit: index of the object at fault; UINT32_MAX: none */
	const uint8_t *msgs;
	size_t len;
};
typedef void (*dp_done_fn)(void *arg, const struct dp_answer *a);

/* Next message of an answer: its header, or NULL.  *off starts at 0.  body is zero-extended or cut to `size`. */
const struct hd_api_hdr *dp_answer_next(const struct dp_answer *a, size_t *off, void *body,
					size_t size);

/* path: of dp.sock.  NULL when memory is out. */
struct dp *dp_create(uv_loop_t *loop, const char *path, const struct dp_hooks *hooks, void *arg);
void dp_connect(struct dp *dp); /* start trying */
/* Pending requests are answered with ENOTCONN; memory is freed by the loop. */
void dp_destroy(struct dp *dp);

bool dp_connected(const struct dp *dp);
const struct hd_api_hello *dp_hello(const struct dp *dp); /* NULL unless connected */
const struct hd_stats_hdr *dp_stats(const struct dp *dp); /* NULL unless connected */
const char *dp_problem(const struct dp *dp);              /* why it is not connected */

/* The statistics segment for a thread: it stays mapped until it is given back, whatever becomes of the connection.
 * Both are for the loop.  NULL unless connected. */
struct dp_segment;
struct dp_segment *dp_stats_hold(struct dp *dp);
void dp_stats_release(struct dp_segment *s);
const struct hd_stats_hdr *dp_segment_stats(const struct dp_segment *s); /* takes NULL */

/* One request.  fd: descriptor to send along, or -1; stays the caller's. */
void dp_request(struct dp *dp, uint16_t type, const void *body, size_t size, int fd,
		dp_done_fn done, void *arg);
void dp_dump(struct dp *dp, uint16_t kind, dp_done_fn done, void *arg);

/* A transaction: begin, objects, commit.  Objects are numbered from 0 for failed_index. */
void dp_txn_begin(struct dp *dp);
void dp_txn_object(struct dp *dp, const struct object *o, bool del);
void dp_txn_commit(struct dp *dp, dp_done_fn done, void *arg);
void dp_txn_abort(struct dp *dp);

/* Statistics by name; every function checks bounds against the segment and takes NULL.  */
const struct hd_stats_vec *dp_stats_vec(const struct dp *dp, const char *name, uint32_t *ret_index);
const struct hd_stats_vec *dp_stats_vec_at(const struct dp *dp, uint32_t index);
const struct hd_stats_row *dp_stats_row(const struct dp *dp, const struct hd_stats_vec *v,
					uint32_t row);
uint64_t dp_stats_sum(const struct dp *dp, const struct hd_stats_vec *v, uint32_t row,
		      uint32_t col);
uint64_t dp_stats_slice(const struct dp *dp, const struct hd_stats_vec *v, uint32_t slice,
			uint32_t row, uint32_t col);
uint32_t stats_row_by_name(const struct hd_stats_hdr *h, const struct hd_stats_vec *v,
			   const char *name);
const struct hd_stats_vec *stats_vec(const struct hd_stats_hdr *h, const char *name,
				     uint32_t *ret_index);

#endif
