/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/loop.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
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

static void clocks(uv_loop_t *loop, uint64_t now[2])
{
	struct timespec cpu;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	now[LOOP_WALL] = uv_hrtime() - uv_metrics_idle_time(loop);
	now[LOOP_CPU] = (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec;
}

static void turn_ends(uv_prepare_t *prepare)
{
	struct loop_watch *w = prepare->data;
	uint64_t now[2], minute = uv_hrtime() / 60000000000u;
	bool first = w->minute == 0;

	clocks(prepare->loop, now);
	for (int i = 0; i < 2; i++) {
		uint64_t took = first ? 0 : now[i] - w->began[i];
		if (minute != w->minute) {
			w->longest[i][1] = minute == w->minute + 1 ? w->longest[i][0] : 0;
			w->longest[i][0] = 0;
		}
		if (took > w->longest[i][0])
			w->longest[i][0] = took;
		w->began[i] = now[i];
	}
	w->minute = minute;
}

void loop_watch_start(uv_loop_t *loop, struct loop_watch *w)
{
	*w = (struct loop_watch){ 0 };
	uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
	uv_prepare_init(loop, &w->prepare);
	w->prepare.data = w;
	uv_prepare_start(&w->prepare, turn_ends);
	uv_unref((uv_handle_t *)&w->prepare);
}

void loop_watch_stop(struct loop_watch *w)
{
	uv_close((uv_handle_t *)&w->prepare, NULL);
}

uint64_t loop_watch_longest(const struct loop_watch *w, int clock)
{
	if (w == NULL)
		return 0;
	return w->longest[clock][0] > w->longest[clock][1] ? w->longest[clock][0] :
							     w->longest[clock][1];
}
