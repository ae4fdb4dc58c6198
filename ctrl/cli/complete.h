/* SPDX-License-Identifier: BSD-3-Clause
 * What may be typed next: for the shell's Tab and ?, and for bash. */
#ifndef CTRL_CLI_COMPLETE_H
#define CTRL_CLI_COMPLETE_H

#include "ctrl/cli/cli.h"

/* One candidate.  text NULL: none of a list, `what` says what is expected; "@file": the name of a file. */
typedef void (*cli_offer_fn)(void *arg, const char *text, const char *what);

/* Candidates for the last of the words (at least one; it may be empty), from the command tables and from heddle-ctrl.
 * Nothing is said when that does not answer. */
void cli_complete(const struct cli *cli, int argc, char **argv, cli_offer_fn offer, void *arg);

#endif
