/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-conformance: command line, and rows in processes of their own. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/conformance/conformance.h"
#include "tests/harness.h"

#ifndef HEDDLE_VERSION
#define HEDDLE_VERSION "0.0.0"
#endif

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const struct conf_suite *const suites[] = { &conf_srv6, &conf_pm };
#define N_SUITES (sizeof(suites) / sizeof(suites[0]))

static const char *const target_names[] = { "in-process", "heddle", "linux", "other" };

static bool in_process;
static int said_fd = -1; /* of a row's process: what went wrong */

/* ---- the node under test ---------------------------------------------------------------------------------------- */

static FILE *frames; /* what rows send and get, NULL: nobody wants it */
static char row_id[16];

static void frame_note(char way, uint32_t port, const uint8_t *frame, size_t len)
{
	if (frames == NULL || len == 0)
		return;
	fprintf(frames, "%s %c %u ", row_id, way, port);
	for (size_t i = 0; i < len; i++)
		fprintf(frames, "%02x", frame[i]);
	fprintf(frames, "\n");
	fflush(frames); /* a row's process may end at any step */
}

void dut_rx(uint32_t port, const void *frame, size_t len)
{
	frame_note('>', port, frame, len);
	(in_process ? hx_rx : wire_rx)(port, frame, len);
}

void dut_turn(void)
{
	(in_process ? hx_turn : wire_turn)();
}

size_t dut_tx(uint32_t port, void *buf, size_t size)
{
	size_t len = (in_process ? hx_tx : wire_tx)(port, buf, size);

	frame_note('<', port, buf, len < size ? len : size);
	return len;
}

bool dut_in_process(void)
{
	return in_process;
}

