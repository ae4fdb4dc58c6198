/* SPDX-License-Identifier: BSD-3-Clause
 * Data resources: the datastores of RFC 8040 and RFC 8527, read and edited. */
#ifndef CTRL_RESTCONF_DATA_H
#define CTRL_RESTCONF_DATA_H

#include "ctrl/restconf.h"

enum datastore {
	DS_UNIFIED,   /* /restconf/data: configuration and state; an edit is a commit of its own */
	DS_RUNNING,   /* configuration alone */
	DS_CANDIDATE, /* edits take effect when it is committed */
	DS_OPERATIONAL, /* as unified, read only */
};

/* Answer a request for a resource; rest: the URI behind the datastore's. */
void restconf_datastore(struct ctrl *c, struct http_req *req, enum datastore ds, const char *rest);

/* Entity tag of a datastore's configuration (RFC 8040 section 3.5.2), quoted. */
const char *restconf_etag(struct ctrl *c, enum datastore ds, char *buf, size_t size);

#endif
