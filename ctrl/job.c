/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/job.h"

#include <stdlib.h>

#include "ctrl/ctrl.h"

struct job {
	uv_work_t uv;
	struct ctrl *c;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void on_work(uv_work_t *w)
{
	struct job *j = w->data;

	j->work(j->arg);
}

static void on_done(uv_work_t *w, int status)
{
	struct job job = *(struct job *)w->data;

	(void)status; /* no job is ever cancelled */
	free(w->data);
	job.c->jobs--;
	if (job.done != NULL)
		job.done(job.arg);
}

void job_start(struct ctrl *c, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct job *j = c->serving ? malloc(sizeof(*j)) : NULL;

	if (j != NULL) {
		*j = (struct job){ .c = c, .work = work, .done = done, .arg = arg };
		j->uv.data = j;
		if (uv_queue_work(c->loop, &j->uv, on_work, on_done) == 0) {
			c->jobs++;
			return;
		}
		free(j);
	}
	work(arg);
	if (done != NULL)
		done(arg);
}
