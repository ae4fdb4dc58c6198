/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of probes (heddle-probe): one probe per request, answered when its answer comes or its time is over. */
#ifndef CTRL_PROBE_PROBE_H
#define CTRL_PROBE_PROBE_H

#include "ctrl/domains.h"
#include "heddle/api/api.h"

extern const struct ctrl_domain probe_domain;

void probe_event(const struct hd_api_event *ev); /* HD_EVENT_PROBE came */
void probe_fini(void); /* what still waits is answered; before the API ends */

#endif
