/* SPDX-License-Identifier: BSD-3-Clause
 * What the commands of heddle pm share. */
#ifndef CTRL_CLI_PM_H
#define CTRL_CLI_PM_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

struct cli;

/* Nanoseconds as people read them, into buf; "" stays "". */
const char *pm_duration(const char *ns, char *buf, size_t size);
/* Of a bin of heddle-pm:history: a value of its round trip in ns, its loss ratio; negative: there is none. */
double pm_trip(struct json_object *bin, const char *name);
double pm_loss(struct json_object *bin);

/* A drawing of heddle-pm:history's output, alone (svg) or in a page with its numbers. */
void pm_report_write(FILE *f, struct json_object *history, bool svg);

int cmd_pm_history(struct cli *cli);
int cmd_pm_report(struct cli *cli);

#endif
