/* SPDX-License-Identifier: BSD-3-Clause
 * The only list of domains: a new feature adds its folder and one line here. */
#include "ctrl/domains.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/complete/complete.h"
#include "ctrl/debug/debug.h"
#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/l2/l2.h"
#include "ctrl/pm/altmark.h"
#include "ctrl/pm/bfd.h"
#include "ctrl/pm/ioam.h"
#include "ctrl/pm/pm.h"
#include "ctrl/probe/probe.h"
#include "ctrl/srv6/srv6.h"
#include "ctrl/system/system.h"
#include "ctrl/yaml.h"

const struct ctrl_domain *const domains[] = {
	&system_domain,  &l2_domain,       &srv6_domain, &ip_domain,     &pm_domain,
	&altmark_domain, &ioam_domain,     &bfd_domain,  &kernel_domain, &debug_domain,
	&probe_domain,   &complete_domain, NULL,
};

void domains_in_force(struct ctrl *c)
{
	for (size_t i = 0; domains[i] != NULL; i++)
		if (domains[i]->in_force != NULL)
			domains[i]->in_force(c);
}

const struct ctrl_kind *domains_kind(uint16_t type)
{
	for (size_t i = 0; domains[i] != NULL; i++)
		for (const struct ctrl_kind *k = domains[i]->kinds; k != NULL && k->name != NULL;
		     k++)
			if (k->type == type)
				return k;
	return NULL;
}

int compile_fail(struct compile *c, const struct lyd_node *at, const char *fmt, ...)
{
	va_list ap;

	c->err->line = yaml_line(at);
	c->err->path[0] = '\0';
	char *path = at != NULL ? lyd_path(at, LYD_PATH_STD, NULL, 0) : NULL;
	if (path != NULL)
		snprintf(c->err->path, sizeof(c->err->path), "%s", path);
	free(path);
	va_start(ap, fmt);
	vsnprintf(c->err->msg, sizeof(c->err->msg), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int compile_add(struct compile *c, const struct ctrl_kind *kind, const void *body, size_t size,
		const struct lyd_node *origin)
{
	int rc = objset_add(c->set, kind, body, size, origin);

	if (rc < 0)
		return compile_fail(c, origin, "cannot make a %s: %s", kind->name, strerror(-rc));
	return 0;
}
