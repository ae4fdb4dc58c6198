/* SPDX-License-Identifier: BSD-3-Clause
 * GET and HEAD of a data resource: configuration, state, or a datastore with all that is in it. */
#ifndef CTRL_RESTCONF_READ_H
#define CTRL_RESTCONF_READ_H

#include "ctrl/restconf_data.h"
#include "ctrl/uri.h"

/* Answer a request that reads what uri names, now or when the state has come.  Takes the contents of uri. */
void restconf_get(struct ctrl *c, struct http_req *req, enum datastore ds, struct uri *uri);

#endif
