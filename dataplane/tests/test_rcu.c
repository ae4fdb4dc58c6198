/* SPDX-License-Identifier: BSD-3-Clause */
/* Deferred freeing: nothing is freed while a worker may hold it, nothing is lost, order is kept. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "dataplane/rcu.h"

static unsigned n_freed;
static unsigned last_freed;

static void note_free(void *p)
{
	n_freed++;
	last_freed = *(unsigned *)p;
	free(p);
}

static unsigned *item(unsigned n)
{
	unsigned *p = malloc(sizeof(*p));

	*p = n;
	return p;
}

Test(rcu, without_readers_frees_at_once)
{
	rcu_retire(NULL, note_free);
	cr_assert_eq(n_freed, 0);
	rcu_retire(item(1), note_free);
	cr_assert_eq(n_freed, 1);
	cr_assert_eq(rcu_reclaim(), 0);
	rcu_drain();
	rcu_fini();
	cr_assert_eq(rcu_worker_register(0), -ENODEV);
}

Test(rcu, init_checks_its_arguments)
{
	cr_assert_eq(rcu_init(0), -EINVAL);
	cr_assert_eq(rcu_init(2), 0);
	cr_assert_eq(rcu_init(2), -EALREADY);
	cr_assert_eq(rcu_worker_register(2), -EINVAL);
	rcu_fini();
	cr_assert_eq(rcu_init(1), 0, "again after fini");
	rcu_fini();
}

Test(rcu, waits_for_every_online_worker)
{
	cr_assert_eq(rcu_init(3), 0);
	for (unsigned w = 0; w < 3; w++)
		cr_assert_eq(rcu_worker_register(w), 0);
	rcu_worker_offline(2);
	rcu_retire(item(1), note_free);
	cr_assert_eq(rcu_reclaim(), 0);
	rcu_worker_quiescent(0);
	cr_assert_eq(rcu_reclaim(), 0, "worker 1 may hold it");
	cr_assert_eq(n_freed, 0);
	rcu_worker_quiescent(1);
	cr_assert_eq(rcu_reclaim(), 1, "an offline worker delays nobody");
	cr_assert_eq(n_freed, 1);
	rcu_worker_online(2);
	rcu_retire(item(2), note_free);
	rcu_reclaim();
	rcu_worker_quiescent(0);
	rcu_worker_quiescent(1);
	cr_assert_eq(rcu_reclaim(), 0, "online again, it counts");
	rcu_worker_unregister(2);
	cr_assert_eq(rcu_reclaim(), 1);
	rcu_fini();
}

Test(rcu, a_report_before_the_retirement_does_not_count)
{
	rcu_init(1);
	rcu_worker_register(0);
	rcu_worker_quiescent(0);
	rcu_retire(item(1), note_free);
	cr_assert_eq(rcu_reclaim(), 0);
	rcu_retire(item(2), note_free); /* its grace period begins later */
	rcu_worker_quiescent(0);
	cr_assert_eq(rcu_reclaim(), 1);
	cr_assert_eq(last_freed, 1);
	rcu_worker_quiescent(0);
	cr_assert_eq(rcu_reclaim(), 1);
	cr_assert_eq(rcu_pending(), 0);
	rcu_fini();
}

Test(rcu, queue_grows_and_keeps_order)
{
	enum { N = 100000 };

	rcu_init(1);
	rcu_worker_register(0);
	for (unsigned i = 0; i < N; i++) {
		rcu_retire(item(i), note_free);
		if (i % 777 == 0)
			rcu_reclaim();
	}
	cr_assert_eq(n_freed, 0);
	cr_assert_eq(rcu_pending(), N);
	rcu_reclaim();
	rcu_worker_quiescent(0);
	while (rcu_reclaim() > 0)
		cr_assert_eq(last_freed + 1, n_freed, "in order");
	cr_assert_eq(n_freed, N);
	rcu_fini();
}

Test(rcu, long_runs_free_by_themselves)
{
	rcu_init(1);
	rcu_worker_register(0);
	for (unsigned i = 0; i < 1000000; i++) {
		rcu_retire(item(i), note_free);
		if (i % 10 == 0)
			rcu_worker_quiescent(0);
		cr_assert_lt(rcu_pending(), 5000, "without rcu_reclaim()");
	}
	rcu_worker_unregister(0);
	rcu_fini();
	cr_assert_eq(n_freed, 1000000, "fini frees the rest");
}

static void free_and_retire(void *p)
{
	n_freed++;
	if (*(unsigned *)p > 0)
		rcu_retire(item(*(unsigned *)p - 1), free_and_retire);
	free(p);
}

Test(rcu, free_functions_may_retire)
{
	rcu_init(1);
	for (unsigned i = 0; i < 5000; i++)
		rcu_retire(item(i % 4), free_and_retire);
	rcu_drain();
	cr_assert_eq(n_freed, 5000 / 4 * (1 + 2 + 3 + 4));
	cr_assert_eq(rcu_pending(), 0);
	rcu_fini();
}
