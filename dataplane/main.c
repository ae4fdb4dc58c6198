/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-dp: options, EAL, the control loop.
 * The control loop is one epoll: the API, a 100 ms timer, signals; between events it looks for punted packets every
 * millisecond while there are some, every four otherwise (a worker cannot wake it: that would be a system call on
 * the packet path). */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_version.h>

#include "dataplane/api_server.h"
#include "dataplane/crash.h"
#include "dataplane/engine.h"
#include "dataplane/dp_limits.h"
#include "dataplane/log.h"
#include "dataplane/mem_plan.h"
#include "dataplane/watchdog.h"
#include "dataplane/worker.h"

#ifndef HEDDLE_VERSION
#define HEDDLE_VERSION "0.0.0"
#endif
#define SOFTWARE "heddle-dp " HEDDLE_VERSION

#define EXIT_USAGE  2
#define EXIT_MEMORY 3 /* another try does not heal it: heddle-dp.service waits */

static struct {
	char run_dir[80];
	char cpus[128]; /* "main,worker,worker..."; empty: not pinned when power saving, else all but the first */
	bool power_save, pci;
	enum memory_huge huge;
	uint32_t memory_mib, stall_ms;
} opt = { .run_dir = "/run/heddle", .stall_ms = 1000 };

struct option_row {
	const char *name, *arg, *help;
	int (*set)(const char *value);
};

static int number(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || v < min || v > max)
		return -EINVAL;
	*ret = (uint32_t)v;
	return 0;
}

static int set_run_dir(const char *v)
{
	return snprintf(opt.run_dir, sizeof(opt.run_dir), "%s", v) >= (int)sizeof(opt.run_dir) ?
		       -EINVAL :
		       0;
}
static int set_cpus(const char *v)
{
	return snprintf(opt.cpus, sizeof(opt.cpus), "%s", v) >= (int)sizeof(opt.cpus) ? -EINVAL : 0;
}
static int set_power_save(const char *v)
{
	(void)v;
	opt.power_save = true;
	worker_conf.sleep_max_us = 500;
	return 0;
}
static int set_pci(const char *v)
{
	(void)v;
	opt.pci = true;
	return 0;
}
static int set_no_huge(const char *v)
{
	(void)v;
	opt.huge = MEMORY_HUGE_NEVER;
	return 0;
}
static int set_huge(const char *v)
{
	(void)v;
	opt.huge = MEMORY_HUGE_REQUIRE;
	return 0;
}
static int set_burst(const char *v)
{
	uint32_t n;
	int rc = number(v, 1, 256, &n);

	if (rc == 0)
		worker_conf.burst = (uint16_t)n;
	return rc;
}
static int set_log_level(const char *v)
{
	enum log_level l;
	int rc = log_level_parse(v, &l);

	if (rc == 0)
		log_set_level(l);
	return rc;
}
#define SETTER(fn, field, min, max)                 \
	static int fn(const char *v)                \
	{                                           \
		return number(v, min, max, &field); \
	}
SETTER(set_workers, dp_limits.workers, 1, DP_WORKERS_MAX)
SETTER(set_memory, opt.memory_mib, 32, 1u << 20)
SETTER(set_stall, opt.stall_ms, 100, 600000)
SETTER(set_mbufs, dp_limits.mbufs, 512, 1u << 26)
SETTER(set_mbuf_size, dp_limits.mbuf_room, 1024, 65535)
SETTER(set_ifaces, dp_limits.ifaces, 2, 65535)
SETTER(set_vrfs, dp_limits.vrfs, 1, 65535)
SETTER(set_nexthops, dp_limits.nexthops, 1, 1u << 22)
SETTER(set_nhgroups, dp_limits.nhgroups, 1, 1u << 20)
SETTER(set_routes4, dp_limits.routes4, 1, 1u << 24)
SETTER(set_routes6, dp_limits.routes6, 1, 1u << 24)
SETTER(set_neighs, dp_limits.neighs, 16, 1u << 22)
SETTER(set_sids, dp_limits.sids, 1, 1u << 20)
SETTER(set_policies, dp_limits.policies, 1, 1u << 20)
SETTER(set_seglists, dp_limits.seglists, 1, 1u << 20)
SETTER(set_rules, dp_limits.rules, 1, 1u << 18)

