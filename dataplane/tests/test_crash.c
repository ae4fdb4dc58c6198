/* SPDX-License-Identifier: BSD-3-Clause
 * Crash reports: a child crashes in every way there is, and its file is read. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/crash.h"
#include "dataplane/tests/mini_graph.h"
#include "dataplane/worker.h"
#include "tests/harness.h"

TestSuite(crash, .init = hx_start_default, .timeout = 60);

static char dir[] = "/tmp/test_crash.XXXXXX";
static char text[262144];

/* Run fn in a child, which must die of the signal; its report is in text, which is empty when there is none. */
static void crash_in_child(void (*fn)(void), int sig)
{
	struct rlimit none = { 0, 0 };
	char path[128];
	int status;

	cr_assert_neq(mkdtemp(dir), NULL);
	pid_t pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(3);
		/* Criterion's own handlers must not stand in for ours. */
		if (crash_init(dir, "test 1.2.3") < 0)
			_exit(4);
		fn();
		_exit(5);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == sig,
		  "status %x: the signal still kills", status);
	snprintf(path, sizeof(path), "%s/crash-%d.txt", dir, (int)pid);
	FILE *f = fopen(path, "r");
	cr_assert_neq(f, NULL, "%s is not there", path);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600, "packets are nobody else's");
	unlink(path);
	rmdir(dir);
}

static void has(const char *what)
{
	cr_assert_neq(strstr(text, what), NULL, "\"%s\" is missing in:\n%s", what, text);
}

static void in_graph(void)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), 5);

	hx_rx(1, buf, n);
	crash_txn_note("commit seq %u: %u set", 7, 3);
	crash_object_note("route", false, "\x01\x02\xfe", 3, 0);
	crash_object_note("neigh", true, "\xaa", 1, -2);
	worker_turn(workers[0]);
}

Test(crash, in_a_node)
{
	hx_port();
	/* The harness has no lcore for the worker: the thread that walks is the test's, lcore 0. */
	workers[0]->lcore = 0;
	for (unsigned i = 0; i < 70; i++) { /* what a port would have received */
		uint8_t buf[256];
		size_t n = mini_frame(buf, sizeof(buf), 64);
		struct rte_mbuf m = { .buf_addr = buf, .data_len = (uint16_t)n };

		buf[1] = (uint8_t)i;
		workers[0]->now = i + 1;
		worker_flight(workers[0], &m, 9);
	}
	worker_turn(workers[0]);
	worker_turn(workers[0]);
	crash_in_child(in_graph, SIGSEGV);
	has("crash report of test 1.2.3\n");
	has("build-id: ");
	cr_assert_eq(strstr(text, "build-id: none"), NULL);
	has("signal: 11 (SIGSEGV");
	has("address: 0x0000000000000008\n");
	has("worker: 0 in node ip6-lookup\n");
	has("registers:\n  rip 0x");
	has("packets in this node (octets, from where its data begins):\n    68 6");
	has("backtrace");
	has("worker 0: lcore 0, node ip6-lookup, loops 2\n");
	has(" us set route key 0102fe result 0\n");
	has(" us del neigh key aa result -2\n");
	has(" us commit seq 7: 3 set\n");
	cr_assert_lt((uintptr_t)strstr(text, "del neigh"), (uintptr_t)strstr(text, "set route"),
		     "newest first");
	has("end of report\n");
	/* The last 64 of 70, newest (69 = 0x45) first. */
	unsigned n = 0;
	for (const char *p = text; (p = strstr(p, " us port 9 82 ")) != NULL; p++, n++) {
		char want[8];
		const char *hex = p + strlen(" us port 9 82 ");

		snprintf(want, sizeof(want), "%02x", 69 - n);
		cr_assert_eq(strncmp(hex + 2, want, 2), 0, "packet %u: %.16s", n, hex);
		cr_assert_eq(strcspn(hex, "\n"), 128);
	}
	cr_assert_eq(n, 64);
}

static void do_abort(void)
{
	abort();
}
Test(crash, on_abort)
{
	crash_in_child(do_abort, SIGABRT);
	has("signal: 6 (SIGABRT");
	has("worker: none, a control thread");
	has("end of report\n");
}

static void do_kill(void)
{
	raise(SIGFPE);
}
Test(crash, signal_from_outside)
{
	crash_in_child(do_kill, SIGFPE);
	has("signal: 8 (SIGFPE");
	has("end of report\n");
}

/* The stack is used up: the report needs the alternate one. */
static int deeper(volatile char *p)
{
	volatile char big[4096];

	big[0] = p == NULL ? 1 : p[0];
	return big[0] == 0 ? 0 : deeper(big) + big[0];
}
static void do_overflow(void)
{
	_exit(deeper(NULL));
}
Test(crash, stack_overflow)
{
	crash_in_child(do_overflow, SIGSEGV);
	has("signal: 11");
	has("backtrace");
}

static void many_notes(void)
{
	for (unsigned i = 0; i < 100; i++)
		crash_txn_note("note %u\n%200s", i, "long");
	abort();
}
Test(crash, notes_are_the_last_and_one_line_each)
{
	crash_in_child(many_notes, SIGABRT);
	has(" us note 99?");
	has(" us note 36?");
	cr_assert_eq(strstr(text, "note 35"), NULL, "64 are kept");
}

#define UNMAPPED 64u /* in the first page, where Linux maps nothing; aligned as struct flight is */

/* A worker structure that is broken itself: the beginning of the report is there all the same. */
static void broken_worker(void)
{
	/* Aligned as the structure wants it, or a build that checks alignment ends the process with a report of its
	 * own before the fault is met. */
	workers[0]->flight = (struct flight *)UNMAPPED;
	abort();
}
Test(crash, fault_inside_the_report)
{
	crash_in_child(broken_worker, SIGSEGV);
	has("signal: 6 (SIGABRT");
	has("worker 0: lcore 1, node none");
	cr_assert_eq(strstr(text, "end of report"), NULL);
}

Test(crash, directory_must_be_there)
{
	cr_assert_lt(crash_init("/nonexistent/dir", "x"), 0);
}
