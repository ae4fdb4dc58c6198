/* SPDX-License-Identifier: BSD-3-Clause */
/* SRv6 endpoint behaviors: one list (srv6_behaviors.def), expanded to enum, names, arguments, flavors and codepoints.
 * A behavior is named by its IANA codepoint without flavors; flavors travel beside it as bits. */
#ifndef HEDDLE_SRV6_BEHAVIOR_H
#define HEDDLE_SRV6_BEHAVIOR_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* RFC 8986 section 4.16 and RFC 9800. */
#define HD_SRV6_FLAVOR_PSP          0x0001u /* penultimate segment pop of the SRH */
#define HD_SRV6_FLAVOR_USP          0x0002u /* ultimate segment pop of the SRH */
#define HD_SRV6_FLAVOR_USD          0x0004u /* ultimate segment decapsulation */
#define HD_SRV6_FLAVOR_NEXT_CSID    0x0008u
#define HD_SRV6_FLAVOR_REPLACE_CSID 0x0010u

/* Arguments of a behavior. */
#define HD_SRV6_ARG_NEXTHOP 0x0001u /* adjacency or set of adjacencies J */
#define HD_SRV6_ARG_TABLE   0x0002u /* routing table T of both families */
#define HD_SRV6_ARG_TABLE4  0x0004u /* IPv4 routing table */
#define HD_SRV6_ARG_TABLE6  0x0008u /* IPv6 routing table */
#define HD_SRV6_ARG_IFACE   0x0010u /* outgoing interface I */
#define HD_SRV6_ARG_L2TABLE 0x0020u /* VLAN or MAC table T */
#define HD_SRV6_ARG_POLICY  0x0040u /* SR policy B */
#define HD_SRV6_ARG_LABELS  0x0080u /* MPLS label stack B */
#define HD_SRV6_ARG_SERVICE \
	0x0100u /* a service: what it speaks, and next hop or interface towards it */

enum hd_srv6_behavior {
	HD_SRV6_NONE = 0, /* reserved by IANA, never a behavior */
#define BEHAVIOR(NAME, func, codepoint, text, arguments, flavors, section) \
	HD_SRV6_##NAME = codepoint,
#include <heddle/srv6_behaviors.def>
};

struct hd_srv6_behavior_info {
	const char *name;    /* "end.dt6" */
	const char *section; /* of RFC 8986; "": not from there */
	uint16_t codepoint;  /* enum hd_srv6_behavior */
	uint16_t args;       /* HD_SRV6_ARG_*, all required */
	uint16_t flavors;    /* HD_SRV6_FLAVOR_*, union of all that exist */
};

struct hd_srv6_codepoint {
	uint16_t behavior; /* enum hd_srv6_behavior */
	uint16_t flavors;
	uint16_t codepoint; /* IANA */
};

/* All behaviors in the order of RFC 8986.
 *   ret_n  number of entries */
static inline const struct hd_srv6_behavior_info *hd_srv6_behaviors(size_t *ret_n)
{
	static const struct hd_srv6_behavior_info all[] = {
#define BEHAVIOR(NAME, func, code, text, arguments, flv, sect) \
	{ .name = text, .section = sect, .codepoint = code, .args = arguments, .flavors = flv },
#include <heddle/srv6_behaviors.def>
	};

	*ret_n = sizeof(all) / sizeof(all[0]);
	return all;
}

/* All registered combinations of a behavior and flavors.
 *   ret_n  number of entries */