static const struct option_row rows[] = {
	{ "run-dir", "DIR", "sockets dp.sock and dp-punt.sock, crash reports (/run/heddle)",
	  set_run_dir },
	{ "workers", "N", "polling workers, each its own thread (1)", set_workers },
	{ "cpus", "LIST",
	  "CPU of the control thread, then of each worker: 0,2,3 (not pinned with --power-save)",
	  set_cpus },
	{ "power-save", NULL, "idle workers sleep, up to 0.5 ms, instead of polling without pause",
	  set_power_save },
	{ "burst", "N", "most packets taken from a queue at once, 1..256 (128)", set_burst },
	{ "huge", NULL, "insist on hugepages", set_huge },
	{ "no-huge", NULL, "never use hugepages (default: when enough are free)", set_no_huge },
	{ "memory", "MIB", "memory for packets and devices (what --mbufs needs)", set_memory },
	{ "pci", NULL, "look for PCI devices at start; ports may then be PCI addresses", set_pci },
	{ "stall-ms", "MS",
	  "a worker without progress for so long is reported with its node (1000)", set_stall },
	{ "log-level", "LEVEL", "error, warn, info or debug (info)", set_log_level },
	{ "mbufs", "N", "packet buffers, about 2.5 KiB each (16384)", set_mbufs },
	{ "mbuf-size", "OCTETS", "data room of a buffer; larger frames are chained (2176)",
	  set_mbuf_size },
	{ "max-interfaces", "N", "(1024)", set_ifaces },
	{ "max-vrfs", "N", "(64)", set_vrfs },
	{ "max-nexthops", "N", "64 octets each in use (16384)", set_nexthops },
	{ "max-nexthop-groups", "N", "about 1 KiB each in use (4096)", set_nhgroups },
	{ "max-routes4", "N", "(1100000)", set_routes4 },
	{ "max-routes6", "N", "(300000)", set_routes6 },
	{ "max-neighbours", "N", "(16384)", set_neighs },
	{ "max-sids", "N", "(65536)", set_sids },
	{ "max-policies", "N", "(16384)", set_policies },
	{ "max-segment-lists", "N", "(32768)", set_seglists },
	{ "max-rules", "N", "of classifiers  (4096)", set_rules },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void usage(FILE *f)
{
	fprintf(f,
		"Usage: heddle-dp [OPTION]...\n"
		"The data plane of Heddle: forwards what heddle-ctrl programs over its table API.\n\n"
		"      --conf FILE            read options from FILE, one NAME=VALUE or NAME a line\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
			 rows[i].arg ? rows[i].arg : "");
		fprintf(f, "      %-22s %s\n", left, rows[i].help);
	}
	fprintf(f,
		"  -h, --help                 this text\n"
		"  -V, --version              version\n\n"
		"Table sizes are limits; memory comes with the entries.  Capabilities: none for memif, ring, null and\n"
		"pcap-file ports; CAP_NET_RAW and CAP_NET_ADMIN for af_packet; those, CAP_BPF and CAP_IPC_LOCK for\n"
		"af_xdp, and CAP_SYS_ADMIN there for libxdp, which looks programs up by their number; CAP_NET_ADMIN for\n"
		"tap.  Sysctls and drivers of the host are never changed.\n\n"
		"Exit status: 0 stopped by a signal; 1 it does not start, or failed; 2 wrong option; 3 too little memory:\n"
		"its message says how much is needed, how much there is, and the command that gives more.\n\n"
		"Example, on a laptop:   heddle-dp --power-save --run-dir /tmp/heddle\n"
		"Example, on a server:   heddle-dp --huge --pci --workers 4 --cpus 0,2,3,4,5 --mbufs 131072\n");
}

static int apply_option(const char *name, const char *value, const char *where)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if (rows[i].arg != NULL && value == NULL) {
			fprintf(stderr, "heddle-dp: %s%s needs a value (%s)\n", where, name,
				rows[i].arg);
			return -EINVAL;
		}
		if (rows[i].set(value) < 0) {
			fprintf(stderr,
				"heddle-dp: %s%s: \"%s\" is not a valid %s; see heddle-dp --help\n",
				where, name, value == NULL ? "" : value, rows[i].arg);
			return -EINVAL;
		}
		return 0;
	}
	fprintf(stderr, "heddle-dp: %s%s is not an option; see heddle-dp --help\n", where, name);
	return -EINVAL;
}

static int read_conf(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512], where[600];
	unsigned n = 0;
	int rc = 0;

	if (f == NULL) {
		fprintf(stderr, "heddle-dp: %s: %s\n", path, strerror(errno));
		return -errno;
	}
	while (rc == 0 && fgets(line, sizeof(line), f) != NULL) {
		char *name = line + strspn(line, " \t"), *value;

		snprintf(where, sizeof(where), "%s:%u: ", path, ++n);
		name[strcspn(name, "#\r\n")] = '\0';
		for (size_t l = strlen(name); l > 0 && (name[l - 1] == ' ' || name[l - 1] == '\t');)
			name[--l] = '\0';
		if (*name == '\0')
			continue;
		value = strchr(name, '=');
		if (value != NULL)
			*value++ = '\0';
		rc = apply_option(name, value, where);
	}
	fclose(f);
	return rc;
}

