/* SPDX-License-Identifier: BSD-3-Clause
 * heddle doctor: the running system, by the answers of heddle-ctrl and the files of its processes. */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/doctor.h"

static bool is_true(struct json_object *o, const char *leaf)
{
	return strcmp(js_str(o, leaf), "true") == 0;
}

/* Of a list of the answer before, the element with the same value of a leaf. */
static struct json_object *before(struct json_object *list, const char *key, const char *value)
{
	js_foreach(e, list) if (strcmp(js_str(e, key), value) == 0) return e;
	return NULL;
}

/* --- processes --------------------------------------------------------------------------------- */

static void versions(struct doctor *d)
{
	struct json_object *dp = js_get(d->system, "dataplane");
	const char *ctrl = js_str(d->system, "version"), *software = js_str(dp, "software");
	const char *dp_version = strrchr(software, ' ') != NULL ? strrchr(software, ' ') + 1 :
								  software;

	if (strcmp(ctrl, HEDDLE_VERSION) != 0 ||
	    (software[0] != '\0' && strcmp(ctrl, dp_version) != 0))
		finding_mend(
			doctor_find(d, DOCTOR_WARN, "versions",
				    "heddle %s, heddle-ctrl %s, heddle-dp %s", HEDDLE_VERSION, ctrl,
				    dp_version),
			"after an upgrade the old ones run on until they are restarted",
			"systemctl restart heddle-ctrl (loses no packet); systemctl restart heddle-dp (does)");
	else
		doctor_find(d, DOCTOR_OK, "versions", "all are %s, table API %s", ctrl,
			    js_str(d->system, "api-version"));
}

void doctor_processes(struct doctor *d)
{
	struct json_object *dp = js_get(d->system, "dataplane"),
			   *running = js_get(d->system, "configuration");
	const char *error = js_str(dp, "last-error");

	if (d->system == NULL) {
		finding_mend(
			doctor_find(d, DOCTOR_ERROR, "processes", "heddle-ctrl does not answer"),
			"nothing can be configured or seen; the data plane goes on with what it has",
			"systemctl status heddle-ctrl; systemctl start heddle-ctrl");
		return;
	}
	if (!is_true(dp, "connected")) {
		finding_mend(doctor_find(d, DOCTOR_ERROR, "processes", "no data plane%s%s",
					 error[0] != '\0' ? ": " : "", error),
			     "nothing is forwarded",
			     "systemctl status heddle-dp; systemctl start heddle-dp");
		return;
	}
	versions(d);
	if (!is_true(dp, "synchronised"))
		finding_mend(doctor_find(d, DOCTOR_ERROR, "configuration", "it is not in force%s%s",
					 error[0] != '\0' ? ": " : "", error),
			     "the data plane holds something else than what is configured",
			     "heddle diff running dataplane");
	else
		doctor_find(d, DOCTOR_OK, "configuration", "revision %s is in force, %s objects",
			    js_str(running, "revision"), js_str(running, "objects"));
}

void doctor_crashes(struct doctor *d)
{
	char pattern[PATH_MAX];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/crash-*.txt", d->run_dir);
	if (glob(pattern, 0, NULL, &g) == 0)
		finding_mend(doctor_find(d, DOCTOR_ERROR, "crashes", "%zu report%s, the last is %s",
					 g.gl_pathc, g.gl_pathc == 1 ? "" : "s",
					 g.gl_pathv[g.gl_pathc - 1]),
			     "heddle-dp crashed; the report has the last packets and transactions",
			     "less %s; send it with a bug report, then remove it",
			     g.gl_pathv[g.gl_pathc - 1]);
	globfree(&g);
}

/* --- what the ports need ------------------------------------------------------------------------ */

/* Capabilities by the driver of a port. */
#define CAP(bit) (UINT64_C(1) << (bit))
enum { NET_ADMIN = 12, NET_RAW = 13, IPC_LOCK = 14, SYS_ADMIN = 21, BPF = 39 };
static const struct {
	const char *driver;
	uint64_t caps;
} needs[] = {
	{ "net_af_packet", CAP(NET_RAW) | CAP(NET_ADMIN) },
	{ "net_af_xdp", CAP(NET_RAW) | CAP(NET_ADMIN) | CAP(BPF) | CAP(IPC_LOCK) | CAP(SYS_ADMIN) },
	{ "net_tap", CAP(NET_ADMIN) },
};
static const struct {
	int bit;
	const char *name;
} cap_names[] = { { NET_ADMIN, "CAP_NET_ADMIN" },
		  { NET_RAW, "CAP_NET_RAW" },
		  { IPC_LOCK, "CAP_IPC_LOCK" },
		  { SYS_ADMIN, "CAP_SYS_ADMIN" },
		  { BPF, "CAP_BPF" } };

static const char *caps_text(uint64_t caps, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(cap_names) / sizeof(cap_names[0]); i++)
		if ((caps & CAP(cap_names[i].bit)) != 0 && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n > 0 ? " " : "",
					      cap_names[i].name);
	return buf;
}

