/* SPDX-License-Identifier: BSD-3-Clause
 * A mark as a policy carries it. */
#ifndef PIPELINES_PM_ALTMARK_MARK_H
#define PIPELINES_PM_ALTMARK_MARK_H

#include "pipelines/pm/altmark.h"
#include "pipelines/srv6/srv6.h"

/* Immutable once handed to srv6_policy_extra(). */
struct altmark_mark {
	struct srv6_extra extra; /* first: what altmark_stamp() gets */
	struct altmark_flow *flow;
	uint8_t word_off; /* of the word, from the option or the TLV on */
};

#endif
