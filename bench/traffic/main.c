/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench traffic: command line. */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>
#include <pcap/pcap.h>

#include "bench/bench.h"
#include "bench/traffic/traffic.h"

#define RFC2544_SIZES "64,128,256,512,1024,1280,1518" /* RFC 2544 section 9.1 */

enum opt {
	O_PORT,
	O_STREAMS,
	O_PCAP,
	O_BOTH,
	O_SIZE,
	O_FLOWS,
	O_RATE,
	O_MAX_RATE,
	O_LINE,
	O_SECONDS,
	O_FIRST,
	O_WIDTH,
	O_LIMIT,
	O_PDR,
	O_REPEAT,
	O_DRAIN,
	O_QUEUE,
	O_CPUS,
	O_EAL,
	O_NO_HUGE,
	O_JSON,
	O_SVG,
	O_QUIET,
	O_SELF,
	O_HELP
};

static const struct {
	const char *name, *arg, *help;
	int has_arg;
} rows[] = {
	[O_PORT] = { "port", "DEVARGS",
		     "a DPDK port: 0000:3b:00.0, net_af_xdp0,iface=eth1, net_memif0,..; first: port 0",
		     1 },
	[O_STREAMS] = { "streams", "FILE",
			"what to send, as YAML (one IPv4/UDP stream from port 0 to port 1)", 1 },
	[O_PCAP] = { "pcap", "FILE", "what to send: the frames of a capture", 1 },
	[O_BOTH] = { "both-ways", NULL, "the default stream from port 1 to port 0 too", 0 },
	[O_SIZE] = { "size", "SIZES",
		     "octets with FCS: 64, 64,512,1518 or imix (64; rfc2544: the sizes it names)",
		     1 },
	[O_FLOWS] = { "flows", "N", "of the default stream (256)", 1 },
	[O_RATE] = { "rate", "RATE",
		     "of all streams: 1.5Mpps, 200kpps, 9.5Gbps, 80% of the link (run: as fast as it goes)",
		     1 },
	[O_MAX_RATE] = { "max-rate", "RATE",
			 "searches and loss: the highest (the link, or what this CPU can make)",
			 1 },
	[O_LINE] = { "line", "GBPS", "speed of the links (what the ports say)", 1 },
	[O_SECONDS] = { "seconds", "S", "of a trial (10; RFC 2544 wants 60, and 120 for latency)",
			1 },
	[O_FIRST] = { "first-trial", "S", "ndr: of the short trials at the beginning (1)", 1 },
	[O_WIDTH] = { "width", "PART", "searches: relative width of the answer (0.005)", 1 },
	[O_LIMIT] = { "limit", "S",
		      "searches: end after so long, with what is known then (none; ndr: 600)", 1 },
	[O_PDR] = { "pdr", "PERCENT", "ndr: loss of the partial drop rate (0.5)", 1 },
	[O_REPEAT] = { "repeat", "N",
		       "back-to-back: searches whose mean is reported (5; RFC 2544 wants 50)", 1 },
	[O_DRAIN] = { "drain", "S", "wait for stragglers after a trial (2)", 1 },
	[O_QUEUE] = { "queue", "N", "descriptors of a port's queue (1024)", 1 },
	[O_CPUS] = { "cpus", "A[,B]", "CPU that sends and receives, or one for each (the last one)",
		     1 },
	[O_EAL] = { "eal", "ARG", "one more argument for DPDK; may be given again", 1 },
	[O_NO_HUGE] = { "no-huge", NULL, "ordinary pages, though hugepages are free", 0 },
	[O_JSON] = { "json", "FILE", "results as JSON too; -: to standard output", 1 },
	[O_SVG] = { "svg", "FILE", "results as a picture (needs gnuplot)", 1 },
	[O_QUIET] = { "quiet", NULL, "no line that shows how it goes", 0 },
	[O_SELF] = { "self-test", "ring|memif",
		     "check the generator against a loop with known faults, on two cables of that kind",
		     2 },
	[O_HELP] = { "help", NULL, "this text", 0 },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static struct {
	struct gen_config cfg;
	struct traffic_options o;
	const char *streams, *pcap, *sizes, *json, *svg, *eal[16];
	uint32_t flows, n_eal;
	bool both, selftest, memif;
} opt;

static void usage(FILE *f)
{
	fprintf(f,
		"Usage: heddle-bench traffic TEST --port DEVARGS --port DEVARGS [OPTION]...\n"
		"       heddle-bench traffic frames FILE.pcap [--streams FILE] [--size SIZES]   the frames, not sent\n"
		"       heddle-bench traffic --self-test[=ring|memif]\n\n"
		"Generator and receiver for whatever stands between its ports.  Numbers and time stamps in the\n"
		"payload tell loss, reordering, duplicates and latency, packet by packet.\n\n"
		"Tests: run           one rate, for some time\n"
		"       throughput    the highest rate without loss (RFC 2544 section 26.1)\n"
		"       latency       at --rate, or at the throughput (section 26.2)\n"
		"       loss          from the highest rate down (section 26.3)\n"
		"       back-to-back  the longest burst without loss (section 26.4)\n"
		"       rfc2544       the four of them, for each size\n"
		"       ndr           non-drop and partial-drop rate in one search of bounded time, for each size\n\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s%s", rows[i].name,
			 rows[i].has_arg == 2 ? "[=" :
			 rows[i].arg          ? " " :
						"",
			 rows[i].arg ? rows[i].arg : "", rows[i].has_arg == 2 ? "]" : "");
		fprintf(f, "      %-24s %s\n", left, rows[i].help);
	}
	fprintf(f,
		"\nExit codes: 0 measured; 1 it could not be measured; 2 usage; 3 only a bound was found:\n"
		"the generator or the time was the limit.\n\n"
		"Examples:  heddle-bench traffic --self-test\n"
		"           heddle-bench traffic ndr --port 0000:3b:00.0 --port 0000:3b:00.1 --svg r.svg\n"
		"           heddle-bench traffic run --port net_af_packet0,iface=v0 --port net_af_packet1,iface=v1 \\\n"
		"               --streams pppoe.yaml --rate 50kpps --seconds 5 --json -\n");
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

static int whole(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	double v;

	if (text[strspn(text, "0123456789")] != '\0' || real(text, min, max, &v) < 0)
		return -EINVAL;
	*ret = (uint32_t)v;
	return 0;
}

static int rate_parse(const char *text, struct rate *ret)
{
	static const struct {
		const char *unit;
		int kind;
		double times;
	} unit[] = { { "", RATE_PPS, 1 },       { "pps", RATE_PPS, 1 },
		     { "kpps", RATE_PPS, 1e3 }, { "Mpps", RATE_PPS, 1e6 },
		     { "bps", RATE_BPS, 1 },    { "kbps", RATE_BPS, 1e3 },
		     { "Mbps", RATE_BPS, 1e6 }, { "Gbps", RATE_BPS, 1e9 },
		     { "%", RATE_PERCENT, 1 } };
	char *end;
	double v = strtod(text, &end);

	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++)
		if (end != text && v > 0 && v < 1e12 && strcmp(end, unit[i].unit) == 0) {
			ret->unit = unit[i].kind;
			ret->value = v * unit[i].times;
			return 0;
		}
	return -EINVAL;
}