void doctor_rights(struct doctor *d)
{
	char path[64], text[40], names[120];
	unsigned pid = doctor_dp_pid(d);

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	if (pid == 0 || !host_field(d, path, "CapEff:", text, sizeof(text)))
		return;
	uint64_t have = strtoull(text, NULL, 16), missing = 0;
	js_foreach(i, js_get(d->interfaces,
			     "interface")) for (size_t k = 0; k < sizeof(needs) / sizeof(needs[0]);
						k++) if (strcmp(js_str(i, "driver"),
								needs[k].driver) == 0)
		missing |= needs[k].caps & ~have;
	/* BPF is part of what SYS_ADMIN allows */
	if ((have & CAP(SYS_ADMIN)) != 0)
		missing &= ~CAP(BPF);
	js_foreach(p, js_get(d->steering, "port"))
	{
		if (strcmp(js_str(p, "state"), "refused") != 0)
			continue;
		missing |= (CAP(SYS_ADMIN) | CAP(NET_ADMIN) | CAP(NET_RAW)) & ~have;
		doctor_find(d, DOCTOR_WARN, "rights",
			    "port %s: AF_XDP was refused, it runs on af_packet",
			    js_str(p, "interface"))
			->means = "slower, and the kernel sees its packets too";
	}
	if (missing == 0) {
		doctor_find(d, DOCTOR_OK, "rights",
			    "heddle-dp has the capabilities that its ports need");
		return;
	}
	caps_text(missing, names, sizeof(names));
	finding_mend(
		doctor_find(d, DOCTOR_WARN, "rights", "heddle-dp lacks %s for its ports", names),
		"such ports do not start again once they are changed",
		"systemctl edit heddle-dp: [Service] AmbientCapabilities=%s CapabilityBoundingSet=%s",
		names, names);
}

/* --- ports -------------------------------------------------------------------------------------- */

void doctor_ports(struct doctor *d)
{
	size_t begin = d->n, up = 0;

	js_foreach(i, js_get(d->interfaces, "interface"))
	{
		const char *name = js_str(i, "name");
		uint64_t missed = js_counter(i, "rx-missed", NULL),
			 empty = js_counter(i, "rx-no-buffer", NULL);

		if (is_true(i, "enabled") && strcmp(js_str(i, "link"), "down") == 0)
			finding_mend(doctor_find(d, DOCTOR_WARN, "ports", "%s: no link", name),
				     "packets that shall leave there are dropped",
				     "ip -s link; ethtool %s", name);
		up += strcmp(js_str(i, "link"), "up") == 0;
		if (missed != 0)
			finding_mend(
				doctor_find(d, DOCTOR_WARN, "ports",
					    "%s: the device lost %llu packets, its queue was full",
					    name, (unsigned long long)missed),
				"workers do not keep up, or were stopped for a while",
				"heddle show workers --watch: more workers or queues (rx-queues), longer queues, isolation");
		if (empty != 0)
			finding_mend(doctor_find(d, DOCTOR_WARN, "ports",
						 "%s: %llu packets found no buffer", name,
						 (unsigned long long)empty),
				     "all packet buffers were in use",
				     "heddle-dp --mbufs with more than now");
	}
	if (d->n == begin && up != 0)
		doctor_find(d, DOCTOR_OK, "ports", "%zu interface%s up, nothing lost by a device",
			    up, up == 1 ? " is" : "s are");
}

void doctor_queues(struct doctor *d)
{
	unsigned n_workers, idle = 0;
	uint64_t queues = 0;

	doctor_worker_cpus(d, &n_workers);
	js_foreach(w, js_get(d->workers, "worker"))
	{
		struct json_object *q = js_get(w, "queue");

		queues += q != NULL ? json_object_array_length(q) : 0;
		idle += q == NULL || json_object_array_length(q) == 0;
	}
	if (queues == 0)
		return;
	if (idle == 0) {
		doctor_find(d, DOCTOR_OK, "queues", "%llu RX queues, each of %u worker%s has some",
			    (unsigned long long)queues, n_workers, n_workers == 1 ? "" : "s");
		return;
	}
	finding_mend(
		doctor_find(d, DOCTOR_WARN, "queues", "%u of %u workers have no RX queue", idle,
			    n_workers),
		"they do nothing: ports have fewer queues than there are workers",
		"rx-queues of the interface (net_af_xdp: queue_count, and ethtool -L DEV combined N); "
		"heddle workers spread");
}

void doctor_numa(struct doctor *d)
{
	js_foreach(i, js_get(d->interfaces, "interface"))
	{
		const char *port = js_str(i, "port"), *pci = js_str(i, "device");
		char node[16];

		if (pci[0] == '\0' || strcmp(js_str(i, "kind"), "port") != 0 ||
		    !host_line(d, node, sizeof(node), "/sys/bus/pci/devices/%s/numa_node", pci))
			continue;
		js_foreach(w, js_get(d->workers, "worker"))
		{
			bool polls = false;
			js_foreach(q, js_get(w, "queue")) polls |=
				strncmp(json_object_get_string(q), port, strlen(port)) == 0;
			if (!polls || atoi(node) < 0 || (uint64_t)atoi(node) == js_u64(w, "numa"))
				continue;
			finding_mend(
				doctor_find(
					d, DOCTOR_WARN, "numa",
					"worker %s on memory node %s polls %s, which is at node %s",
					js_str(w, "id"), js_str(w, "numa"), js_str(i, "name"),
					node),
				"each packet crosses between the sockets",
				"heddle-dp --cpus with CPUs of node %s (lscpu -e)", node);
		}
	}
}

