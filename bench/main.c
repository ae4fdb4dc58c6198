/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench: command line.  Every workload runs in a child of its own, since an engine starts once per process. */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#ifndef HEDDLE_VERSION
#define HEDDLE_VERSION "0.0.0"
#endif

#define WORKERS_MAX 64u
#define RESULTS_MAX 256u
#define EXIT_WRONG  1
#define EXIT_USAGE  2
#define EXIT_NOISY  3

static const char *json_path, *over;
static struct result results[RESULTS_MAX];
static unsigned n_results;

/* ---- options ------------------------------------------------------------------------------------------------ */

struct option_row {
	const char *name, *arg, *help;
	size_t offset; /* of an uint32_t in struct params; SIZE_MAX: handled by name */
	uint32_t min, max;
};
#define AT(field) offsetof(struct params, field)
#define BY_NAME   SIZE_MAX

static const struct option_row rows[] = {
	{ "burst", "N", "packets taken from the source at once (128)", AT(burst), 1, 256 },
	{ "size", "OCTETS",
	  "of a frame without FCS, 64..9000, or imix (64); headers that need more get more",
	  BY_NAME, 0, 0 },
	{ "flows", "N", "(256)", AT(flows), 1, 4000000 },
	{ "zipf", "S", "flows by Zipf's law with exponent S instead of each in turn", BY_NAME, 0,
	  0 },
	{ "routes", "N", "(1)", AT(routes), 1, 1000000 },
	{ "nexthops", "N", "routes are spread over so many neighbours (1)", AT(nexthops), 1, 4096 },
	{ "sids", "N", "(1)", AT(sids), 1, 65536 },
	{ "policies", "N", "(1)", AT(policies), 1, 16384 },
	{ "segments", "N", "of a policy's list, 1..16 (1)", AT(segments), 1, 16 },
	{ "inner", "4|6", "family of what is encapsulated (6)", BY_NAME, 0, 0 },
	{ "rounds", "N", "(11)", AT(rounds), 3, 1000 },
	{ "seconds", "S", "of measuring, per workload (2)", BY_NAME, 0, 0 },
	{ "seed", "N", "of the order of packets (1)", AT(seed), 0, UINT32_MAX },
	{ "workers", "N",
	  "measure so many at once, each on a CPU of its own; Mpps is their sum (1)", AT(workers),
	  1, WORKERS_MAX },
	{ "cpu", "N", "CPU to run on (the last one allowed)", AT(cpu), 0, CPU_SETSIZE - 1 },
	{ "no-huge", NULL, "packet buffers in ordinary pages, though hugepages are free", BY_NAME,
	  0, 0 },
	{ "verify", NULL, "check every octet of what comes out, apart from the timed run (default)",
	  BY_NAME, 0, 0 },
	{ "no-verify", NULL, "do not", BY_NAME, 0, 0 },
	{ "json", "FILE", "results as JSON too; -: to standard output", BY_NAME, 0, 0 },
	{ "over", "NAME=A,B,..", "sweep: the parameter and its values", BY_NAME, 0, 0 },
	{ "help", NULL, "this text", BY_NAME, 0, 0 },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* What scripts/bench runs: one line for each number that people ask for. */
static const char *const standard[] = {
	"l2-io",
	"ip4-fwd",
	"ip4-fwd --routes 1000000 --flows 65536 --nexthops 16",
	"ip6-fwd",
	"ip6-fwd --routes 100000 --flows 65536 --nexthops 16",
	"ip6-fwd --routes 256 --flows 4096 --nexthops 16",
	"ip6-fwd --routes 250000 --flows 262144 --nexthops 16",
	"srv6-end",
	"srv6-end --routes 256 --flows 4096 --nexthops 16",
	"srv6-end --sids 16 --flows 65536",
	"srv6-end --sids 65536 --flows 65536",
	"srv6-endx",
	"srv6-next-csid",
	"srv6-hmac",
	"srv6-encap --segments 1 --inner 6",
	"srv6-encap --segments 3 --inner 4",
	"srv6-encap --segments 6 --inner 6",
	"srv6-encap --policies 10000 --routes 10000 --flows 65536",
	"srv6-encap-red --segments 1 --inner 6",
	"srv6-encap-red --segments 3 --inner 4",
	"srv6-dt4",
	"srv6-dt6",
	"srv6-dt6 --routes 256 --flows 4096 --nexthops 16",
	"pm-reflect",
	"pm-sender",
	"pm-sender-replies",
};

static void usage(FILE *f)
{
	fprintf(f,
		"Usage: heddle-bench run WORKLOAD... [OPTION]...      measure workloads; \"standard\": the usual set\n"
		"       heddle-bench sweep WORKLOAD --over routes=1,10,100 [OPTION]...\n"
		"       heddle-bench compare OLD.json NEW.json        what changed, and whether it is more than noise\n"
		"       heddle-bench plot FILE.json OUT.svg           curves of a sweep, bars of a run (needs gnuplot)\n"
		"       heddle-bench table-api [OPTION]...            updates per second through the socket; its own --help\n"
		"       heddle-bench traffic TEST --port ...          generator and receiver on DPDK ports; its own --help\n"
		"       heddle-bench pacing [OPTION]...               how late probes leave, beside the machine's own lateness\n"
		"       heddle-bench list                             the workloads\n\n"
		"What the packet path costs, in cycles per packet, with nothing but a CPU.\n"
		"A source writes fresh packets, a sink takes them back; the same without the graph between is the floor F,\n"
		"measured in the same moments; net = total - F.\n\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
			 rows[i].arg ? rows[i].arg : "");
		fprintf(f, "      %-20s %s\n", left, rows[i].help);
	}
	fprintf(f,
		"\nExit codes: 0 measured; 1 packets were dropped or mangled, or it could not be measured; 2 usage;\n"
		"3 noise hides the answer.\n\n"
		"Examples:  heddle-bench run ip6-fwd\n"
		"           heddle-bench run ip4-fwd --routes 1000000 --flows 65536 --nexthops 16 --json r.json\n"
		"           heddle-bench run srv6-encap --segments 3 --inner 4 --size imix\n"
		"           heddle-bench sweep ip6-fwd --over routes=1,10,100,1000,10000,100000 --flows 65536 --json s.json\n"
		"           heddle-bench sweep ip6-fwd --over workers=1,2 --json scale.json\n"
		"           heddle-bench plot s.json s.svg\n");
}