static int cpus_parse(const char *text, int cpu[2])
{
	char *end;
	long a = strtol(text, &end, 10), b = -1;

	if (end == text || a < 0 || a >= CPU_SETSIZE)
		return -EINVAL;
	if (*end == ',') {
		text = end + 1;
		b = strtol(text, &end, 10);
		if (end == text || b < 0 || b >= CPU_SETSIZE || a == b)
			return -EINVAL;
	}
	cpu[0] = (int)a;
	cpu[1] = (int)b;
	return *end == '\0' ? 0 : -EINVAL;
}

static int option_set(enum opt which, const char *v)
{
	struct traffic_options *o = &opt.o;
	uint32_t size[STREAM_SIZES_MAX];
	double x;

	switch (which) {
	case O_PORT:
		if (opt.cfg.n_ports == STREAM_PORTS_MAX)
			return -EINVAL;
		opt.cfg.devargs[opt.cfg.n_ports++] = v;
		return 0;
	case O_STREAMS:
		opt.streams = v;
		return 0;
	case O_PCAP:
		opt.pcap = v;
		return 0;
	case O_BOTH:
		opt.both = true;
		return 0;
	case O_SIZE:
		opt.sizes = v;
		return sizes_parse(v, size) < 0 ? -EINVAL : 0;
	case O_FLOWS:
		return whole(v, 1, STREAM_FLOWS_MAX / 2, &opt.flows);
	case O_RATE:
		return rate_parse(v, &o->rate);
	case O_MAX_RATE:
		return rate_parse(v, &o->max_rate);
	case O_LINE:
		if (real(v, 1e-6, 1e6, &x) < 0)
			return -EINVAL;
		o->line_bps = x * 1e9;
		return 0;
	case O_SECONDS:
		return real(v, 0.001, 1e6, &o->trial_s);
	case O_FIRST:
		return real(v, 0.001, 1e6, &o->first_s);
	case O_WIDTH:
		return real(v, 1e-6, 0.5, &o->width);
	case O_LIMIT:
		return real(v, 0.1, 1e7, &o->limit_s);
	case O_PDR:
		if (real(v, 0, 100, &x) < 0)
			return -EINVAL;
		o->pdr = x / 100;
		return 0;
	case O_REPEAT:
		return whole(v, 1, 1000, &o->repeat);
	case O_DRAIN:
		return real(v, 0.001, 60, &opt.cfg.drain_s);
	case O_QUEUE:
		return whole(v, 64, 32768, &opt.cfg.queue);
	case O_CPUS:
		return cpus_parse(v, opt.cfg.cpu);
	case O_EAL:
		if (opt.n_eal == sizeof(opt.eal) / sizeof(opt.eal[0]) - 1)
			return -EINVAL;
		opt.eal[opt.n_eal++] = v;
		return 0;
	case O_NO_HUGE:
		opt.cfg.no_huge = true;
		return 0;
	case O_JSON:
		opt.json = v;
		return 0;
	case O_SVG:
		opt.svg = v;
		return 0;
	case O_QUIET:
		o->progress = false;
		return 0;
	case O_SELF:
		opt.selftest = true;
		opt.memif = v != NULL && strcmp(v, "memif") == 0;
		return v == NULL || opt.memif || strcmp(v, "ring") == 0 ? 0 : -EINVAL;
	case O_HELP:
		usage(stdout);
		exit(0);
	}
	return -EINVAL;
}

