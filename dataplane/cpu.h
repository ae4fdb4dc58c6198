/* SPDX-License-Identifier: BSD-3-Clause
 * What this CPU can do, for code that is compiled several times. */
#ifndef DATAPLANE_CPU_H
#define DATAPLANE_CPU_H

/* The level of the x86-64 psABI that CPU and kernel offer: 2, 3 (AVX2) or 4 (AVX-512 F, BW, CD, DQ, VL).
 * HEDDLE_CPU_LEVEL in the environment lowers it, to measure or to test the other code.  Good in constructors, too. */
unsigned cpu_level(void);

#endif
