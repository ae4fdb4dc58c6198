/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of l2 share. */
#ifndef PIPELINES_L2_INTERNAL_H
#define PIPELINES_L2_INTERNAL_H

#include <stdint.h>

/* Verdict of eth-input by ethertype; ETH_INPUT_UNKNOWN_ETHERTYPE where nobody registered. */
extern uint8_t ethertype_verdict[65536];
extern uint8_t ethertype_punt[65536]; /* punt reason, where the verdict is ETH_INPUT_PUNT */
void ethertypes_init(void);

int iface_init(void); /* api.c: object kind IFACE, slot table, counters */
int l2_explain_init(void);
void iface_fini(void);
void iface_tick(void);
void iface_link_changed(unsigned port_id);
void iface_l2_changed(uint32_t iface_id); /* it became a member of a bridge, or is none any more */

#endif
