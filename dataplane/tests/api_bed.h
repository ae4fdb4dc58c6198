/* SPDX-License-Identifier: BSD-3-Clause
 * The API server with the object registry and the statistics segment, but no packets: what its unit tests and its
 * fuzz target run.  Two small object kinds stand for the pipelines'; stand-ins replace the parts that need workers. */
#ifndef DATAPLANE_TESTS_API_BED_H
#define DATAPLANE_TESTS_API_BED_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/api_server.h"
#include "dataplane/crash.h"
#include "dataplane/debug_api.h"
#include "dataplane/dp_limits.h"
#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/stats.h"
#include "heddle/api/debug.h"
#include "heddle/api/ip.h"

struct dp_limits dp_limits = { .workers = 1, .ifaces = 16, .vrfs = 4 };

static unsigned bed_injected;

int debug_request(uint16_t type, const void *body, size_t size, int fd, debug_send_fn send,
		  void *arg, struct hd_api_reply *reply)
{
	(void)body;
	(void)size;
	(void)reply;
	if (fd >= 0)
		close(fd);
	if (type != HD_API_WORKER)
		return -ENOENT;
	struct hd_api_worker w = { .n_queues = 1 };
	send(arg, type, &w, sizeof(w));
	return 0;
}
void debug_inject(const struct hd_api_punt *h, const void *packet, size_t size)
{
	(void)h;
	(void)packet;
	(void)size;
	bed_injected++;
}
void crash_txn_note(const char *fmt, ...)
{
	(void)fmt;
}
void crash_object_note(const char *name, bool del, const void *key, size_t key_size, int rc)
{
	(void)name;
	(void)del;
	(void)key;
	(void)key_size;
	(void)rc;
}

static int bed_apply(const void *msg, const void *old, struct object_error *err)
{
	(void)msg;
	(void)old;
	(void)err;
	return 0;
}
static void bed_remove(const void *old)
{
	(void)old;
}
static int bed_route_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_route *r = msg;

	(void)old;
	return r->plen > 128 ? object_fail(err, -EINVAL, "prefix length %u", r->plen) : 0;
}
static unsigned bed_route_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_route *r = msg;

	if (r->vrf_id == 0)
		return 0;
	memset(ref, 0, sizeof(*ref));
	ref->type = HD_API_VRF;
	memcpy(ref->key, &r->vrf_id, sizeof(r->vrf_id));
	return 1;
}

static const struct object_kind bed_vrf = { .type = HD_API_VRF,
					    .rank = 15,
					    .name = "vrf",
					    .key_size = 4,
					    .min_size = 4,
					    .max_size = sizeof(struct hd_api_vrf),
					    .apply = bed_apply,
					    .remove = bed_remove,
					    .capacity = 4 };
static const struct object_kind bed_route = { .type = HD_API_ROUTE,
					      .rank = 80,
					      .name = "route",
					      .key_size = HD_API_ROUTE_KEY,
					      .min_size = sizeof(struct hd_api_route),
					      .max_size = sizeof(struct hd_api_route),
					      .check = bed_route_check,
					      .apply = bed_apply,
					      .remove = bed_remove,
					      .refs = bed_route_refs };

static char bed_path[64], bed_punt_path[64];

static int bed_start(void)
{
	log_set_level(LOG_LVL_ERROR);
	snprintf(bed_path, sizeof(bed_path), "/tmp/hd-api-%d.sock", (int)getpid());
	snprintf(bed_punt_path, sizeof(bed_punt_path), "/tmp/hd-api-%d-punt.sock", (int)getpid());
	if (stats_init(1) < 0 || objects_init() < 0 || object_kind_register(&bed_vrf) < 0 ||
	    object_kind_register(&bed_route) < 0)
		return -1;
	return api_server_init(bed_path, bed_punt_path, "bed 1.0");
}

static inline void bed_stop(void)
{
	api_server_fini();
	objects_fini();
	stats_fini();
}

/* A connected client; the server has accepted it. */
static int bed_connect(const char *path, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	api_server_poll();
	return fd;
}

#endif
