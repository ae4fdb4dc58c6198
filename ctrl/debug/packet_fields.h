/* SPDX-License-Identifier: BSD-3-Clause
 * A packet as fields, and what differs between two states of one packet. */
#ifndef CTRL_DEBUG_PACKET_FIELDS_H
#define CTRL_DEBUG_PACKET_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#define FIELDS_MAX 128u
#define LAYERS_MAX 20u

struct packet_field {
	const char *name; /* "hop limit" */
	char value[48];
};
struct packet_layer {
	const char *name; /* "IPv6" */
	unsigned at;      /* where it stands: octets from the base given to packet_fields() */
	unsigned first, n_fields;
};
struct packet_fields {
	unsigned n_layers, n_fields;
	struct packet_layer layer[LAYERS_MAX];
	struct packet_field field[FIELDS_MAX];
};

/* Take the packet at p (Ethernet or IP first, as debug_packet_text() sees it) apart.  base: place of p[0] in a buffer:
 * layers at one place in two states of a packet are the same layer.  Ends at what is cut off or unknown. */
void packet_fields(const uint8_t *p, size_t len, unsigned base, struct packet_fields *ret);

enum packet_change { CHANGE_SET, CHANGE_ADDED, CHANGE_REMOVED };
/* One difference.  SET: a field's values; ADDED, REMOVED: a whole layer, field NULL and its fields in words in `to`
 * or `from`. */
typedef void (*packet_change_fn)(void *arg, enum packet_change what, const char *layer,
				 const char *field, const char *from, const char *to);
void packet_changes(const struct packet_fields *before, const struct packet_fields *after,
		    packet_change_fn fn, void *arg);

#endif
