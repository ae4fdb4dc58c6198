/* SPDX-License-Identifier: BSD-3-Clause
 * Domain pm: performance measurement. */
#ifndef CTRL_PM_PM_H
#define CTRL_PM_PM_H

#include "ctrl/domains.h"

extern const struct ctrl_domain pm_domain;

#endif
