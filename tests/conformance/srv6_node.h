/* SPDX-License-Identifier: BSD-3-Clause
 * The node under test of the SRv6 suite, in parts: lab.h and suite_srv6.c have what every row stands on, and
 * srv6_services.c the services of rows_steps.h. */
#ifndef SRV6_NODE_H
#define SRV6_NODE_H

#include "tests/conformance/conformance.h"

#define hx_rx   dut_rx
#define hx_turn dut_turn
#define hx_tx   dut_tx
#include "pipelines/srv6/tests/lab.h"
#include "pipelines/srv6/tests/rows_steps.h"

#define SUITE_PORTS 16u

/* Ends the program when rc is an error. */
void must(int rc, const char *what);

/* Ports, SIDs, policies and bridges of rows_steps.h, in this process. */
void services_start(void);
/* The same as Heddle's YAML, and as far as the kernel has it; each part goes into its list of the configuration. */
enum services_part {
	PART_INTERFACES,
	PART_NEIGHBOURS,
	PART_ROUTES,
	PART_POLICIES,
	PART_SIDS,
	PART_REST
};
void services_config(FILE *f, enum services_part part);
void services_config_linux(FILE *f);

void run_steps(const struct steps_row *r);
/* The steps in a line, for reports. */
const char *steps_text(const struct steps_row *r, char *to, size_t size);

#endif
