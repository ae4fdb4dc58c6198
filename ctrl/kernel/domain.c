/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/kernel/kernel_private.h"

const struct ctrl_domain kernel_domain = {
	.name = "kernel",
	.modules = (const char *const[]){ "heddle-kernel", NULL },
	.compile = kernel_compile,
	.states = (const struct ctrl_state[]){ { "heddle-kernel:kernel-state", kernel_state },
					       { "heddle-kernel:kernel-routes", kernel_routes },
					       { "heddle-kernel:kernel-neighbours",
						 kernel_neighbours },
					       { "heddle-kernel:kernel-refused", kernel_refused },
					       { 0 } },
};
