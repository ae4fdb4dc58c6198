/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-ctrl: the control process.  Reads the configuration, programs the data plane, serves the API. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/api.h"
#include "ctrl/candidate.h"
#include "ctrl/config.h"
#include "ctrl/ctrl.h"
#include "ctrl/debug/debug.h"
#include "ctrl/dp.h"
#include "ctrl/events.h"
#include "ctrl/file.h"
#include "ctrl/ids.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/log.h"
#include "ctrl/loop.h"
#include "ctrl/pm/altmark.h"
#include "ctrl/pm/bfd.h"
#include "ctrl/pm/ioam.h"
#include "ctrl/pm/pm.h"
#include "ctrl/probe/probe.h"
#include "ctrl/running.h"
#include "ctrl/srv6/srv6.h"

#define EXIT_BAD_CONFIG 3 /* another try does not mend it; heddle-ctrl.service makes none */

struct options {
	const char *config, *check, *run_dir, *state_dir, *yang_dir;
	int log_level;
};

struct process {
	struct ctrl ctrl;
	struct loop_signals signals;
	struct loop_watch watch;
	uv_loop_t loop;
};

static void usage(FILE *out)
{
	fprintf(out,
		"Usage: heddle-ctrl [options]\n"
		"The control process of Heddle: reads the configuration, programs heddle-dp, serves the API.\n"
		"\n"
		"  -c, --config FILE      configuration (YAML or JSON); read again on SIGHUP\n"
		"      --check FILE       only say whether FILE is a good configuration: exit status 0 or 1\n"
		"      --run-dir DIR      sockets: dp.sock (of heddle-dp), ctrl.sock (API)  [/run/heddle]\n"
		"      --state-dir DIR    what must survive a restart  [/var/lib/heddle]\n"
		"      --yang-dir DIR     YANG modules  [found beside the program]\n"
		"      --log-level LEVEL  error, warning, info or debug  [info]\n"
		"      --foreground       stay in the foreground; it always does, so this changes nothing\n"
		"      --help, --version\n"
		"\n"
		"Examples:\n"
		"  heddle-ctrl --check /etc/heddle/heddle.yaml\n"
		"  heddle-ctrl --config /etc/heddle/heddle.yaml\n"
		"\n"
		"Without --config, or when FILE has not changed since it was last loaded, the configuration that\n"
		"ran last is in force again.\n"
		"\n"
		"Exit status: 0 stopped by a signal, or FILE is good; 1 it does not start, or FILE is bad (--check);\n"
		"2 wrong option; 3 the configuration is bad and none ran before.\n");
}

enum {
	OPT_CHECK = 256,
	OPT_RUN_DIR,
	OPT_STATE_DIR,
	OPT_YANG_DIR,
	OPT_LOG_LEVEL,
	OPT_FOREGROUND,
	OPT_HELP,
	OPT_VERSION
};

/* 0: go on; 1: done; -1: wrong usage. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", required_argument, NULL, OPT_CHECK },
		{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
		{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
		{ "yang-dir", required_argument, NULL, OPT_YANG_DIR },
		{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
		{ "foreground", no_argument, NULL, OPT_FOREGROUND },
		{ "help", no_argument, NULL, OPT_HELP },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (opt) {
		case 'c':
			o->config = optarg;
			break;
		case OPT_CHECK:
			o->check = optarg;
			break;
		case OPT_RUN_DIR:
			o->run_dir = optarg;
			break;
		case OPT_STATE_DIR:
			o->state_dir = optarg;
			break;
		case OPT_YANG_DIR:
			o->yang_dir = optarg;
			break;
		case OPT_LOG_LEVEL:
			o->log_level = log_level_parse(optarg);
			if (o->log_level < 0) {
				fprintf(stderr,
					"heddle-ctrl: --log-level %s: error, warning, info or debug\n",
					optarg);
				return -1;
			}
			break;
		case OPT_FOREGROUND:
			break;
		case 'h':
		case OPT_HELP:
			usage(stdout);
			return 1;
		case OPT_VERSION:
			printf("heddle-ctrl %s, table API version %u\n", HEDDLE_VERSION,
			       HD_API_VERSION);
			return 1;
		default:
			return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr,
			"heddle-ctrl: unexpected '%s'; a configuration is given with --config\n",
			argv[optind]);
		return -1;
	}
	return 0;
}

static int check(const struct ly_ctx *ly, const char *path)
{
	struct ids *ids = ids_create();
	struct ctrl_err err = { 0 };
	struct config *cfg = NULL;
	char line[1500];

	int rc = ids == NULL ? ctrl_fail(&err, -ENOMEM, "out of memory") :
			       config_read(ly, path, &cfg, &err);
	if (rc == 0)
		rc = config_compile(cfg, ids, NULL, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", ctrl_err_str(&err, line, sizeof(line)));
	else
		printf("%s: good: %zu table objects\n", path, cfg->set.n);
	config_destroy(cfg);
	ids_destroy(ids);
	return rc < 0 ? 1 : 0;
}

/* --- hooks ----------------------------------------------------------------------------------- */

