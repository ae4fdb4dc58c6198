/* SPDX-License-Identifier: BSD-3-Clause
 * Receive times of ports that stamp packets themselves (RTE_ETH_RX_OFFLOAD_TIMESTAMP).  DPDK leaves unit and epoch of
 * the stamps open; they are ticks of the clock that rte_eth_read_clock() reads.  A line from these ticks to TSC is
 * measured once a second by the control thread, as wallclock.h does it for time, so that workers turn a stamp into a
 * TSC value with a subtraction and a multiplication.  A port whose clock cannot be read is not used: its packets have
 * the time at which their burst was taken from the device, as those of all other ports. */
#ifndef DATAPLANE_HWCLOCK_H
#define DATAPLANE_HWCLOCK_H

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdbool.h>
#include <stdint.h>

struct hwclock {
	uint64_t tick, tsc;  /* a point of the line */
	double tsc_per_tick; /* 0: one sample is no line yet */
	uint64_t error_ticks; /* TSC ticks: half of what a sample took, plus the last error of the line */
	uint32_t samples;
};

/* By owner's port id; NULL: the port does not stamp, or its line is not known yet.  Good until the end of the burst. */
extern const struct hwclock **hwclock_line;
extern int hwclock_offset;    /* of the stamp in an mbuf */
extern uint64_t hwclock_flag; /* mbufs that have one; 0: no port stamps */

#define HWCLOCK_OLDEST_S 1u /* no packet waits that long in a device */

/* When the packet came, by its port's clock: before taken, when its burst was taken from the device (TSC).
 * True with *ret_tsc and *ret_error (TSC ticks); false: the packet has no stamp, or one that cannot be. */
static inline bool hwclock_rx(const struct rte_mbuf *m, uint32_t port, uint64_t taken, uint64_t hz,
			      uint64_t *ret_tsc, uint64_t *ret_error)
{
	const struct hwclock *c;
	double ago; /* of what is near every number is exact */

	if (hwclock_flag == 0 || (m->ol_flags & hwclock_flag) == 0)
		return false;
	c = __atomic_load_n(&hwclock_line[port], __ATOMIC_ACQUIRE);
	if (c == NULL)
		return false;
	ago = (double)(int64_t)(taken - c->tsc) -
	      (double)(int64_t)(*RTE_MBUF_DYNFIELD(m, hwclock_offset, const uint64_t *) - c->tick) *
		      c->tsc_per_tick;
	if (!(ago >= -(double)c->error_ticks && ago <= (double)(HWCLOCK_OLDEST_S * hz)))
		return false;
	*ret_tsc = taken - (uint64_t)(ago > 0 ? ago : 0);
	*ret_error = c->error_ticks;
	return true;
}

/* A device that was asked to stamp has started, or is about to go: control thread.
 * Returns 0, or -Exxx: its clock cannot be read, it is left alone. */
int hwclock_start(uint32_t port, uint16_t dpdk_port);
void hwclock_stop(uint32_t port);
/* From the control loop's tick: a sample a second. */
void hwclock_tick(void);

/* The line that follows `old` after a sample: at tsc the port's clock said tick, within +-half of TSC.  A clock that
 * was set anew begins a new line.  Pure. */
struct hwclock hwclock_next(const struct hwclock *old, uint64_t tsc, uint64_t tick, uint64_t half);

/* How a port's clock is read: rte_eth_read_clock(), unless a test stands in. */
extern int (*hwclock_read)(uint16_t dpdk_port, uint64_t *ticks);

#endif