static int number(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || text[0] == '-' || v < min || v > max)
		return -EINVAL;
	*ret = (uint32_t)v;
	return 0;
}

static int real(const char *text, double min, double max, double *ret)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end != '\0' || !(v >= min && v <= max))
		return -EINVAL;
	*ret = v;
	return 0;
}

static int param_set(struct params *p, const struct option_row *row, const char *v)
{
	uint32_t n;

	if (row->offset != BY_NAME)
		return number(v, row->min, row->max, (uint32_t *)((char *)p + row->offset));
	if (strcmp(row->name, "size") == 0) {
		p->imix = strcmp(v, "imix") == 0;
		if (p->imix)
			p->size = 1518;
		return p->imix ? 0 : number(v, 64, 9000, &p->size);
	}
	if (strcmp(row->name, "inner") == 0) {
		if (number(v, 4, 6, &n) < 0 || n == 5)
			return -EINVAL;
		p->inner = n;
		return 0;
	}
	if (strcmp(row->name, "zipf") == 0)
		return real(v, 0, 4, &p->zipf);
	if (strcmp(row->name, "seconds") == 0)
		return real(v, 0.01, 3600, &p->seconds);
	if (strcmp(row->name, "verify") == 0 || strcmp(row->name, "no-verify") == 0)
		p->verify = row->name[0] == 'v';
	if (strcmp(row->name, "no-huge") == 0)
		p->no_huge = true;
	if (strcmp(row->name, "json") == 0)
		json_path = v;
	if (strcmp(row->name, "over") == 0)
		over = v;
	if (strcmp(row->name, "help") == 0) {
		usage(stdout);
		exit(0);
	}
	return 0;
}

static const struct option_row *row_find(const char *name)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

uint32_t bench_last_cpu(void)
{
	cpu_set_t set;
	uint32_t last = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		for (uint32_t i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set))
				last = i;
	return last;
}

/* Options of argv into p; other words are left in front of argv.  Returns their number, or -EINVAL. */
static int options(int argc, char **argv, struct params *p)
{
	struct option long_opts[N_ROWS + 1] = { 0 };
	int c, idx;

	for (size_t i = 0; i < N_ROWS; i++)
		long_opts[i] = (struct option){ rows[i].name,
						rows[i].arg ? required_argument : no_argument, NULL,
						1 };
	optind = 0;
	while ((c = getopt_long(argc, argv, "h", long_opts, &idx)) != -1) {
		if (c == 'h') {
			usage(stdout);
			exit(0);
		}
		if (c != 1) {
			fprintf(stderr, "Try heddle-bench --help.\n");
			return -EINVAL;
		}
		if (param_set(p, &rows[idx], optarg) < 0) {
			fprintf(stderr, "heddle-bench: --%s: \"%s\" is not a valid %s\n",
				rows[idx].name, optarg, rows[idx].arg);
			return -EINVAL;
		}
	}
	for (int i = optind; i < argc; i++)
		argv[i - optind] = argv[i];
	return argc - optind;
}

/* ---- children ----------------------------------------------------------------------------------------------- */

