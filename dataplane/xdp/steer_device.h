/* SPDX-License-Identifier: BSD-3-Clause
 * What the kernel's device under an AF_XDP port is like, and what stands on it.  Control thread only. */
#ifndef DATAPLANE_XDP_STEER_DEVICE_H
#define DATAPLANE_XDP_STEER_DEVICE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Value of "name=" in devargs; false: not there, or too long. */
bool steer_devarg(const char *devargs, const char *name, char *ret, size_t size);

/* Does the kernel give us sockets of AF_XDP and take programs from us?  0, or -errno with why filled. */
int steer_refused(char *why, size_t size);

enum steer_program {
	STEER_PROGRAM_NONE,
	STEER_PROGRAM_OURS, /* its name is `ours`; or it is libxdp's, which AF_XDP sockets make and share */
	STEER_PROGRAM_FOREIGN, /* why says whose */
};
enum steer_program steer_program_on(const char *ifname, const char *ours, char *why, size_t size);

/* A descriptor of a program with what the kernel tells about it, and up to n ids of its maps; or -errno. */
int steer_prog_by_id(uint32_t id, struct bpf_prog_info *info, uint32_t *map_ids, uint32_t n);

/* Receive queues: those that a net_af_xdp port can have, and all there are. */
struct steer_queues {
	unsigned usable, all;
};
struct steer_queues steer_queues(const char *ifname);

#endif
