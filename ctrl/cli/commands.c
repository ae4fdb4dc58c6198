/* SPDX-License-Identifier: BSD-3-Clause
 * The only list of groups of commands: each is a table beside the code that runs it. */
#include "ctrl/cli/cli.h"

const struct cli_group *const cli_groups[] = {
	&show_group,   &config_group, &candidate_group, &packet_group, &worker_group,
	&srv6_group,   &pm_group,     &altmark_group,   &ioam_group,   &bfd_group,
	&doctor_group, &shell_group,  &help_group,      NULL,
};