static int parse_options(int argc, char **argv)
{
	struct option long_opts[N_ROWS + 4] = { 0 };
	int c, idx;

	for (size_t i = 0; i < N_ROWS; i++)
		long_opts[i] = (struct option){ rows[i].name,
						rows[i].arg ? required_argument : no_argument, NULL,
						1 };
	long_opts[N_ROWS] = (struct option){ "conf", required_argument, NULL, 2 };
	long_opts[N_ROWS + 1] = (struct option){ "help", no_argument, NULL, 'h' };
	long_opts[N_ROWS + 2] = (struct option){ "version", no_argument, NULL, 'V' };
	while ((c = getopt_long(argc, argv, "hV", long_opts, &idx)) != -1) {
		int rc = 0;

		if (c == 'h') {
			usage(stdout);
			exit(0);
		} else if (c == 'V') {
			printf("%s (%s)\n", SOFTWARE, rte_version());
			exit(0);
		} else if (c == 2) {
			rc = read_conf(optarg);
		} else if (c == 1) {
			rc = apply_option(rows[idx].name, optarg, "--");
		} else {
			fprintf(stderr, "Try heddle-dp --help.\n");
			return -EINVAL;
		}
		if (rc < 0)
			return rc;
	}
	if (optind < argc) {
		fprintf(stderr, "heddle-dp: \"%s\" is not an option; see heddle-dp --help\n",
			argv[optind]);
		return -EINVAL;
	}
	return 0;
}

/* "0@2,1@3,...": lcore 0 is the control thread, lcore i + 1 worker i.  Pinned to --cpus; otherwise to the CPUs this
 * process may use in turn, or floating over all of them when power saving (several data planes share a laptop). */
static int lcores_text(char *to, size_t size)
{
	unsigned cpu[DP_WORKERS_MAX + 1], n = 0, want = dp_limits.workers + 1;
	cpu_set_t set;
	size_t at = 0;

	if (opt.cpus[0] != '\0') {
		char *copy = strdupa(opt.cpus), *save = NULL;

		for (char *t = strtok_r(copy, ",", &save); t != NULL && n < want;
		     t = strtok_r(NULL, ",", &save))
			if (number(t, 0, CPU_SETSIZE - 1, &cpu[n]) == 0)
				n++;
		if (n != want) {
			log_error(
				"--cpus %s: %u CPUs are needed: one for control, one for each of %u workers",
				opt.cpus, want, dp_limits.workers);
			return -EINVAL;
		}
	} else {
		sched_getaffinity(0, sizeof(set), &set);
		for (unsigned c = 0; c < CPU_SETSIZE && n < DP_WORKERS_MAX + 1; c++)
			if (CPU_ISSET(c, &set))
				cpu[n++] = c;
	}
	for (unsigned i = 0; i < want; i++) {
		if (opt.cpus[0] == '\0' && opt.power_save) {
			at += (size_t)snprintf(to + at, size - at, "%s%u@(", i ? "," : "", i);
			for (unsigned c = 0; c < n; c++)
				at += (size_t)snprintf(to + at, size - at, "%s%u", c ? "," : "",
						       cpu[c]);
			at += (size_t)snprintf(to + at, size - at, ")");
		} else {
			at += (size_t)snprintf(to + at, size - at, "%s%u@%u", i ? "," : "", i,
					       cpu[i % n]);
		}
		if (at >= size)
			return -ENAMETOOLONG;
	}
	return 0;
}