static void read_whole(int fd, void *to, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(fd, (char *)to + at, size - at);

		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

static struct {
	int ready, go; /* the child's ends */
} barrier;

/* A child: tell that all is set up and wait for the others. */
static void wait_for_others(void)
{
	char c = 0;

	if (write(barrier.ready, &c, 1) == 1 && read(barrier.go, &c, 1) < 0)
		perror("heddle-bench");
}

/* Start a workload in a child; its result comes by the returned descriptor.  Negative: it could not be started. */
static int child_start(const struct workload *w, const struct params *p, const int ready[2],
		       const int go[2], pid_t *ret_pid)
{
	struct result r = { .params = *p };
	int fd[2];

	fflush(NULL);
	if (pipe(fd) < 0 || (*ret_pid = fork()) < 0) {
		perror("heddle-bench");
		return -1;
	}
	if (*ret_pid != 0) {
		close(fd[1]);
		return fd[0];
	}
	close(fd[0]);
	close(ready[0]);
	close(go[1]);
	barrier.ready = ready[1];
	barrier.go = go[0];
	bench_before_measure = wait_for_others;
	int rc = bench_run(w, p, &r);
	bool sent = write(fd[1], &r, sizeof(r)) == sizeof(r); /* below PIPE_BUF: whole */

	_exit(rc < 0 || !sent ? EXIT_WRONG : 0);
}

static int child_end(const struct workload *w, pid_t pid, int fd, struct result *ret)
{
	int status = 0;

	snprintf(ret->workload, sizeof(ret->workload), "%s", w->name);
	read_whole(fd, ret, sizeof(*ret));
	close(fd);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		if (WIFSIGNALED(status))
			snprintf(ret->said, sizeof(ret->said), "the engine died of signal %d",
				 WTERMSIG(status));
		fprintf(stderr, "heddle-bench: %s: %s\n", w->name,
			ret->said[0] ? ret->said : "no result");
		return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_WRONG;
	}
	return ret->noisy ? EXIT_NOISY : 0;
}

static int worse(int a, int b);

/* Run a workload in as many children as it has workers, on CPUs from p->cpu downwards.  The result is the first one's,
 * with the Mpps of all of them.  Returns an exit code. */
static int children(const struct workload *w, const struct params *p, struct result *ret)
{
	int ready[2], go[2], fd[WORKERS_MAX], code = 0;
	pid_t pid[WORKERS_MAX];
	uint32_t n = 0;
	char c;

	memset(ret, 0, sizeof(*ret));
	if (p->cpu + 1 < p->workers) {
		fprintf(stderr,
			"heddle-bench: %u workers need as many CPUs, and --cpu %u leaves %u\n",
			p->workers, p->cpu, p->cpu + 1);
		return EXIT_USAGE;
	}
	if (pipe(ready) < 0 || pipe(go) < 0) {
		perror("heddle-bench");
		return EXIT_WRONG;
	}
	for (; n < p->workers; n++) {
		struct params own = *p;

		own.cpu = p->cpu - n;
		fd[n] = child_start(w, &own, ready, go, &pid[n]);
		if (fd[n] < 0)
			break;
	}
	close(ready[1]);
	for (uint32_t i = 0; i < n; i++) /* 0: those that are left have ended */
		if (read(ready[0], &c, 1) <= 0)
			break;
	close(ready[0]);
	close(go[0]);
	close(go[1]); /* all wait for its end */
	for (uint32_t i = 0; i < n; i++) {
		struct result one = { 0 };

		code = worse(code, child_end(w, pid[i], fd[i], &one));
		if (i == 0)
			*ret = one;
		else
			ret->mpps += one.mpps;
	}
	return n < p->workers ? EXIT_WRONG : code;
}

static int worse(int a, int b)
{
	static const uint8_t rank[] = { 0, 3, 2, 1 };

	return rank[a & 3] >= rank[b & 3] ? a : b;
}

static int run_one(const struct workload *w, const struct params *p)
{
	struct result *r = &results[n_results];
	int code;

	if (n_results == RESULTS_MAX)
		return EXIT_USAGE;
	code = children(w, p, r);
	if (code == 0 || code == EXIT_NOISY) {
		report_text(json_path != NULL && strcmp(json_path, "-") == 0 ? stderr : stdout, r);
		n_results++;
	}
	return code;
}

/* Defaults of the workload, then words of a preset line, then the command line. */
static int run_line(const char *line, int argc, char **argv)
{
	char copy[256], *word[32], *save = NULL;
	const struct workload *w;
	struct params p;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *t = strtok_r(copy, " ", &save); t != NULL && n < 31;
	     t = strtok_r(NULL, " ", &save))
		word[n++] = t;
	word[n] = NULL;
	w = workload_find(word[0]);
	if (w == NULL) {
		fprintf(stderr,
			"heddle-bench: \"%s\" is no workload; heddle-bench list shows them\n",
			word[0]);
		return EXIT_USAGE;
	}
	params_default(&p, w);
	p.cpu = bench_last_cpu();
	if (options(n, word, &p) < 0 || options(argc, argv, &p) < 0)
		return EXIT_USAGE;
	return run_one(w, &p);
}

