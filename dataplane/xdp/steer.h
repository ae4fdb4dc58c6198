/* SPDX-License-Identifier: BSD-3-Clause
 * XDP steering of net_af_xdp ports: a program of ours on the kernel's device hands on what Heddle owns and lets the
 * rest pass (steer.bpf.c; object kind XDP_RULE in include/heddle/api/l2.h).  Control thread only.
 *
 * DPDK's driver loads and attaches the program, which is compiled in here and given to it as a file without a name; its
 * maps are then found by the device's program.  With bpffs mounted, program and maps are pinned below
 * /sys/fs/bpf/heddle/NETNS-DEVICE for others to look at.  Pins do not keep the program attached: the device does. */
#ifndef DATAPLANE_XDP_STEER_H
#define DATAPLANE_XDP_STEER_H

#include <stddef.h>

#include "dataplane/objects.h"
#include "heddle/api/l2.h"

struct steer; /* of one port */

int steer_init(void);  /* object kind XDP_RULE, counters */
void steer_tick(void); /* every 100 ms: counters once a second */

/* Before the port's device is made: devargs becomes what DPDK is to be asked for.  That is msg->devargs, but
 *  - with HD_PORT_F_STEER on a net_af_xdp port our program and all queues are added, and *ret is what the other
 *    functions want;
 *  - where AF_XDP is refused, or a program of somebody else is on the device, an af_packet port of the same device,
 *    having logged why.
 * A steering program of ours that a process before this one left on the device is removed; of one that still runs is
 * -EBUSY.  *ret NULL: the port does not steer. */
int steer_prepare(const struct hd_api_port *msg, char *devargs, size_t size, struct steer **ret,
		  struct object_error *err);
/* The device has started: fill its maps with the rules that there are. */
int steer_attached(struct steer *s, struct object_error *err);
/* The device is gone, or was never made; takes NULL. */
void steer_release(struct steer *s);

#endif