static int eal_start(void)
{
	char lcores[4096], mem[16], prefix[32];
	struct memory_plan plan;
	char *argv[20];
	int argc = 0, rc;

	rc = memory_plan(opt.huge, opt.memory_mib, &plan);
	if (rc < 0) {
		log_error("memory: %s", plan.why);
		return rc;
	}
	rc = lcores_text(lcores, sizeof(lcores));
	if (rc < 0)
		return rc;
	snprintf(mem, sizeof(mem), "%u", plan.eal_mib);
	snprintf(prefix, sizeof(prefix), "heddle%d", (int)getpid());
	argv[argc++] = (char *)"heddle-dp";
	argv[argc++] = (char *)"--lcores";
	argv[argc++] = lcores;
	argv[argc++] = (char *)"--main-lcore";
	argv[argc++] = (char *)"0";
	argv[argc++] = (char *)"--file-prefix";
	argv[argc++] = prefix;
	argv[argc++] = (char *)"--log-level=lib.eal:warning";
	argv[argc++] =
		(char *)"--log-level=lib.telemetry:error"; /* "no legacy callbacks" at every start */
	if (plan.huge) {
		argv[argc++] = (char *)"--in-memory";
	} else {
		argv[argc++] = (char *)"--no-huge";
		argv[argc++] = (char *)"--no-shconf";
		argv[argc++] = (char *)"-m";
		argv[argc++] = mem;
	}
	if (!opt.pci) {
		argv[argc++] = (char *)"--no-pci";
		argv[argc++] = (char *)"--iova-mode=va";
	}
	argv[argc] = NULL;
	rc = rte_eal_init(argc, argv);
	if (rc < 0) {
		log_error("DPDK does not start (%s); its own messages are above",
			  rte_strerror(rte_errno));
		return -rte_errno;
	}
	log_info("memory: %s", plan.why);
	return 0;
}

/* systemd's readiness protocol: one datagram to $NOTIFY_SOCKET. */
static void sd_notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (path == NULL || strlen(path) >= sizeof(addr.sun_path))
		return;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	memcpy(addr.sun_path, path, strlen(path));
	if (addr.sun_path[0] == '@')
		addr.sun_path[0] = '\0';
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr, len) < 0)
		log_debug("systemd was not told (%s)", strerror(errno));
	close(fd);
}

static int control_loop(int sig_fd)
{
	struct itimerspec every = { .it_interval = { 0, 100000000 }, .it_value = { 0, 100000000 } };
	int ep = epoll_create1(EPOLL_CLOEXEC),
	    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct epoll_event ev[8];
	unsigned busy = 0, ticks = 0;

	if (ep < 0 || timer < 0)
		return -errno;
	timerfd_settime(timer, 0, &every, NULL);
	int fds[] = { sig_fd, timer, api_server_epoll_fd() };
	for (unsigned i = 0; i < 3; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fds[i] };
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
	}
	for (;;) {
		int n = epoll_wait(ep, ev, 8, busy > 0 ? 1 : 4);

		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd == sig_fd) {
				close(ep);
				close(timer);
				return 0;
			}
			if (ev[i].data.fd == timer) {
				uint64_t expired;

				if (read(timer, &expired, sizeof(expired)) > 0)
					engine_tick();
				if (++ticks % 50 == 0)
					sd_notify_send("WATCHDOG=1");
			} else {
				api_server_poll();
			}
		}
		if (engine_poll() > 0)
			busy = 1000;
		else if (busy > 0)
			busy--;
	}
}

static int exit_status(int rc)
{
	return rc == -ENOMEM ? EXIT_MEMORY : rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	char path[108], punt[108];
	sigset_t set;
	int rc, sig_fd;

	if (parse_options(argc, argv) < 0)
		return EXIT_USAGE;
	if (mkdir(opt.run_dir, 0755) < 0 && errno != EEXIST) {
		log_error("run directory %s: %s", opt.run_dir, strerror(errno));
		return 1;
	}
	/* Blocked before EAL makes threads, so that only the control loop sees them. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	sig_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (sig_fd < 0)
		return 1;

	rc = eal_start();
	if (rc < 0)
		return exit_status(rc);
	rc = crash_init(opt.run_dir, SOFTWARE);
	if (rc < 0)
		log_warn("no crash reports: %s cannot be written (%s)", opt.run_dir, strerror(-rc));
	watchdog_init(opt.stall_ms);
	rc = engine_init();
	if (rc < 0)
		goto cleanup_eal;
	snprintf(path, sizeof(path), "%s/dp.sock", opt.run_dir);
	snprintf(punt, sizeof(punt), "%s/dp-punt.sock", opt.run_dir);
	rc = api_server_init(path, punt, SOFTWARE);
	if (rc < 0) {
		log_error("%s: %s%s", path, strerror(-rc),
			  rc == -EADDRINUSE ?
				  ": another heddle-dp runs there (choose another --run-dir)" :
				  "");
		goto fini_engine;
	}
	rc = workers_launch();
	if (rc < 0)
		goto fini_api;
	log_info("%s ready: %u worker%s, api %s", SOFTWARE, dp_limits.workers,
		 dp_limits.workers == 1 ? "" : "s", path);
	sd_notify_send("READY=1");
	rc = control_loop(sig_fd);
	sd_notify_send("STOPPING=1");
	log_info("stopping");
	workers_stop();
fini_api:
	api_server_fini();
fini_engine:
	engine_fini();
cleanup_eal:
	crash_fini();
	rte_eal_cleanup();
	return exit_status(rc);
}