static int finish(int code)
{
	int rc;

	if (json_path == NULL || n_results == 0)
		return code;
	rc = report_json(json_path, results, n_results);
	if (rc < 0) {
		fprintf(stderr, "heddle-bench: %s: %s\n", json_path, strerror(-rc));
		return EXIT_WRONG;
	}
	return code;
}

static int cmd_run(int argc, char **argv)
{
	char **opts = calloc((size_t)argc + 1, sizeof(*opts)),
	     **words = calloc((size_t)argc + 1, sizeof(*words));
	struct params p = { 0 };
	int n, code = 0;

	if (opts == NULL || words == NULL)
		return EXIT_WRONG;
	memcpy(opts, argv, (size_t)argc * sizeof(*opts));
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	n = options(argc, words, &p);
	if (n < 0)
		return EXIT_USAGE;
	if (n == 0) {
		fprintf(stderr,
			"heddle-bench: run needs a workload; heddle-bench list shows them\n");
		return EXIT_USAGE;
	}
	for (int i = 0; i < n; i++) {
		bool all = strcmp(words[i], "standard") == 0;

		for (size_t k = 0; k < (all ? sizeof(standard) / sizeof(standard[0]) : 1); k++) {
			char **again =
				calloc((size_t)argc + 1, sizeof(*again)); /* getopt reorders it */

			if (again == NULL)
				return EXIT_WRONG;
			memcpy(again, opts, (size_t)argc * sizeof(*again));
			code = worse(code, run_line(all ? standard[k] : words[i], argc, again));
			free(again);
		}
	}
	free(opts);
	free(words);
	return finish(code);
}

static int cmd_sweep(int argc, char **argv)
{
	struct params p, base = { 0 };
	char **words = calloc((size_t)argc + 1, sizeof(*words)), *values, *save = NULL;
	const struct option_row *row;
	const struct workload *w;
	int code = 0;

	if (words == NULL)
		return EXIT_WRONG;
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	if (options(argc, words, &base) != 1 || over == NULL || strchr(over, '=') == NULL) {
		fprintf(stderr, "heddle-bench: sweep needs one workload and --over NAME=A,B,...\n");
		return EXIT_USAGE;
	}
	w = workload_find(words[0]);
	if (w == NULL) {
		fprintf(stderr,
			"heddle-bench: \"%s\" is no workload; heddle-bench list shows them\n",
			words[0]);
		return EXIT_USAGE;
	}
	params_default(&p, w);
	p.cpu = bench_last_cpu();
	if (options(argc, argv, &p) < 0)
		return EXIT_USAGE;
	values = strdup(over);
	if (values == NULL)
		return EXIT_WRONG;
	values[strcspn(values, "=")] = '\0';
	row = row_find(values);
	if (row == NULL || row->arg == NULL) {
		fprintf(stderr, "heddle-bench: --over: \"%s\" is not a parameter\n", values);
		return EXIT_USAGE;
	}
	for (char *v = strtok_r(values + strlen(values) + 1, ",", &save); v != NULL;
	     v = strtok_r(NULL, ",", &save)) {
		if (param_set(&p, row, v) < 0) {
			fprintf(stderr, "heddle-bench: --over: \"%s\" is not a valid %s\n", v,
				row->name);
			return EXIT_USAGE;
		}
		code = worse(code, run_one(w, &p));
	}
	free(values);
	free(words);
	return finish(code);
}

static int cmd_list(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (const struct workload *w = workload_first(); w != NULL; w = w->next)
		printf("%-16s %s; parameters:%s\n", w->name, w->help, w->uses);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(int argc, char **argv);
	} cmd[] = { { "run", cmd_run },         { "sweep", cmd_sweep },
		    { "list", cmd_list },       { "compare", cmd_compare },
		    { "plot", cmd_plot },       { "table-api", cmd_table_api },
		    { "traffic", cmd_traffic }, { "pacing", cmd_pacing } };

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
			  strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return 0;
	}
	if (argc >= 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		printf("heddle-bench %s\n", HEDDLE_VERSION);
		return 0;
	}
	for (size_t i = 0; argc >= 2 && i < sizeof(cmd) / sizeof(cmd[0]); i++)
		if (strcmp(argv[1], cmd[i].name) == 0)
			return cmd[i].fn(argc - 1, argv + 1);
	usage(stderr);
	return EXIT_USAGE;
}