static int last_cpu(void)
{
	cpu_set_t set;
	int last = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		for (int i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set))
				last = i;
	return last;
}

/* Returns the number of words left in front of argv, or -EINVAL. */
static int options(int argc, char **argv)
{
	static const int kinds[] = { no_argument, required_argument, optional_argument };
	struct option long_opts[N_ROWS + 1] = { 0 };
	int c, idx = 0;

	opt.cfg.cpu[0] = last_cpu();
	opt.cfg.cpu[1] = -1;
	opt.flows = 256;
	opt.o = (struct traffic_options){ .trial_s = 10,
					  .first_s = 1,
					  .width = 0.005,
					  .pdr = 0.005,
					  .repeat = 5,
					  .progress = true };
	for (size_t i = 0; i < N_ROWS; i++)
		long_opts[i] = (struct option){ rows[i].name, kinds[rows[i].has_arg], NULL, 1 };
	optind = 0;
	while ((c = getopt_long(argc, argv, "h", long_opts, &idx)) != -1) {
		if (c == 'h') {
			usage(stdout);
			exit(0);
		}
		if (c != 1) {
			fprintf(stderr, "Try heddle-bench traffic --help.\n");
			return -EINVAL;
		}
		if (option_set((enum opt)idx, optarg) < 0) {
			fprintf(stderr, "heddle-bench: --%s: \"%s\" is not a valid %s\n",
				rows[idx].name, optarg ? optarg : "", rows[idx].arg);
			return -EINVAL;
		}
	}
	for (int i = optind; i < argc; i++)
		argv[i - optind] = argv[i];
	return argc - optind;
}

/* ---- streams ------------------------------------------------------------------------------------------------ */

static int streams_yaml_load(const char *path, struct streams *s, char *err, size_t err_size)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t len = 0, room = 0;
	int rc;

	if (f == NULL) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
		return -errno;
	}
	/* getdelim() reads to a NUL, which YAML does not have. */
	len = (size_t)getdelim(&text, &room, '\0', f);
	fclose(f);
	if ((ssize_t)len < 0)
		len = 0;
	rc = streams_from_yaml(text == NULL ? "" : text, len, path, s, err, err_size);
	free(text);
	return rc;
}

static int streams_load(struct streams *s)
{
	char err[512] = "";
	int rc = 0;
	FILE *f;

	if (opt.streams != NULL && opt.pcap != NULL) {
		fprintf(stderr, "heddle-bench: --streams or --pcap, not both\n");
		return -EINVAL;
	}
	if (opt.streams != NULL) {
		rc = streams_yaml_load(opt.streams, s, err, sizeof(err));
	} else if (opt.pcap != NULL) {
		f = fopen(opt.pcap, "r");
		if (f == NULL) {
			fprintf(stderr, "heddle-bench: %s: %s\n", opt.pcap, strerror(errno));
			return -errno;
		}
		rc = streams_from_pcap(f, opt.pcap, s, err, sizeof(err));
	} else {
		streams_default(s, opt.flows, opt.both);
	}
	if (rc < 0)
		fprintf(stderr, "heddle-bench: %s\n", err);
	return rc;
}

