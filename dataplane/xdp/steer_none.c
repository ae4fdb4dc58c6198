/* SPDX-License-Identifier: BSD-3-Clause
 * Steering in a data plane that was built without it (option bpf). */
#include <errno.h>
#include <stdio.h>

#include "dataplane/xdp/steer.h"

int steer_init(void)
{
	return 0;
}

void steer_tick(void)
{
}

int steer_prepare(const struct hd_api_port *msg, char *devargs, size_t size, struct steer **ret,
		  struct object_error *err)
{
	*ret = NULL;
	snprintf(devargs, size, "%.255s", msg->devargs);
	return (msg->flags & HD_PORT_F_STEER) == 0 ?
		       0 :
		       object_fail(
			       err, -EOPNOTSUPP,
			       "port %.31s: this heddle-dp was built without XDP steering (-Dbpf)",
			       msg->name);
}

int steer_attached(struct steer *s, struct object_error *err)
{
	(void)s;
	(void)err;
	return 0;
}

void steer_release(struct steer *s)
{
	(void)s;
}
