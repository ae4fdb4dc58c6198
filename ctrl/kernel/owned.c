/* SPDX-License-Identifier: BSD-3-Clause
 * What the steering of a shared device has to know of the mirror: addresses that are the kernel's own, and SIDs that
 * the kernel gave us.  A list apart from the model, since configurations are compiled beside the loop. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrl/kernel/kernel_private.h"
#include "ctrl/log.h"
#include "ctrl/running.h"
#include "heddle/api/l2.h"

#define OWNED_MAX 2048u /* half of the steering rules */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list */
static struct kernel_owned *list;
static size_t n_list;

void kernel_owned_each(int (*fn)(void *arg, const struct kernel_owned *o), void *arg)
{
	int rc = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; rc == 0 && i < n_list; i++)
		rc = fn(arg, &list[i]);
	pthread_mutex_unlock(&lock);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct kernel_owned));
}

bool kernel_owned_set(struct kernel_owned *fresh, size_t n)
{
	qsort(fresh, n, sizeof(*fresh), compare);
	pthread_mutex_lock(&lock);
	bool same = n == n_list && (n == 0 || memcmp(fresh, list, n * sizeof(*fresh)) == 0);
	if (same) {
		free(fresh);
	} else {
		free(list);
		list = fresh;
		n_list = n;
	}
	pthread_mutex_unlock(&lock);
	return !same;
}

static struct kernel_owned entry(uint8_t family, uint8_t plen, const uint8_t *addr, bool kernel)
{
	struct kernel_owned o;

	memset(&o, 0, sizeof(o)); /* it is compared as octets */
	o.family = family == AF_INET ? 4 : 6;
	o.plen = plen;
	o.kernel = kernel;
	memcpy(o.addr, addr, family == AF_INET ? 4 : 16);
	return o;
}

/* Do packets of this running configuration come over a device that is shared? */
static bool steers(const struct mirror *m)
{
	const struct objset *set = &running_config(m->c->running)->set;

	for (size_t i = 0; i < set->n; i++) {
		struct hd_api_port p = { 0 };
		if (set->obj[i].kind->type != HD_API_PORT)
			continue;
		memcpy(&p, set->obj[i].body,
		       set->obj[i].size < sizeof(p) ? set->obj[i].size : sizeof(p));
		if ((p.flags & HD_PORT_F_STEER) != 0)
			return true;
	}
	return false;
}

void owned_update(struct mirror *m)
{
	struct kernel_owned *fresh = calloc(OWNED_MAX, sizeof(*fresh));
	size_t n = 0, all = 0;

	if (fresh == NULL)
		return; /* later */
	m->owned_dirty = false;
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (const struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			if (!i->is_neigh && !i->gone && all++ < OWNED_MAX)
				fresh[n++] = entry(i->family, i->family == AF_INET ? 32 : 128,
						   i->addr, true);
	for (uint32_t b = 0; b < m->model.n_prefix_buckets; b++)
		for (const struct kprefix *p = m->model.prefixes[b]; p != NULL; p = p->hnext)
			if (p->sent == SENT_SID && all++ < OWNED_MAX)
				fresh[n++] = entry(AF_INET6, p->plen, p->addr, false);
	if (all > n)
		log_warning("kernel: steering is told of %zu of %zu addresses and SIDs", n, all);
	if (kernel_owned_set(fresh, n) && steers(m))
		running_refresh(m->c->running);
}
