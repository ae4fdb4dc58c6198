/* SPDX-License-Identifier: BSD-3-Clause
 * The parts of the performance measurement suite: what a Session-Reflector answers (suite_pm.c), and packets that carry
 * their measurement, and test packets (pm_measure.c).
 *
 *   tester 2001:db8:a::1 -- [port 1: 2001:db8:a::9] node [port 2: 2001:db8:b::9] -- ::1, behind it 2001:db8:f::/48
 *      outside 2001:db8:c::1 -- [port 3: ::9]           [port 4: 2001:db8:d::9] -- 2001:db8:d::1, far end of sessions */
#ifndef PM_SUITE_H
#define PM_SUITE_H

#include <stdint.h>
#include <stdio.h>

#include "heddle/wire/udp.h"
#include "tests/conformance/conformance.h"

#define PM_SECRET "stamp-test-key-0"

struct pm_payload {
	uint8_t octet[512], care[512];
	unsigned len;
};

/* The UDP datagram of a frame with IPv6, behind whatever leads it along a list, and the IPv6 header it has then.  NULL, or
 * what is wrong; the checksum is not looked at. */
const char *pm_open(const uint8_t *frame, size_t size, struct ip6_view *v, struct udp_view *u);
/* One of several in hexadecimal: '.' is any digit, '~' 0 or 8; returns what is behind it. */
const char *pm_read_hex(const char *text, struct pm_payload *p);
/* HMACs by letters: B of the base (RFC 8762 section 4.4), T of the TLVs before the last (RFC 8972 section 4.8). */
void pm_sign(const char *how, const uint8_t *p, unsigned len, uint8_t base[16], uint8_t tlv[16]);
/* Ends the row unless the UDP payload, which is signed so, is as wanted. */
void pm_check_payload(const char *id, const char *sign, const uint8_t *got, unsigned len,
		      const struct pm_payload *want);
/* Ends the program unless rc is 0. */
void pm_must(int rc, const char *what);

uint32_t pm_measure_rows(void);
void pm_measure_row(uint32_t i, struct conf_row *ret);
void pm_measure_run(uint32_t i);
void pm_measure_start(void);
void pm_measure_config(FILE *f); /* YAML behind that of the reflector */

#endif
