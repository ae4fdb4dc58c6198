/* SPDX-License-Identifier: BSD-3-Clause
 * Entity tags and preconditions of requests (RFC 7232; RFC 8040 sections 3.4.1 and 3.5): which version of a datastore a
 * client has read, and whether what it asks for still holds. */
#ifndef CTRL_RESTCONF_COND_H
#define CTRL_RESTCONF_COND_H

#include "ctrl/restconf_data.h"

/* Set ETag and, where a time is known, Last-Modified of an answer about the datastore. */
void restconf_validators(struct ctrl *c, struct http_req *req, enum datastore ds);

/* False, and answered (304, or the error that the configuration has changed): the client's condition does not hold. */
bool restconf_preconditions(struct ctrl *c, struct http_req *req, enum datastore ds);

#endif
