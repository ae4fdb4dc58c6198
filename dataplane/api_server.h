/* SPDX-License-Identifier: BSD-3-Clause
 * Server of the table API (include/heddle/api/api.h) on a Unix stream socket, and of the punt socket beside it.
 * Control thread only.  Several clients may be connected; one transaction each. */
#ifndef DATAPLANE_API_SERVER_H
#define DATAPLANE_API_SERVER_H

#include "heddle/api/api.h"

struct rte_mbuf;

/* Listen on `path` (an abandoned socket there is replaced, one in use is -EADDRINUSE), and on `punt_path`
 * (SOCK_SEQPACKET).  software: what HELLO says. */
int api_server_init(const char *path, const char *punt_path, const char *software);
void api_server_fini(void);

int api_server_epoll_fd(void); /* readable when api_server_poll() has work */
void api_server_poll(void);

/* Send to every connected client; time_ns is filled in when 0.  A client that does not read loses events, never
 * replies. */
void api_server_event(const struct hd_api_event *ev);

/* Hand a punted packet to the control process (frees it); counted and dropped when nobody listens. */
void api_server_punt(struct rte_mbuf *m, void *arg);

#endif
