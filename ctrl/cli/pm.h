/* SPDX-License-Identifier: BSD-3-Clause
 * What the commands of heddle pm share. */
#ifndef CTRL_CLI_PM_H
#define CTRL_CLI_PM_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctrl/cli/cli.h"

/* Nanoseconds as people read them, into buf; "" stays "". */
const char *pm_duration(const char *ns, char *buf, size_t size);
/* "10ms", "500us", "1s", or a number of milliseconds: microseconds.  0: neither. */
uint32_t pm_interval_us(const char *text);
/* A line of a result: what it is, and the value; "": none. */
void pm_line(const char *what, const char *value);
/* "1%" or "0.01": parts per million.  False: neither. */
bool pm_share_ppm(const char *text, uint32_t *ret);
/* Members of a request: a number; words with commas between them. */
void pm_add_int(struct json_object *o, const char *name, uint64_t value);
void pm_add_list(struct json_object *o, const char *name, const char *text);
/* Those options of n {option, leaf} that were given, as numbers; and the options that say where packets go: --policy,
 * --segment-list, --sid-list, --encapsulation, --vrf, --source. */
void pm_add_numbers(struct cli *cli, struct json_object *o, const char *const (*row)[2], size_t n);
void pm_add_path(struct cli *cli, struct json_object *o);
/* "500k", a number and a unit: how many of the unit that has `per` 1.  0: neither, or none of these units. */
struct pm_unit {
	const char *name;
	double per;
};
double pm_amount(const char *text, const struct pm_unit *unit, size_t n);
/* Of a bin of heddle-pm:history: a value of its round trip in ns, its loss ratio; negative: there is none. */
double pm_trip(struct json_object *bin, const char *name);
double pm_loss(struct json_object *bin);

/* A drawing of heddle-pm:history's output, alone (svg) or in a page with its numbers. */
void pm_report_write(FILE *f, struct json_object *history, bool svg);

int cmd_pm_calibrate(struct cli *cli);
extern const struct cli_param pm_capacity_params[]; /* ends with .name NULL */
int cmd_pm_capacity(struct cli *cli);
int cmd_pm_history(struct cli *cli);
int cmd_pm_impairments(struct cli *cli);
int cmd_pm_report(struct cli *cli);
int cmd_pm_set_impairment(struct cli *cli);

#endif