void conf_fail(const char *text, const char *fmt, ...)
{
	char said[1024];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	n = strspn(said, " ");
	if (said[n] == '\0')
		snprintf(said, sizeof(said), "does not hold: %s", text);
	if (said_fd < 0) {
		fprintf(stderr, "heddle-conformance: %s\n", said + n);
		exit(EXIT_FAILED);
	}
	if (write(said_fd, said + n, strlen(said + n)) < 0)
		_exit(3);
	_exit(EXIT_FAILED);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The node was started before: each row has its own copy of it. */
static void run_row(const struct conf_suite *s, uint32_t i, struct conf_result *r)
{
	double begin = now_s();
	struct conf_row row;
	int fd[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	s->row(i, &row);
	snprintf(row_id, sizeof(row_id), "%s", row.id);
	fflush(NULL);
	if (pipe(fd) < 0 || (pid = fork()) < 0) {
		perror("heddle-conformance");
		exit(EXIT_FAILED);
	}
	if (pid == 0) {
		close(fd[0]);
		said_fd = fd[1];
		alarm(120);
		if (in_process && snapshot_private() < 0)
			conf_fail("snapshot", "this process cannot have memory of its own");
		s->run(i);
		_exit(EXIT_OK);
	}
	close(fd[1]);
	while (len < sizeof(r->said) - 1 &&
	       (n = read(fd[0], r->said + len, sizeof(r->said) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd[0]);
	waitpid(pid, &status, 0);
	r->seconds = now_s() - begin;
	r->outcome = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OK ? CONF_PASS : CONF_FAIL;
	if (WIFSIGNALED(status))
		snprintf(r->said, sizeof(r->said), "the row's process died of signal %d",
			 WTERMSIG(status));
}

static void run_all(const struct conf_suite *s, enum conf_target t, const char *match,
		    struct conf_result *r)
{
	struct conf_row row;

	for (uint32_t i = 0; i < s->n_rows(); i++) {
		const char *why = s->not_for(i, t);

		s->row(i, &row);
		if (match != NULL && strncmp(row.id, match, strlen(match)) != 0)
			why = "not asked for";
		if (why != NULL) {
			r[i].outcome = CONF_NOT_RUN;
			snprintf(r[i].why, sizeof(r[i].why), "%s", why);
			continue;
		}
		run_row(s, i, &r[i]);
		why = s->explained(i, t);
		if (why == NULL)
			continue;
		if (r[i].outcome == CONF_FAIL)
			r[i].outcome = CONF_EXPLAINED;
		snprintf(r[i].why, sizeof(r[i].why), "%s%s",
			 r[i].outcome == CONF_PASS ? "passes, though a difference is known: " : "",
			 why);
	}
}

/* ---- command line ----------------------------------------------------------------------------------------------- */

static void usage(FILE *f)
{
	fprintf(f,
		"Usage: heddle-conformance run SUITE --in-process [OPTION]...\n"
		"       heddle-conformance run SUITE --target af_packet:IFACE[,IFACE]... [OPTION]...\n"
		"       heddle-conformance config SUITE [--for heddle|linux]    what the node under test is given\n"
		"       heddle-conformance list [SUITE]                         suites, or the rows of one\n\n"
		"Each row sends a packet and compares what leaves the node, octet by octet, with what an RFC\n"
		"asks for: against Heddle's graph in this process, or over wires against any implementation.\n\n"
		"  --in-process       Heddle's own graph; drop reasons and counters are compared too.  Needs no root\n"
		"  --target DRIVER:IFACE  raw sockets: one interface for each port of the node, or one on which\n"
		"                     port N is VLAN 100+N.  The node's port N has MAC 02:00:00:00:00:0N\n"
		"  --for KIND         what the target is, to explain known differences: heddle, linux or other\n"
		"                     (other)\n"
		"  --wait MS          for an answer over wires (500)\n"
		"  -k ID              only rows whose id begins so\n"
		"  --json FILE, --junit FILE, --markdown FILE   reports; -: to standard output\n"
		"  --frames FILE      every frame that was sent (>) or came (<): row, way, port, octets\n"
		"  --all              show rows that pass too\n"
		"  --help, --version\n\n"
		"Exit codes: 0 no row fails without an explanation; 1 one does; 2 usage.\n\n"
		"Examples:  heddle-conformance run srv6 --in-process --json -\n"
		"           heddle-conformance config srv6 --for linux | ip netns exec node sh\n"
		"           heddle-conformance run srv6 --target af_packet:t1,t2,t3,t4,t5,t6 --for linux\n");
}

static const struct conf_suite *suite_find(const char *name)
{
	for (size_t i = 0; i < N_SUITES; i++)
		if (strcmp(suites[i]->name, name) == 0)
			return suites[i];
	fprintf(stderr,
		"heddle-conformance: there is no suite \"%s\"; heddle-conformance list shows them\n",
		name);
	return NULL;
}

static struct {
	const char *target, *json, *junit, *markdown, *frames, *match;
	enum conf_target kind;
	uint32_t wait_ms;
	bool kind_given, all;
} opt = { .kind = CONF_OTHER, .wait_ms = 500 };

static int kind_parse(const char *text)
{
	for (int i = CONF_HEDDLE; i <= CONF_OTHER; i++)
		if (strcmp(target_names[i], text) == 0) {
			opt.kind = (enum conf_target)i;
			opt.kind_given = true;
			return 0;
		}
	fprintf(stderr, "heddle-conformance: --for: heddle, linux or other\n");
	return -EINVAL;
}

/* Returns the number of words left in front of argv, or -EINVAL. */
static int options(int argc, char **argv)
{
	static const struct option rows[] = { { "in-process", no_argument, NULL, 'i' },
					      { "target", required_argument, NULL, 't' },
					      { "for", required_argument, NULL, 'f' },
					      { "wait", required_argument, NULL, 'w' },
					      { "json", required_argument, NULL, 'j' },
					      { "junit", required_argument, NULL, 'u' },
					      { "markdown", required_argument, NULL, 'm' },
					      { "frames", required_argument, NULL, 'F' },
					      { "all", no_argument, NULL, 'a' },
					      { "help", no_argument, NULL, 'h' },
					      { "version", no_argument, NULL, 'V' },
					      { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "hVk:", rows, NULL)) != -1) {
		switch (c) {
		case 'i':
			in_process = true;
			break;
		case 't':
			opt.target = optarg;
			break;
		case 'f':
			if (kind_parse(optarg) < 0)
				return -EINVAL;
			break;
		case 'w':
			opt.wait_ms = (uint32_t)strtoul(optarg, NULL, 10);
			if (opt.wait_ms == 0 || opt.wait_ms > 60000) {
				fprintf(stderr,
					"heddle-conformance: --wait: 1 to 60000 milliseconds\n");
				return -EINVAL;
			}
			break;
		case 'k':
			opt.match = optarg;
			break;
		case 'j':
			opt.json = optarg;
			break;
		case 'u':
			opt.junit = optarg;
			break;
		case 'm':
			opt.markdown = optarg;
			break;
		case 'F':
			opt.frames = optarg;
			break;
		case 'a':
			opt.all = true;
			break;
		case 'h':
			usage(stdout);
			exit(EXIT_OK);
		case 'V':
			printf("heddle-conformance %s\n", HEDDLE_VERSION);
			exit(EXIT_OK);
		default:
			fprintf(stderr, "Try heddle-conformance --help.\n");
			return -EINVAL;
		}
	}
	for (int i = optind; i < argc; i++)
		argv[i - optind] = argv[i];
	return argc - optind;
}

static bool to_stdout(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

static int reports(const struct conf_suite *s, const struct conf_result *r, const char *target)
{
	bool taken = to_stdout(opt.json) || to_stdout(opt.junit) || to_stdout(opt.markdown);
	int rc = 0, rc2 = 0;
	FILE *f;

	report_text(taken ? stderr : stdout, s, r, target, opt.all);
	if (opt.json != NULL)
		rc = report_json(opt.json, s, r, target);
	if (opt.junit != NULL)
		rc2 = report_junit(opt.junit, s, r, target);
	if (rc == 0)
		rc = rc2;
	if (opt.markdown != NULL) {
		f = to_stdout(opt.markdown) ? stdout : fopen(opt.markdown, "w");
		if (f == NULL) {
			rc = -errno;
		} else {
			report_markdown(f, s, r, target);
			if (f != stdout)
				fclose(f);
		}
	}
	if (rc < 0)
		fprintf(stderr, "heddle-conformance: a report could not be written: %s\n",
			strerror(-rc));
	return rc;
}

static int cmd_run(const struct conf_suite *s)
{
	const char *colon = opt.target == NULL ? NULL : strchr(opt.target, ':');
	struct conf_result *r;
	char target[128];
	int code = EXIT_OK;

	if (in_process == (opt.target != NULL) ||
	    (opt.target != NULL && (colon == NULL || strncmp(opt.target, "af_packet:", 10) != 0))) {
		fprintf(stderr,
			"heddle-conformance: run needs --in-process, or --target af_packet:IFACE\n");
		return EXIT_USAGE;
	}
	if (in_process) {
		opt.kind = CONF_IN_PROCESS;
		s->start();
	} else if (wire_open(&(struct wire_conf){ colon + 1, s->n_ports, opt.wait_ms }) < 0) {
		return EXIT_FAILED;
	}
	r = calloc(s->n_rows(), sizeof(*r));
	if (r == NULL)
		return EXIT_FAILED;
	frames = opt.frames != NULL ? fopen(opt.frames, "w") : NULL;
	if (opt.frames != NULL && frames == NULL) {
		perror(opt.frames);
		return EXIT_USAGE;
	}
	run_all(s, opt.kind, opt.match, r);
	if (frames != NULL)
		fclose(frames);
	snprintf(target, sizeof(target), "%s",
		 in_process              ? "Heddle's graph in process" :
		 opt.kind == CONF_HEDDLE ? "heddle-dp over AF_PACKET" :
		 opt.kind == CONF_LINUX  ? "the Linux kernel over AF_PACKET" :
					   opt.target);
	for (uint32_t i = 0; i < s->n_rows(); i++)
		if (r[i].outcome == CONF_FAIL)
			code = EXIT_FAILED;
	if (reports(s, r, target) < 0)
		code = EXIT_FAILED;
	free(r);
	if (in_process)
		hx_stop();
	return code;
}

static int cmd_list(const char *name)
{
	const struct conf_suite *s = name == NULL ? NULL : suite_find(name);
	struct conf_row row;

	if (name == NULL) {
		for (size_t i = 0; i < N_SUITES; i++)
			printf("%-8s %s, %u rows\n", suites[i]->name, suites[i]->title,
			       suites[i]->n_rows());
		return EXIT_OK;
	}
	if (s == NULL)
		return EXIT_USAGE;
	for (uint32_t i = 0; i < s->n_rows(); i++) {
		s->row(i, &row);
		printf("%-7s %s%s%s%s\n", row.id, row.title, row.reference[0] ? " (" : "",
		       row.reference, row.reference[0] ? ")" : "");
	}
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	const struct conf_suite *s;
	int words = options(argc, argv);

	if (words < 0)
		return EXIT_USAGE;
	if (words >= 1 && words <= 2 && strcmp(argv[0], "list") == 0)
		return cmd_list(words == 2 ? argv[1] : NULL);
	if (words != 2 || (strcmp(argv[0], "run") != 0 && strcmp(argv[0], "config") != 0)) {
		usage(stderr);
		return EXIT_USAGE;
	}
	s = suite_find(argv[1]);
	if (s == NULL)
		return EXIT_USAGE;
	if (strcmp(argv[0], "run") == 0)
		return cmd_run(s);
	s->config(stdout, opt.kind_given ? opt.kind : CONF_HEDDLE);
	return EXIT_OK;
}