static inline const struct hd_srv6_codepoint *hd_srv6_codepoints(size_t *ret_n)
{
	static const struct hd_srv6_codepoint all[] = {
#define BEHAVIOR_CODE(NAME, flv, code) \
	{ .behavior = HD_SRV6_##NAME, .flavors = flv, .codepoint = code },
#include <heddle/srv6_behaviors.def>
	};

	*ret_n = sizeof(all) / sizeof(all[0]);
	return all;
}

/* What is known of a behavior (enum hd_srv6_behavior); NULL if it is none of the list. */
static inline const struct hd_srv6_behavior_info *hd_srv6_behavior_info(unsigned behavior)
{
	size_t n, i;
	const struct hd_srv6_behavior_info *all = hd_srv6_behaviors(&n);

	for (i = 0; i < n; i++)
		if (all[i].codepoint == behavior)
			return &all[i];
	return NULL;
}

/* "end.dt6"; "unknown" if it is none of the list. */
static inline const char *hd_srv6_behavior_name(unsigned behavior)
{
	const struct hd_srv6_behavior_info *b = hd_srv6_behavior_info(behavior);

	return b != NULL ? b->name : "unknown";
}

/* Behavior by name, upper and lower case alike ("End.DT6"). HD_SRV6_NONE if there is none. */
static inline enum hd_srv6_behavior hd_srv6_behavior_by_name(const char *name)
{
	size_t n, i;
	const struct hd_srv6_behavior_info *all = hd_srv6_behaviors(&n);

	for (i = 0; i < n; i++)
		if (strcasecmp(all[i].name, name) == 0)
			return (enum hd_srv6_behavior)all[i].codepoint;
	return HD_SRV6_NONE;
}

/* IANA codepoint of a behavior with exactly these flavors; 0 if no such combination exists. A combination without a
 * codepoint is not legal: RFC 8986 section 4.16, RFC 9800. */
static inline uint16_t hd_srv6_codepoint(unsigned behavior, unsigned flavors)
{
	size_t n, i;
	const struct hd_srv6_codepoint *all = hd_srv6_codepoints(&n);

	for (i = 0; i < n; i++)
		if (all[i].behavior == behavior && all[i].flavors == flavors)
			return all[i].codepoint;
	return 0;
}

/* Behavior and flavors of an IANA codepoint. Returns 0, or -ENOENT with the outputs untouched. */
static inline int hd_srv6_codepoint_split(unsigned codepoint, enum hd_srv6_behavior *ret_behavior,
					  uint16_t *ret_flavors)
{
	size_t n, i;
	const struct hd_srv6_codepoint *all = hd_srv6_codepoints(&n);

	for (i = 0; i < n; i++)
		if (all[i].codepoint == codepoint) {
			*ret_behavior = (enum hd_srv6_behavior)all[i].behavior;
			*ret_flavors = all[i].flavors;
			return 0;
		}
	return -ENOENT;
}

struct hd_srv6_flavor_name {
	uint16_t bit; /* HD_SRV6_FLAVOR_* */
	const char *name;
};

/* Names of the flavors, in the order they are printed. */
static inline const struct hd_srv6_flavor_name *hd_srv6_flavor_names(size_t *ret_n)
{
	static const struct hd_srv6_flavor_name all[] = {
		{ HD_SRV6_FLAVOR_PSP, "psp" },
		{ HD_SRV6_FLAVOR_USP, "usp" },
		{ HD_SRV6_FLAVOR_USD, "usd" },
		{ HD_SRV6_FLAVOR_NEXT_CSID, "next-csid" },
		{ HD_SRV6_FLAVOR_REPLACE_CSID, "replace-csid" },
	};

	*ret_n = sizeof(all) / sizeof(all[0]);
	return all;
}

/* One flavor by name; 0 if there is none of it. */
static inline uint16_t hd_srv6_flavor_by_name(const char *name)
{
	size_t n, i;
	const struct hd_srv6_flavor_name *all = hd_srv6_flavor_names(&n);

	for (i = 0; i < n; i++)
		if (strcasecmp(all[i].name, name) == 0)
			return all[i].bit;
	return 0;
}

#define HD_SRV6_FLAVORS_STR_MAX 48 /* room hd_srv6_flavors_str() needs at most, NUL included */

/* Flavors as "psp,usd" into buf of HD_SRV6_FLAVORS_STR_MAX bytes; "" for none. Unknown bits are not printed.
 * Returns buf. */
static inline char *hd_srv6_flavors_str(unsigned flavors, char *buf)
{
	size_t n, i, len = 0;
	const struct hd_srv6_flavor_name *all = hd_srv6_flavor_names(&n);

	for (i = 0; i < n; i++) {
		if ((flavors & all[i].bit) == 0)
			continue;
		if (len != 0)
			buf[len++] = ',';
		memcpy(buf + len, all[i].name, strlen(all[i].name));
		len += strlen(all[i].name);
	}
	buf[len] = '\0';
	return buf;
}

#endif
