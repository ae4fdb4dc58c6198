/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/debug/debug_private.h"

const struct ctrl_domain debug_domain = {
	.name = "debug",
	.modules =
		(const char *const[]){ "heddle-trace", "heddle-capture", "heddle-explain", NULL },
	.read_ops = (const char *const[]){ "heddle-explain:explain", NULL },
	.states = (const struct ctrl_state[]){ { "heddle-capture:pcapng", debug_capture_pcapng },
					       { 0 } },
	.guarded = (const char *const[]){ "heddle-capture:pcapng", NULL },
	.ops = (const struct ctrl_op[]){ { "heddle-trace:start", debug_trace_start },
					 { "heddle-trace:read", debug_trace_read },
					 { "heddle-trace:stop", debug_trace_stop },
					 { "heddle-capture:start", debug_capture_start },
					 { "heddle-capture:stop", debug_capture_stop },
					 { "heddle-explain:explain", debug_explain },
					 { 0 } },
};
