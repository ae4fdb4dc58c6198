/* SPDX-License-Identifier: BSD-3-Clause
 * The audit log: who asked for what, from where, and how it ended; one JSON object a line in STATE-DIR/audit.log.
 * Written are all requests that change something, and all that were refused for want of rights. */
#ifndef CTRL_AUDIT_H
#define CTRL_AUDIT_H

#include "ctrl/http.h"

#define AUDIT_FILE_MAX (8u << 20) /* octets; then it becomes audit.log.1, and so on to .4 */

struct audit;

struct audit *audit_create(const char *state_dir); /* NULL when memory is out */
void audit_destroy(struct audit *a);
void audit_write(struct audit *a, const struct http_req *req, unsigned status);

#endif
