/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_IP_IP_PRIVATE_H
#define CTRL_IP_IP_PRIVATE_H

#include "ctrl/ip/ip.h"

int ip_compile(struct compile *c);
void ip_neighbour_state(struct ctrl *c, struct http_req *req);
void ip_route_state(struct ctrl *c, struct http_req *req);

#endif
