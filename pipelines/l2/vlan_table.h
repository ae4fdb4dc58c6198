/* SPDX-License-Identifier: BSD-3-Clause
 * VLAN tables of End.DX2V (RFC 8986 section 4.10): the writer's side; bridge.h has the lookup. */
#ifndef PIPELINES_L2_VLAN_TABLE_H
#define PIPELINES_L2_VLAN_TABLE_H

int vlan_table_init(void); /* object kind VLAN_ENTRY */
void vlan_table_fini(void);

#endif