static uint32_t largest(const struct streams *s, const uint32_t *size, uint32_t n_sizes)
{
	uint32_t most = 1514;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct stream *t = &s->stream[i];
		const uint32_t *z = t->n_sizes != 0 ? t->size : size;

		for (uint32_t k = 0; k < (t->n_sizes != 0 ? t->n_sizes : n_sizes); k++) {
			uint32_t octets = packet_octets(&t->packet, z[k] - FRAME_FCS);

			most = octets > most ? octets : most;
		}
		for (uint32_t k = 0; k < t->n_frames; k++)
			most = t->frame[k].len > most ? t->frame[k].len : most;
	}
	return most;
}

/* One frame of each flow and size, as they would be sent but for MACs that ports give. */
static int frames_write(const char *path, const struct streams *s, const uint32_t *size,
			uint32_t n_sizes)
{
	static uint8_t frame[FRAME_OCTETS_MAX];
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 65535);
	pcap_dumper_t *d = p == NULL ? NULL : pcap_dump_open(p, path);
	struct pcap_pkthdr h = { 0 };
	int rc;

	if (d == NULL) {
		fprintf(stderr, "heddle-bench: %s\n", p == NULL ? "no memory" : pcap_geterr(p));
		return TRAFFIC_FAILED;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		const struct stream *t = &s->stream[i];
		const uint32_t *z = t->n_sizes != 0 ? t->size : size;
		uint32_t n = t->n_sizes != 0 ? t->n_sizes : n_sizes;

		for (uint32_t f = 0; f < t->flows; f++)
			for (uint32_t k = 0; k < (t->n_frames != 0 ? 1 : n); k++) {
				const uint8_t *from = frame;

				if (t->n_frames != 0) {
					from = t->frame[f].octets;
					h.len = t->frame[f].len;
				} else {
					h.len = packet_octets(&t->packet, z[k] - FRAME_FCS);
					packet_build(&t->packet, f, h.len, frame);
				}
				h.caplen = h.len;
				pcap_dump((u_char *)d, &h, from);
			}
	}
	rc = pcap_dump_flush(d) < 0 ? TRAFFIC_FAILED : TRAFFIC_OK;
	pcap_dump_close(d);
	pcap_close(p);
	return rc;
}

/* ---- tests -------------------------------------------------------------------------------------------------- */

static int worse(int a, int b)
{
	return a == TRAFFIC_FAILED || b == TRAFFIC_FAILED ? TRAFFIC_FAILED : a > b ? a : b;
}

static int run_sizes(const char *test, const char *sizes)
{
	bool all = strcmp(test, "rfc2544") == 0;
	double pps = rate_pps(&opt.o.rate, opt.o.line_bps);
	int code = TRAFFIC_OK;

	if (opt.o.rate.unit == RATE_PERCENT && pps == 0) {
		fprintf(stderr, "heddle-bench: no port tells its speed; give --line\n");
		return TRAFFIC_USAGE;
	}
	if (strcmp(test, "run") == 0)
		return test_run(&opt.o, sizes);
	if (strcmp(test, "ndr") == 0)
		return test_ndr(&opt.o, sizes);
	if (all || strcmp(test, "throughput") == 0 || (strcmp(test, "latency") == 0 && pps == 0))
		code = test_throughput(&opt.o, sizes, &pps);
	if (code != TRAFFIC_FAILED && (all || strcmp(test, "latency") == 0))
		code = worse(code, test_latency(&opt.o, sizes, pps));
	if (all || strcmp(test, "loss") == 0)
		code = worse(code, test_loss(&opt.o, sizes));
	if (all || strcmp(test, "back-to-back") == 0)
		code = worse(code, test_back_to_back(&opt.o, sizes));
	return code;
}

static int json_write(const struct streams *s, double ceiling)
{
	json_object *o = traffic_json(s, ceiling, opt.cfg.cpu[0]);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
								     JSON_C_TO_STRING_SPACED);
	FILE *f = strcmp(opt.json, "-") == 0 ? stdout : fopen(opt.json, "w");
	int rc = TRAFFIC_OK;

	if (f == NULL || fprintf(f, "%s\n", text) < 0 ||
	    (f == stdout ? fflush(f) : fclose(f)) != 0) {
		fprintf(stderr, "heddle-bench: %s: %s\n", opt.json, strerror(errno));
		rc = TRAFFIC_FAILED;
	}
	json_object_put(o);
	return rc;
}

