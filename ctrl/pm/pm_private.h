/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_PM_PM_PRIVATE_H
#define CTRL_PM_PM_PRIVATE_H

#include "ctrl/pm/pm.h"

enum {
	PM_KIND_REFLECTOR,
	PM_KIND_REFLECTOR_SESSION,
	PM_KIND_KEY,
	PM_KIND_SESSION,
	PM_KIND_CAPACITY
};
extern const struct ctrl_kind pm_kinds[];

int pm_compile_reflectors(struct compile *c, const struct lyd_node *pm);
void pm_describe_reflector(const void *body, char *buf, size_t size);
void pm_describe_reflector_session(const void *body, char *buf, size_t size);
void pm_reflector_state(struct ctrl *c, struct http_req *req);

#endif
