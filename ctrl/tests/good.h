/* SPDX-License-Identifier: BSD-3-Clause
 * A good configuration, one node a line, for tests that break exactly one of them. */
#ifndef CTRL_TESTS_GOOD_H
#define CTRL_TESTS_GOOD_H

static const char good_yaml[] = "system:\n"                                               /* 1 */
				"  hostname: lab\n"                                       /* 2 */
				"interfaces:\n"                                           /* 3 */
				"  interface:\n"                                          /* 4 */
				"  - name: access\n"                                      /* 5 */
				"    devargs: net_null0\n"                                /* 6 */
				"    mtu: 1400\n"                                         /* 7 */
				"    ipv4:\n"                                             /* 8 */
				"      address:\n"                                        /* 9 */
				"      - ip: 10.0.1.1\n"                                  /* 10 */
				"        prefix-length: 24\n"                             /* 11 */
				"  - name: core\n"                                        /* 12 */
				"    devargs: net_null1\n"                                /* 13 */
				"  - name: core.10\n"                                     /* 14 */
				"    parent: core\n"                                      /* 15 */
				"    outer-vlan: {id: 10}\n"                              /* 16 */
				"    vrf: red\n"                                          /* 17 */
				"ip:\n"                                                   /* 18 */
				"  route:\n"                                              /* 19 */
				"  - prefix: 10.2.0.0/16\n"                               /* 20 */
				"    next-hop: [{interface: core, address: 10.9.0.2}]\n"  /* 21 */
				"  - prefix: 10.3.0.0/16\n"                               /* 22 */
				"    srv6-policy: far\n"                                  /* 23 */
				"  vrf:\n"                                                /* 24 */
				"  - name: red\n"                                         /* 25 */
				"srv6:\n"                                                 /* 26 */
				"  encapsulation: {source-address: 'fc00:1::1'}\n"        /* 27 */
				"  sid:\n"                                                /* 28 */
				"  - sid: fc00:1::e/128\n"                                /* 29 */
				"    behavior: end\n"                                     /* 30 */
				"  policy:\n"                                             /* 31 */
				"  - name: far\n"                                         /* 32 */
				"    segment-list:\n"                                     /* 33 */
				"    - {name: a, segment: ['fc00:2::1', 'fc00:3::1']}\n"; /* 34 */

#endif