/* --- workers and drops --------------------------------------------------------------------------- */

void doctor_workers(struct doctor *d)
{
	size_t begin = d->n;
	unsigned n = 0;

	js_foreach(w, js_get(d->workers, "worker"))
	{
		const char *id = js_str(w, "id"), *state = js_str(w, "state");
		struct json_object *was = before(js_get(d->workers_before, "worker"), "id", id);
		uint64_t loops = js_counter(w, "loops", NULL) - js_counter(was, "loops", NULL);
		uint64_t idle =
			js_counter(w, "idle-loops", NULL) - js_counter(was, "idle-loops", NULL);

		n++;
		if (strcmp(state, "stalled") == 0)
			finding_mend(
				doctor_find(d, DOCTOR_ERROR, "workers",
					    "worker %s makes no progress", id),
				"its queues are not read; the log of heddle-dp names the node it hangs in",
				"heddle show workers; journalctl -u heddle-dp");
		else if (strcmp(state, "running") != 0)
			finding_mend(doctor_find(d, DOCTOR_ERROR, "workers", "worker %s is %s", id,
						 state),
				     "its queues are not read", "systemctl restart heddle-dp");
		else if (was != NULL && loops > 0 && idle * 50 < loops)
			finding_mend(
				doctor_find(d, DOCTOR_WARN, "workers",
					    "worker %s is busy in %llu of %llu turns", id,
					    (unsigned long long)(loops - idle),
					    (unsigned long long)loops),
				"it is at its limit: what comes in addition is lost",
				"heddle show graph --rates: where its cycles go; more workers and RX queues");
	}
	if (n != 0 && d->n == begin)
		doctor_find(d, DOCTOR_OK, "workers", "%u running", n);
}

static uint64_t dropped_before(const struct doctor *d, struct json_object *drop)
{
	js_foreach(b, js_get(d->drops_before,
			     "drop")) if (strcmp(js_str(b, "node"), js_str(drop, "node")) == 0 &&
					  strcmp(js_str(b, "reason"), js_str(drop, "reason")) ==
						  0) return js_u64(b, "packets");
	return 0;
}

void doctor_drops(struct doctor *d)
{
	size_t begin = d->n;

	if (d->drops == NULL)
		return;
	js_foreach(r, js_get(d->drops, "drop"))
	{
		uint64_t all = js_u64(r, "packets"), now = all - dropped_before(d, r);
		bool error = strcmp(js_str(r, "severity"), "error") == 0,
		     goes_on = d->drops_before != NULL && now != 0;

		if (all == 0 || strcmp(js_str(r, "severity"), "info") == 0 || (!error && !goes_on))
			continue;
		struct finding *f =
			doctor_find(d, error && goes_on ? DOCTOR_ERROR : DOCTOR_WARN, "drops",
				    "%s: %llu %s packets%s: %s", js_str(r, "node"),
				    (unsigned long long)all, js_str(r, "reason"),
				    goes_on ? ", more by the second" : "", js_str(r, "help"));
		finding_mend(f, NULL, "heddle explain --drop %s/%s", js_str(r, "node"),
			     js_str(r, "reason"));
	}
	js_foreach(p, js_get(d->drops, "punt"))
	{
		uint64_t full = js_counter(p, "ring-full", NULL);

		if (full != 0)
			finding_mend(
				doctor_find(d, DOCTOR_WARN, "drops",
					    "%llu packets for the slow path (%s) found no room",
					    (unsigned long long)full, js_str(p, "reason")),
				"the control thread did not keep up: ARP, ND or errors are late",
				"heddle show drops; give the control thread a CPU of its own (--cpus)");
	}
	if (d->n == begin)
		doctor_find(d, DOCTOR_OK, "drops", "none that should worry");
}

void doctor_kernel_forwards(struct doctor *d)
{
	if (!is_true(d->kernel, "enabled"))
		return;
	js_foreach(l, js_get(d->kernel, "link"))
	{
		bool v4 = is_true(l, "kernel-forwards-ipv4"),
		     v6 = is_true(l, "kernel-forwards-ipv6");

		if (v4 || v6)
			finding_mend(doctor_find(d, DOCTOR_WARN, "kernel",
						 "the kernel forwards on %s as well",
						 js_str(l, "netdev")),
				     "packets are forwarded twice, or by the wrong one",
				     v4 ? "sysctl -w net.ipv4.conf.%s.forwarding=0" :
					  "sysctl -w net.ipv6.conf.%s.forwarding=0",
				     js_str(l, "netdev"));
	}
	if (js_str(d->kernel, "problem")[0] != '\0')
		doctor_find(d, DOCTOR_WARN, "kernel", "the mirror: %s",
			    js_str(d->kernel, "problem"));
}
