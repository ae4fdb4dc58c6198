/* SPDX-License-Identifier: BSD-3-Clause
 * A MOCK of the data plane's table API, for tests of the control process: a thread on a Unix socket that keeps objects
 * as octets and misbehaves on demand.  It checks nothing a real data plane checks. */
#ifndef CTRL_TESTS_FAKE_DP_H
#define CTRL_TESTS_FAKE_DP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "heddle/api/api.h"

enum fake_mode {
	FAKE_OBEYS,
	FAKE_REFUSES, /* every transaction that has an object of type `victim` */
	FAKE_DIES,    /* closes the connection in mid-batch, at the first object of type `victim` */
	FAKE_OTHER_VERSION, /* refuses the greeting as a data plane of another version does */
	FAKE_NEWER_HELLO,   /* greets with another version */
	FAKE_GARBAGE,       /* answers the greeting with a message of impossible length */
	FAKE_TRICKLES, /* obeys, but every message comes octet by octet, and replies end after the error */
};

struct fake_object {
	uint16_t type;
	uint32_t size;
	uint64_t epoch;
	uint8_t body[1024];
};

#define FAKE_OBJECTS_MAX 4096
#define FAKE_SIDS        100000u /* rows of the "sid" counters */
#define FAKE_SLICES      2u
#define FAKE_DROPS \
	3000u /* SIDs from 1 on that have dropped: as many packets as their number, in each slice */

struct fake_dp {
	char path[100];
	int listen_fd;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	enum fake_mode mode;
	uint16_t victim;
	bool stop;
	struct fake_object obj[FAKE_OBJECTS_MAX];
	unsigned n_obj;
	unsigned n_connects, n_commits,
		n_changed; /* changed: objects that were set to another value, or deleted */
};

/* Listen on a fresh path below /tmp and serve. */
void fake_dp_start(struct fake_dp *f);
void fake_dp_stop(struct fake_dp *f);
void fake_dp_mode(struct fake_dp *f, enum fake_mode mode, uint16_t victim);
/* Number of objects of a type; 0: of all. */
unsigned fake_dp_count(struct fake_dp *f, uint16_t type);

#endif