static void dp_up(void *arg)
{
	struct ctrl *c = arg;

	debug_dp_up(c);
	events_dataplane(c->events, true, dp_hello(c->dp)->software);
	srv6_dp_up(c);
	bfd_dp_up(c);
	pm_dp_up(c);
	running_dp_up(c->running);
}

static void dp_down(void *arg)
{
	struct ctrl *c = arg;

	events_dataplane(c->events, false, dp_problem(c->dp));
	running_dp_down(c->running);
	debug_capture_done(c, NULL);
}

static void dp_event(void *arg, const struct hd_api_event *ev)
{
	struct ctrl *c = arg;
	const char *port;
	char node[32];

	switch (ev->kind) {
	case HD_EVENT_PORT_STATE:
		port = ids_name(c->ids, ID_PORT, ev->u.port.port_id);
		log_info("port %s: link %s%s%s", port != NULL ? port : "?",
			 ev->u.port.up != 0 ? "up" : "down", ev->text[0] != '\0' ? ": " : "",
			 ev->text);
		events_link(c->events, port != NULL ? port : "?", ev->u.port.up != 0, ev->text);
		break;
	case HD_EVENT_WORKER_STALL:
		snprintf(node, sizeof(node), "%.31s", ev->u.stall.node);
		events_stall(c->events, ev->u.stall.worker, ev->u.stall.stalled_ms, node);
		log_error(
			"worker %u: no progress for %u ms in node %.31s; see: heddle show workers",
			ev->u.stall.worker, ev->u.stall.stalled_ms, ev->u.stall.node);
		break;
	case HD_EVENT_SEGLIST:
		srv6_seglist_event(c, ev);
		break;
	case HD_EVENT_BFD:
		bfd_event(c, ev);
		break;
	case HD_EVENT_PM_SESSION:
		pm_session_event(c, ev);
		break;
	case HD_EVENT_NEIGH_WANTED:
		mirror_neighbour_wanted(c->mirror, ev);
		break;
	case HD_EVENT_CAPTURE_DONE:
		debug_capture_done(c, ev);
		break;
	case HD_EVENT_PROBE:
		probe_event(ev);
		break;
	case HD_EVENT_LOG:
		log_info("data plane: %s", ev->text);
		break;
	default:
		log_debug("data plane: event %u %s", ev->kind, ev->text);
	}
}

static void loaded(void *arg, const struct load_result *r)
{
	char line[1500];
	int *rc = arg;

	if (rc != NULL)
		*rc = r->rc;
	if (r->rc < 0)
		log_error("configuration: %s", ctrl_err_str(&r->err, line, sizeof(line)));
	else if (r->state == LOAD_UNCHANGED)
		log_info("configuration: nothing changed");
}

static void reloaded(void *arg, const struct load_result *r)
{
	loaded(arg, r);
	loop_notify("READY=1");
}

static void load_file(struct ctrl *c, load_done_fn done, void *arg)
{
	struct load l = { .user = "heddle-ctrl", .comment = "configuration file read" };

	running_load_file(c->running, c->config_file, &l, done, arg);
}

static void on_reload(void *arg)
{
	struct ctrl *c = arg;

	if (c->config_file == NULL) {
		log_warning("SIGHUP: started without --config, there is no file to read");
		return;
	}
	loop_notify("RELOADING=1");
	load_file(c, reloaded, NULL);
}

static void on_stop(void *arg)
{
	struct ctrl *c = arg;

	log_info("stopping; the data plane goes on with what it has");
	loop_notify("STOPPING=1");
	uv_stop(c->loop);
}

/* What was running comes back; a configuration file that changed since replaces it.  A bad file is fatal only when
 * there is nothing to fall back to. */
static int first_config(struct ctrl *c)
{
	struct ctrl_err err = { 0 };
	char line[1500];

	int rc = running_restore(c->running, &err);
	bool restored = rc == 0;
	if (rc < 0 && rc != -ENOENT)
		log_error("configuration kept from before: %s",
			  ctrl_err_str(&err, line, sizeof(line)));
	if (c->config_file != NULL &&
	    (!restored || running_file_changed(c->running, c->config_file))) {
		load_file(c, loaded, &rc); /* it is done when this returns: nobody is served yet */
		if (rc < 0 && !restored)
			return rc;
		if (rc < 0)
			log_warning("configuration: going on with revision %u, which ran before",
				    running_revision(c->running));
	} else if (restored) {
		log_info("configuration: revision %u is in force again",
			 running_revision(c->running));
	}
	return 0;
}

