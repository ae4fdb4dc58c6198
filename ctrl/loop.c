/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/loop.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The protocol is one datagram, so libsystemd is not needed for it. */
void loop_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(addr.sun_path))
		return;
	strcpy(addr.sun_path, path);
	if (path[0] == '@')
		addr.sun_path[0] = '\0'; /* abstract */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

static void (*on_stop)(void *);
static void (*on_reload)(void *);

static void on_signal(uv_signal_t *s, int signum)
{
	(signum == SIGHUP ? on_reload : on_stop)(s->data);
}

int loop_signals_start(uv_loop_t *loop, struct loop_signals *s, void (*stop)(void *),
		       void (*reload)(void *), void *arg)
{
	on_stop = stop;
	on_reload = reload;
	uv_signal_init(loop, &s->term);
	uv_signal_init(loop, &s->intr);
	uv_signal_init(loop, &s->hup);
	s->term.data = s->intr.data = s->hup.data = arg;
	int rc = uv_signal_start(&s->term, on_signal, SIGTERM);
	if (rc == 0)
		rc = uv_signal_start(&s->intr, on_signal, SIGINT);
	if (rc == 0)
		rc = uv_signal_start(&s->hup, on_signal, SIGHUP);
	return rc;
}

void loop_signals_stop(struct loop_signals *s)
{
	uv_close((uv_handle_t *)&s->term, NULL);
	uv_close((uv_handle_t *)&s->intr, NULL);
	uv_close((uv_handle_t *)&s->hup, NULL);
}
