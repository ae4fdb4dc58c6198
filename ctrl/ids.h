/* SPDX-License-Identifier: BSD-3-Clause
 * Numbers for names: the table API knows objects by small numbers, people by names.  A name keeps its number as long
 * as the running configuration uses it, over restarts too, so that a restarted control process compiles the same
 * objects.  Numbers start at 1 and stay dense.  A number is not given to another name in the transaction that frees
 * it. */
#ifndef CTRL_IDS_H
#define CTRL_IDS_H

#include <stdint.h>

enum id_space {
	ID_INTERFACE,
	ID_VRF,
	ID_NEXTHOP,
	ID_NHGROUP,
	ID_SEGLIST,
	ID_POLICY,
	ID_SID,
	ID_PM_REFLECTOR_SESSION,
	ID_PORT, /* named as the interface on it; apart, since a data plane has far fewer ports than interfaces */
	ID_CLASSIFIER,
	ID_RULE,
	ID_SID_FUNCTION,
	ID_STEERING, /* rules, named by port and match */
	ID_BRIDGE,
	ID_BRIDGE_MEMBER,
	ID_VLAN_TABLE,
	ID_ALTMARK_FLOW,
	ID_BFD_SESSION,
	ID_PM_SESSION,
	ID_SPACES
};

struct ids;

struct ids *ids_create(void);
void ids_destroy(struct ids *ids);
/* The same names with the same numbers and marks; NULL when memory is out. */
struct ids *ids_copy(const struct ids *ids);

/* Number of a name, given now if it has none.  0 when memory is out.  Marks the name as used (see ids_prune()). */
uint32_t ids_get(struct ids *ids, enum id_space space, const char *name);
/* Number of a name, or 0; marks nothing.  ids_used(): only if it is marked, that is: part of what is being compiled. */
uint32_t ids_used(const struct ids *ids, enum id_space space, const char *name);
uint32_t ids_find(const struct ids *ids, enum id_space space, const char *name);
/* Name of a number, or NULL.  Valid until the next call that changes ids. */
const char *ids_name(const struct ids *ids, enum id_space space, uint32_t id);

/* No number of a space is as large as this. */
uint32_t ids_limit(const struct ids *ids, enum id_space space);

/* Forget all marks: call before compiling. */
void ids_unmark(struct ids *ids);
/* Drop the names without a mark: call when what was compiled is running. */
void ids_prune(struct ids *ids);

/* Write to `path` (temporary file, fsync, rename) or read from it.  Load: -ENOENT; -EINVAL when the file is damaged:
 * ids is then empty and the caller decides.  0 or -Exxx. */
int ids_save(const struct ids *ids, const char *path);
int ids_load(struct ids *ids, const char *path);

#endif
