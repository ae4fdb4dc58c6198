/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PIPELINES_PM_IOAM_GROUPS_H
#define PIPELINES_PM_IOAM_GROUPS_H

#include "dataplane/debug_api.h"

/* Request IOAM_GROUPS. */
int ioam_groups_request(const void *body, size_t size, debug_send_fn send, void *arg,
			struct hd_api_reply *reply);

#endif
