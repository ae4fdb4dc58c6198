/* SPDX-License-Identifier: BSD-3-Clause
 * Edge to edge sequence numbers where the domain ends (RFC 9197 section 4.6): one row per namespace and source,
 * claimed by the first packet.  Several workers may count in one row, in relaxed atomics. */
#include <string.h>

#include "dataplane/debug_api.h"
#include "pipelines/pm/ioam.h"
#include "pipelines/pm/ioam_groups.h"

#define TRIES   16u
#define RESTART 65536 /* a number so far behind begins anew */

enum { FREE, CLAIMED, READY };

static struct group {
	uint32_t state;
	uint16_t ns;
	uint8_t source[16];
	uint64_t first, last, received, reordered, restarts;
} __attribute__((aligned(64))) groups[HD_IOAM_GROUPS_MAX];

static unsigned hash(uint16_t ns, const uint8_t source[16])
{
	uint64_t x = wire_get64(source) ^ wire_get64(source + 8) ^ ns;

	return (unsigned)(x * 0x9e3779b97f4a7c15ull >> 56);
}

/* NULL: the table is full around here; the packet is not counted. */
static struct group *find(uint16_t ns, const uint8_t source[16], uint64_t seq)
{
	unsigned at = hash(ns, source);

	for (unsigned i = 0; i < TRIES; i++) {
		struct group *g = &groups[(at + i) % HD_IOAM_GROUPS_MAX];
		uint32_t state = __atomic_load_n(&g->state, __ATOMIC_ACQUIRE), want = FREE;

		if (state == FREE &&
		    __atomic_compare_exchange_n(&g->state, &want, CLAIMED, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			g->ns = ns;
			memcpy(g->source, source, 16);
			g->first = g->last = seq;
			__atomic_store_n(&g->state, READY, __ATOMIC_RELEASE);
			return g;
		}
		if (state == READY && g->ns == ns && memcmp(g->source, source, 16) == 0)
			return g;
	}
	return NULL;
}

/* Numbers count on over a wrap of 32 bits. */
static uint64_t unfold(uint64_t last, uint64_t seq, unsigned bits)
{
	return bits == 64 ? seq :
			    last + (uint64_t)(int64_t)(int32_t)((uint32_t)seq - (uint32_t)last);
}

void ioam_group_count(uint16_t ns, const uint8_t source[16], uint64_t seq, unsigned bits)
{
	struct group *g = find(ns, source, seq);
	uint64_t last;

	if (g == NULL)
		return;
	last = __atomic_load_n(&g->last, __ATOMIC_RELAXED);
	seq = unfold(last, seq, bits);
	if ((int64_t)(seq - last) < -RESTART) {
		__atomic_store_n(&g->first, seq, __ATOMIC_RELAXED);
		__atomic_store_n(&g->last, seq, __ATOMIC_RELAXED);
		__atomic_store_n(&g->received, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&g->reordered, 0, __ATOMIC_RELAXED);
		__atomic_fetch_add(&g->restarts, 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_fetch_add(&g->received, 1, __ATOMIC_RELAXED);
	while ((int64_t)(seq - last) > 0)
		if (__atomic_compare_exchange_n(&g->last, &last, seq, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return;
	if (seq != last)
		__atomic_fetch_add(&g->reordered, 1, __ATOMIC_RELAXED);
}

void ioam_groups_reset(void)
{
	memset(groups, 0, sizeof(groups));
}

int ioam_groups_request(const void *body, size_t size, debug_send_fn send, void *arg,
			struct hd_api_reply *reply)
{
	(void)body;
	(void)size;
	(void)reply;
	for (unsigned i = 0; i < HD_IOAM_GROUPS_MAX; i++) {
		const struct group *g = &groups[i];
		struct hd_api_ioam_group a = { .ns = g->ns };

		if (__atomic_load_n(&g->state, __ATOMIC_ACQUIRE) != READY)
			continue;
		memcpy(a.source, g->source, 16);
		a.received = __atomic_load_n(&g->received, __ATOMIC_RELAXED);
		a.first = __atomic_load_n(&g->first, __ATOMIC_RELAXED);
		a.last = __atomic_load_n(&g->last, __ATOMIC_RELAXED);
		a.reordered = __atomic_load_n(&g->reordered, __ATOMIC_RELAXED);
		a.restarts = __atomic_load_n(&g->restarts, __ATOMIC_RELAXED);
		send(arg, HD_API_IOAM_GROUPS, &a, sizeof(a));
	}
	return 0;
}