/* Sizes one after the other for tests that compare them, all mixed for the others. */
static int run(const char *test, const struct streams *s)
{
	bool each = strcmp(test, "run") != 0 && strcmp(opt.sizes, "imix") != 0;
	FILE *f = opt.json != NULL && strcmp(opt.json, "-") == 0 ? stderr : stdout;
	uint32_t size[STREAM_SIZES_MAX], n = (uint32_t)sizes_parse(opt.sizes, size), shown = 0;
	double ceiling = 0;
	int code = TRAFFIC_OK;
	char text[64];

	for (uint32_t i = 0; i < opt.cfg.n_ports; i++)
		fprintf(f, "port %u: %s\n", i, gen_port_text(i, text, sizeof(text)));
	for (uint32_t i = 0; i < (each ? n : 1); i++) {
		if (each)
			snprintf(text, sizeof(text), "%u", size[i]);
		else
			snprintf(text, sizeof(text), "%s", opt.sizes);
		if (gen_frames(&size[each ? i : 0], each ? 1 : n) < 0) {
			fprintf(stderr,
				"heddle-bench: no memory for the frames; use fewer flows or sizes\n");
			return TRAFFIC_FAILED;
		}
		if (i == 0) {
			ceiling = gen_ceiling();
			fprintf(f,
				"this CPU can make %.2f Mpps of these packets, without a port\n\n",
				ceiling / 1e6);
		}
		code = worse(code, run_sizes(test, text));
		for (; shown < traffic_n_rows; shown++)
			traffic_text(f, &traffic_rows[shown], s);
	}
	if (opt.json != NULL)
		code = worse(code, json_write(s, ceiling));
	if (opt.svg != NULL && traffic_n_rows != 0)
		code = worse(code, traffic_svg(opt.svg));
	return code;
}

int cmd_traffic(int argc, char **argv)
{
	static const char *const tests[] = { "run",          "throughput", "latency", "loss",
					     "back-to-back", "rfc2544",    "ndr" };
	static struct streams s;
	uint32_t size[STREAM_SIZES_MAX], n;
	const char *test = NULL;
	int words = options(argc, argv), code = TRAFFIC_FAILED;

	if (words < 0)
		return TRAFFIC_USAGE;
	if (opt.selftest)
		return words == 0 ? selftest(opt.memif, opt.cfg.cpu[0], opt.cfg.no_huge) :
				    TRAFFIC_USAGE;
	for (size_t i = 0; words >= 1 && i < sizeof(tests) / sizeof(tests[0]); i++)
		if (strcmp(argv[0], tests[i]) == 0)
			test = tests[i];
	if (opt.sizes == NULL)
		opt.sizes = test != NULL && strcmp(test, "rfc2544") == 0 ? RFC2544_SIZES : "64";
	n = (uint32_t)sizes_parse(opt.sizes, size);
	if (words == 2 && strcmp(argv[0], "frames") == 0) {
		code = streams_load(&s) < 0 ? TRAFFIC_USAGE : frames_write(argv[1], &s, size, n);
		streams_free(&s);
		return code;
	}
	if (test == NULL || words != 1 || opt.cfg.n_ports == 0) {
		fprintf(stderr,
			"heddle-bench: traffic needs a test, and --port for each of its ports;"
			" see heddle-bench traffic --help\n");
		return TRAFFIC_USAGE;
	}
	if (strcmp(test, "ndr") == 0 && opt.o.limit_s == 0)
		opt.o.limit_s = 600;
	if (streams_load(&s) < 0)
		return TRAFFIC_USAGE;
	opt.cfg.max_octets = largest(&s, size, n);
	opt.cfg.eal = opt.eal;
	if (opt.cfg.max_octets <= FRAME_OCTETS_MAX && gen_start(&opt.cfg, &s) == 0 &&
	    gen_resolve(5) == 0)
		code = run(test, &s);
	else if (opt.cfg.max_octets > FRAME_OCTETS_MAX)
		fprintf(stderr, "heddle-bench: a frame has %u octets, more than %u\n",
			opt.cfg.max_octets, FRAME_OCTETS_MAX);
	gen_stop();
	streams_free(&s);
	return code;
}
