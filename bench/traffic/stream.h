/* SPDX-License-Identifier: BSD-3-Clause
 * What is sent: streams of flows, from YAML, a pcap file, or made by default.  docs/traffic.md has the format. */
#ifndef BENCH_TRAFFIC_STREAM_H
#define BENCH_TRAFFIC_STREAM_H

#include <stdio.h>

#include "bench/traffic/frame.h"

#define STREAMS_MAX       16u
#define STREAM_SIZES_MAX  16u
#define STREAM_PORTS_MAX  8u
#define STREAM_ADDRS_MAX  8u
#define STREAM_FLOWS_MAX  65536u /* of all streams: a signature has 16 bits for it */
#define STREAM_WEIGHT_MAX 64u

struct stream_addr { /* IPv4 (4 octets) or IPv6 (16) */
	uint8_t b[16];
	uint8_t octets; /* 0: none */
};

/* A port's own addresses: it answers ARP and Neighbor Discovery for them, and asks for its gateway's MAC. */
struct stream_port {
	uint32_t n_addrs;
	struct stream_addr addr[STREAM_ADDRS_MAX], gateway;
};

struct stream_frame { /* of a pcap file; its last 18 payload octets are room for the signature */
	uint8_t *octets;
	uint32_t len, sig; /* sig: offset of the signature */
};

struct stream {
	char name[32];
	uint32_t from, to; /* ports */
	uint32_t weight;   /* share of all packets */
	uint32_t flows;
	uint32_t n_sizes;                /* 0: as the command line says */
	uint32_t size[STREAM_SIZES_MAX]; /* octets with FCS, in this order */
	struct packet packet;
	bool own_src, own_dst; /* MAC addresses that the port and its gateway or peer give */
	uint32_t n_frames;     /* not 0: frames of a pcap instead of `packet`, one flow each */
	struct stream_frame *frame;
};

struct streams {
	uint32_t n, n_ports; /* n_ports: of the ports section; the others have no addresses */
	struct stream stream[STREAMS_MAX];
	struct stream_port port[STREAM_PORTS_MAX];
};

/* YAML text, pcap or pcapng from a file.  name: for messages.  Returns 0, or -Exxx and one line in err, with the line
 * (YAML) or the frame (pcap) at fault; then *ret is empty.  streams_free() after success. */
int streams_from_yaml(const char *text, size_t len, const char *name, struct streams *ret,
		      char *err, size_t err_size);
int streams_from_pcap(FILE *f, const char *name, struct streams *ret, char *err, size_t err_size);
/* IPv4 and UDP of RFC 2544 appendix C's addresses, from port 0 to port 1, or the other way too. */
void streams_default(struct streams *ret, uint32_t flows, bool both_ways);
void streams_free(struct streams *s);

/* "64", "64,128,1518", "imix" (7 x 64, 4 x 570, 1 x 1518, spread).  Octets with FCS.
 * Returns their number or -EINVAL. */
int sizes_parse(const char *text, uint32_t size[STREAM_SIZES_MAX]);

#endif
