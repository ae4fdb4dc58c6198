/* SPDX-License-Identifier: BSD-3-Clause
 * Packet capture: the data plane writes pcapng into a memfd of ours, and the client reads it from there as it grows.
 * What has been sent is punched out of the memfd, so a long capture does not fill the memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctrl/cfg.h"
#include "ctrl/debug/debug_private.h"
#include "ctrl/restconf.h"
#include "heddle/api/debug.h"

struct capture {
	int fd;
	off_t sent;
	bool running; /* in the data plane */
	bool reading; /* a client has the stream */
	uint32_t packets, missed;
};

struct ask {
	struct ctrl *c;
	struct http_req *req;
	int fd;
};

static void capture_free(struct ctrl *c)
{
	if (c->capture == NULL)
		return;
	close(c->capture->fd);
	free(c->capture);
	c->capture = NULL;
}

void debug_fini(struct ctrl *c)
{
	capture_free(c);
}

static void on_start(void *arg, const struct dp_answer *a)
{
	struct ask *ask = arg;
	struct capture *cap = calloc(1, sizeof(*cap));

	if (a->error != 0 || cap == NULL) {
		restconf_dp_error(ask->req, a);
		close(ask->fd);
		free(cap);
	} else {
		*cap = (struct capture){ .fd = ask->fd, .running = true };
		ask->c->capture = cap;
		restconf_output(ask->req, "heddle-capture", NULL);
	}
	free(ask);
}

void debug_capture_start(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct hd_api_capture_start s = { .count = cfg_u32(in, "count", 0),
					  .snaplen = cfg_u32(in, "snaplen", 0) };
	const char *node = cfg_str(in, "node"), *filter = cfg_str(in, "filter");

	if (c->capture != NULL && (c->capture->running || c->capture->reading)) {
		restconf_errorf(
			req, -EBUSY,
			"a capture is running already; stop it with POST heddle-capture:stop");
		return;
	}
	capture_free(c);
	snprintf(s.node, sizeof(s.node), "%s", node != NULL ? node : "");
	snprintf(s.filter, sizeof(s.filter), "%s", filter != NULL ? filter : "");
	struct ask *ask = malloc(sizeof(*ask));
	int fd = memfd_create("heddle-capture", MFD_CLOEXEC);
	if (ask == NULL || fd < 0) {
		restconf_errorf(req, -ENOMEM, "no memory for the capture");
		free(ask);
		if (fd >= 0)
			close(fd);
		return;
	}
	*ask = (struct ask){ c, req, fd };
	dp_request(c->dp, HD_API_CAPTURE_START, &s, sizeof(s), fd, on_start, ask);
}

void debug_capture_done(struct ctrl *c, const struct hd_api_event *ev)
{
	if (c->capture == NULL)
		return;
	c->capture->running = false;
	c->capture->packets = ev != NULL ? ev->u.capture.packets : 0;
	c->capture->missed = ev != NULL ? ev->u.capture.missed : 0;
}

static void on_stop(void *arg, const struct dp_answer *a)
{
	struct ask *ask = arg;

	if (a->error != 0) {
		restconf_dp_error(ask->req, a);
	} else {
		struct json_object *o = json_object_new_object();
		if (ask->c->capture != NULL) {
			json_add_u32(o, "packets", ask->c->capture->packets);
			json_add_u32(o, "missed", ask->c->capture->missed);
			ask->c->capture->running = false;
		}
		restconf_output(ask->req, "heddle-capture", o);
	}
	free(ask);
}

void debug_capture_stop(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct ask *ask = malloc(sizeof(*ask));

	(void)in;
	if (ask == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	*ask = (struct ask){ c, req, -1 };
	dp_request(c->dp, HD_API_CAPTURE_STOP, NULL, 0, -1, on_stop, ask);
}

/* --- the stream ------------------------------------------------------------------------------ */

static ssize_t stream_next(void *arg, char *buf, size_t size)
{
	struct ctrl *c = arg;
	struct capture *cap = c->capture;

	if (cap == NULL)
		return -1;
	ssize_t n = pread(cap->fd, buf, size, cap->sent);
	if (n <= 0)
		return cap->running ? 0 : -1;
	cap->sent += n;
	if (cap->sent >= 1 << 20)
		fallocate(cap->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			  cap->sent & ~(off_t)4095);
	return n;
}

static void on_forgotten(void *arg, const struct dp_answer *a)
{
	(void)arg;
	(void)a;
}

/* A capture or trace that a control process before this one left running serves nobody. */
void debug_dp_up(struct ctrl *c)
{
	dp_request(c->dp, HD_API_CAPTURE_STOP, NULL, 0, -1, on_forgotten, NULL);
	dp_request(c->dp, HD_API_TRACE_STOP, NULL, 0, -1, on_forgotten, NULL);
}

static void stream_end(void *arg)
{
	struct ctrl *c = arg;

	if (c->capture == NULL)
		return;
	c->capture->reading = false;
	if (c->capture->running) /* the client has gone: nobody wants the rest */
		dp_request(c->dp, HD_API_CAPTURE_STOP, NULL, 0, -1, on_forgotten, NULL);
	capture_free(c);
}

void debug_capture_pcapng(struct ctrl *c, struct http_req *req)
{
	if (c->capture == NULL || c->capture->reading) {
		restconf_errorf(req, c->capture == NULL ? -ENOENT : -EBUSY,
				c->capture == NULL ? "no capture was started" :
						     "the capture is being read already");
		return;
	}
	c->capture->reading = true;
	http_reply_stream(req, "application/x-pcapng", 50, stream_next, stream_end, c);
}
