/* SPDX-License-Identifier: BSD-3-Clause
 * Frames of capture files for `heddle explain`: pcap and pcapng, through libpcap. */
#ifndef CTRL_CLI_EXPLAIN_PCAP_H
#define CTRL_CLI_EXPLAIN_PCAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Frame n (from 1) of an open file, which is closed in every case: octets into buf.  Returns how many, or -Exxx with
 * one sentence in why: -EINVAL no capture file or a link layer that is neither Ethernet nor IP, -ENOENT fewer frames,
 * -EMSGSIZE longer than size, -EBADMSG cut short when it was captured. */
int explain_pcap_frame(FILE *f, unsigned long n, uint8_t *buf, size_t size, char *why,
		       size_t why_size);

/* A pcap file of Ethernet frames.  NULL with why filled. */
struct explain_pcap;
struct explain_pcap *explain_pcap_create(const char *path, char *why, size_t why_size);
void explain_pcap_add(struct explain_pcap *p, const uint8_t *frame, size_t len);
int explain_pcap_close(struct explain_pcap *p); /* 0 or -EIO */

#endif
