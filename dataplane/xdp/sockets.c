/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/xdp/sockets.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_xsk(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_XDP;
}

void xsk_sockets_list(struct xsk_sockets *ret)
{
	DIR *d = opendir("/proc/self/fd");

	ret->n = 0;
	for (struct dirent *e = d != NULL ? readdir(d) : NULL;
	     e != NULL && ret->n < XSK_SOCKETS_MAX; e = readdir(d))
		if (e->d_name[0] != '.' && is_xsk(atoi(e->d_name)))
			ret->fd[ret->n++] = atoi(e->d_name);
	if (d != NULL)
		closedir(d);
}

static bool contains(const struct xsk_sockets *s, int fd)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->fd[i] == fd)
			return true;
	return false;
}

void xsk_sockets_since(const struct xsk_sockets *before, struct xsk_sockets *ret)
{
	struct xsk_sockets now;

	xsk_sockets_list(&now);
	ret->n = 0;
	for (unsigned i = 0; i < now.n; i++)
		if (!contains(before, now.fd[i]))
			ret->fd[ret->n++] = now.fd[i];
}

void xsk_sockets_close(const struct xsk_sockets *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (is_xsk(s->fd[i]))
			close(s->fd[i]);
}