static int run(const struct options *o, struct ly_ctx *ly)
{
	static const struct dp_hooks hooks = { .up = dp_up, .down = dp_down, .event = dp_event };
	char dp_path[PATH_MAX], ctrl_path[PATH_MAX], config_path[PATH_MAX];
	struct process p = { 0 };
	struct ctrl *c = &p.ctrl;
	bool bad_config = false;
	int rc;

	signal(SIGPIPE, SIG_IGN);
	snprintf(dp_path, sizeof(dp_path), "%s/dp.sock", o->run_dir);
	snprintf(ctrl_path, sizeof(ctrl_path), "%s/ctrl.sock", o->run_dir);
	rc = file_mkdirs(o->run_dir);
	if (rc < 0) {
		log_error("%s: %s; another one can be given with --run-dir", o->run_dir,
			  strerror(-rc));
		return 1;
	}
	rc = file_mkdirs(o->state_dir);
	if (rc < 0) {
		log_error("%s: %s; another one can be given with --state-dir", o->state_dir,
			  strerror(-rc));
		return 1;
	}
	uv_loop_init(&p.loop);
	c->loop = &p.loop;
	c->ly = ly;
	c->config_file = o->config;
	if (o->config != NULL && realpath(o->config, config_path) != NULL)
		c->config_file = config_path;
	c->start_ms = uv_now(c->loop);
	c->default_log_level = o->log_level;
	c->ids = ids_create();
	c->dp = dp_create(c->loop, dp_path, &hooks, c);
	c->events = events_create(c);
	c->running = c->ids != NULL ? running_create(c, o->state_dir) : NULL;
	c->mirror = mirror_create(c);
	if (c->ids == NULL || c->dp == NULL || c->running == NULL || c->mirror == NULL) {
		log_error("out of memory, or %s is too long for a socket's name", dp_path);
		return 1;
	}
	rc = api_create(c, ctrl_path, o->state_dir, &c->api);
	if (rc < 0)
		log_error(
			"%s: %s", ctrl_path,
			rc == -EADDRINUSE ?
				"another heddle-ctrl serves it; stop that, or give another --run-dir" :
				strerror(-rc));
	if (rc == 0) {
		rc = first_config(c);
		bad_config = rc < 0;
	}
	if (rc == 0 && (c->candidate = candidate_create(c)) == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		rc = loop_signals_start(c->loop, &p.signals, on_stop, on_reload, c);
	if (rc == 0) {
		dp_connect(c->dp);
		altmark_start(c);
		pm_start(c);
		ioam_start(c);
		log_info("heddle-ctrl %s: API on %s", HEDDLE_VERSION, ctrl_path);
		loop_notify("READY=1");
		loop_watch_start(c->loop, &p.watch);
		c->watch = &p.watch;
		c->serving = true;
		uv_run(c->loop, UV_RUN_DEFAULT);
		loop_watch_stop(&p.watch);
		loop_signals_stop(&p.signals);
	}
	altmark_stop();
	pm_stop();
	ioam_stop();
	while (c->jobs > 0)
		uv_run(c->loop, UV_RUN_ONCE);
	dp_destroy(c->dp);
	probe_fini();
	pm_fini();
	debug_fini(c);
	api_destroy(c->api);
	events_destroy(c->events);
	candidate_destroy(c->candidate);
	mirror_destroy(c->mirror);
	running_destroy(c->running);
	uv_run(c->loop, UV_RUN_DEFAULT); /* until all handles are closed */
	uv_loop_close(c->loop);
	ids_destroy(c->ids);
	return bad_config ? EXIT_BAD_CONFIG : rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options o = { .run_dir = "/run/heddle",
			     .state_dir = "/var/lib/heddle",
			     .log_level = LOG_LEVEL_INFO };
	struct ctrl_err err = { 0 };
	char line[1500];

	int rc = parse_options(argc, argv, &o);
	if (rc != 0) {
		if (rc < 0)
			fprintf(stderr, "Try: heddle-ctrl --help\n");
		return rc < 0 ? 2 : 0;
	}
	log_level = (enum log_level)o.log_level;
	struct ly_ctx *ly = config_yang(o.yang_dir, &err);
	if (ly == NULL) {
		fprintf(stderr, "heddle-ctrl: %s\n", ctrl_err_str(&err, line, sizeof(line)));
		return 1;
	}
	rc = o.check != NULL ? check(ly, o.check) : run(&o, ly);
	ly_ctx_destroy(ly);
	return rc;
}
