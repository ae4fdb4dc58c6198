/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench table-api: how many objects a second a data plane takes through its socket: new, replayed as they are
 * (what a reconciling control process does), and deleted.  A heddle-dp of its own is started for it. */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "bench/bench.h"
#include "heddle/api/api.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"

#define PER_TXN 4096u
#define TARGET 500000.0 /* small objects a second */

/* ---- objects: the i-th of a kind; returns the octets of its body ---------------------------------------------- */

static size_t make_iface(uint32_t i, void *to)
{
	struct hd_api_iface m = { .iface_id = i + 2, .port_id = 1, .outer_tpid = 0x8100, .outer_vid = (uint16_t)(i + 1),
				  .mtu = 1500, .mac = { 2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i },
				  .flags = HD_IFACE_F_UP };

	snprintf(m.name, sizeof(m.name), "sub%u", i);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_addr(uint32_t i, void *to)
{
	struct hd_api_addr m = { .iface_id = i + 2, .family = 4, .plen = 24,
				 .addr = { 10, (uint8_t)(i >> 8), (uint8_t)i, 1 } };

	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static void neigh_addr(uint32_t i, uint8_t to[4])
{
	to[0] = 172;
	to[1] = 16;
	to[2] = (uint8_t)(i >> 8);
	to[3] = (uint8_t)i;
}

static size_t make_neigh(uint32_t i, void *to)
{
	struct hd_api_neigh m = { .iface_id = 1, .family = 4, .mac = { 2, 1, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } };

	neigh_addr(i, m.addr);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

#define NEXTHOPS4 8192u /* ids below: IPv4 gateways; 8192 more: IPv6 */

static size_t make_nexthop(uint32_t i, void *to)
{
	struct hd_api_nexthop m = { .nh_id = i, .iface_id = 1, .family = i < NEXTHOPS4 ? 4 : 6 };

	if (i < NEXTHOPS4) {
		neigh_addr(i, m.gateway);
	} else {
		memcpy(m.gateway, "\x20\x01\x0d\xb8", 4);
		m.gateway[14] = (uint8_t)(i >> 8);
		m.gateway[15] = (uint8_t)i;
	}
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_nhgroup(uint32_t i, void *to)
{
	struct hd_api_nhgroup m = { .group_id = i, .n_members = 2, .member = { { 2 * i, 1 }, { 2 * i + 1, 1 } } };
	size_t size = offsetof(struct hd_api_nhgroup, member) + 2 * sizeof(m.member[0]);

	memcpy(to, &m, size);
	return size;
}

static size_t make_seglist(uint32_t i, void *to)
{
	struct hd_api_srv6_seglist m = { .seglist_id = i, .n_segs = 3 };
	size_t size = offsetof(struct hd_api_srv6_seglist, seg) + 3 * sizeof(m.seg[0]);

	for (unsigned k = 0; k < 3; k++) {
		memcpy(m.seg[k], "\x20\x01\x0d\xb8", 4);
		m.seg[k][8] = (uint8_t)(i >> 8);
		m.seg[k][9] = (uint8_t)i;
		m.seg[k][15] = (uint8_t)(k + 1);
	}
	memcpy(to, &m, size);
	return size;
}

static size_t make_policy(uint32_t i, void *to)
{
	struct hd_api_srv6_policy m = { .policy_id = i, .source = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
					.encap = HD_SRV6_H_ENCAPS, .n_lists = 1, .list = { { i, 1 } } };
	size_t size = offsetof(struct hd_api_srv6_policy, list) + sizeof(m.list[0]);

	snprintf(m.name, sizeof(m.name), "policy%u", i);
	memcpy(to, &m, size);
	return size;
}

static size_t make_sid(uint32_t i, void *to)
{
	struct hd_api_srv6_sid m = { .plen = 128, .sid = { 0x20, 0x01, 0x0d, 0xb8, 0x50, 0 }, .sid_id = i,
				     .behavior = 1 };

	m.sid[8] = (uint8_t)(i >> 8);
	m.sid[9] = (uint8_t)i;
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_route4(uint32_t i, void *to)
{
	struct hd_api_route m = { .family = 4, .plen = 24, .target = HD_TARGET_NEXTHOP, .id = i % NEXTHOPS4 };
	uint32_t net = 0x14000000u + i * 256;

	for (unsigned k = 0; k < 4; k++)
		m.prefix[k] = (uint8_t)(net >> (24 - 8 * k));
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_route6(uint32_t i, void *to)
{
	struct hd_api_route m = { .family = 6, .plen = 48, .target = HD_TARGET_NEXTHOP,
				  .id = NEXTHOPS4 + i % NEXTHOPS4,
				  .prefix = { 0x24, 0x01, (uint8_t)(i >> 20), (uint8_t)(i >> 12), (uint8_t)(i >> 4),
					      (uint8_t)(i << 4) } };

	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static const struct kind {
	const char *name;
	uint16_t type;
	uint32_t count;
	size_t (*make)(uint32_t i, void *to);
} kinds[] = { /* what is referred to stands first */
	{ "interface", HD_API_IFACE, 1000, make_iface },
	{ "address", HD_API_ADDR, 1000, make_addr },
	{ "neighbour", HD_API_NEIGH, 16384, make_neigh },
	{ "next hop", HD_API_NEXTHOP, 16384, make_nexthop },
	{ "next hop group", HD_API_NHGROUP, 4096, make_nhgroup },
	{ "segment list", HD_API_SRV6_SEGLIST, 16384, make_seglist },
	{ "policy", HD_API_SRV6_POLICY, 16384, make_policy },
	{ "sid", HD_API_SRV6_SID, 65536, make_sid },
	{ "ipv4 route", HD_API_ROUTE, 200000, make_route4 },
	{ "ipv6 route", HD_API_ROUTE, 100000, make_route6 },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* ---- the socket ------------------------------------------------------------------------------------------------ */

static uint32_t seq;

static size_t put_msg(uint8_t *to, uint16_t type, uint32_t flags, size_t body)
{
	struct hd_api_hdr h = { .length = (uint32_t)(sizeof(h) + body), .type = type, .version = HD_API_VERSION,
				.seq = ++seq, .flags = flags };

	memcpy(to, &h, sizeof(h));
	return sizeof(h) + body;
}

static int write_whole(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int read_whole(int fd, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t r = read(fd, (uint8_t *)to + at, n - at);

		if (r <= 0)
			return r < 0 ? -errno : -EPIPE;
		at += (size_t)r;
	}
	return 0;
}

/* Wait for the message of a type; events in between are passed over. */
static int wait_for(int fd, uint16_t type, void *body, size_t size)
{
	static uint8_t room[HD_API_MSG_MAX];
	struct hd_api_hdr h;
	int rc;

	do {
		rc = read_whole(fd, &h, sizeof(h));
		if (rc == 0 && (h.length < sizeof(h) || h.length > HD_API_MSG_MAX))
			rc = -EPROTO;
		if (rc == 0)
			rc = read_whole(fd, room, h.length - sizeof(h));
	} while (rc == 0 && h.type != type);
	memcpy(body, room, size);
	return rc;
}

/* Objects from .. to of a kind in one transaction.  Seconds until its reply; negative: refused. */
static double transaction(int fd, const struct kind *k, uint32_t from, uint32_t to, uint32_t flags)
{
	static uint8_t buf[PER_TXN * 640 + 64];
	struct hd_api_reply reply;
	struct timespec a, b;
	size_t at = put_msg(buf, HD_API_BEGIN, 0, 0);

	for (uint32_t i = from; i < to; i++)
		at += put_msg(buf + at, k->type, flags, k->make(i, buf + at + sizeof(struct hd_api_hdr)));
	at += put_msg(buf + at, HD_API_COMMIT, 0, 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	int rc = write_whole(fd, buf, at);
	if (rc == 0)
		rc = wait_for(fd, HD_API_REPLY, &reply, sizeof(reply));
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (rc < 0 || reply.error != 0) {
		fprintf(stderr, "heddle-bench: %s: %s\n", k->name, rc < 0 ? strerror(-rc) : reply.text);
		return -1;
	}
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* Objects a second; negative: refused. */
static double pass(int fd, const struct kind *k, uint32_t flags)
{
	double all = 0;

	for (uint32_t i = 0; i < k->count; i += PER_TXN) {
		uint32_t to = i + PER_TXN < k->count ? i + PER_TXN : k->count;
		double s = transaction(fd, k, i, to, flags);

		if (s < 0)
			return -1;
		all += s;
	}
	return k->count / all;
}

static int dp_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct hd_api_hello hello = { .version = HD_API_VERSION, .software = "heddle-bench" };
	uint8_t buf[sizeof(struct hd_api_hdr) + sizeof(hello)];
	int fd = -1;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	for (unsigned try = 0; try < 200; try++) { /* 10 s */
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			break;
		close(fd);
		fd = -1;
		usleep(50000);
	}
	if (fd < 0)
		return -ETIMEDOUT;
	hello.pid = (uint32_t)getpid();
	put_msg(buf, HD_API_HELLO, 0, sizeof(hello));
	memcpy(buf + sizeof(struct hd_api_hdr), &hello, sizeof(hello));
	if (write_whole(fd, buf, sizeof(buf)) < 0 || wait_for(fd, HD_API_HELLO, &hello, sizeof(hello)) < 0) {
		close(fd);
		return -EPROTO;
	}
	return fd;
}

/* Port 1 and interface 1 for what follows. */
static size_t make_base_port(uint32_t i, void *to)
{
	struct hd_api_port m = { .port_id = i + 1, .name = "bench", .devargs = "net_null_bench" };

	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_base_iface(uint32_t i, void *to)
{
	struct hd_api_iface m = { .iface_id = i + 1, .name = "base", .port_id = 1, .mtu = 1500,
				  .mac = { 2, 0, 0, 0, 0, 1 }, .flags = HD_IFACE_F_UP };

	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static int measure(int fd, double (*rate)[3])
{
	static const struct kind base[] = { { "port", HD_API_PORT, 1, make_base_port },
					    { "interface", HD_API_IFACE, 1, make_base_iface } };

	for (unsigned i = 0; i < 2; i++)
		if (transaction(fd, &base[i], 0, 1, 0) < 0)
			return -EINVAL;
	for (unsigned p = 0; p < 2; p++)
		for (size_t i = 0; i < N_KINDS; i++)
			if ((rate[i][p] = pass(fd, &kinds[i], 0)) < 0)
				return -EINVAL;
	for (size_t i = N_KINDS; i-- > 0;)
		if ((rate[i][2] = pass(fd, &kinds[i], HD_API_F_DEL)) < 0)
			return -EINVAL;
	return 0;
}

static int json_write(const char *path, double (*rate)[3])
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	int rc;

	for (size_t i = 0; i < N_KINDS; i++) {
		json_object *k = json_object_new_object();

		json_object_object_add(k, "kind", json_object_new_string(kinds[i].name));
		json_object_object_add(k, "objects", json_object_new_int64(kinds[i].count));
		json_object_object_add(k, "set_per_second", json_object_new_double(rate[i][0]));
		json_object_object_add(k, "replay_per_second", json_object_new_double(rate[i][1]));
		json_object_object_add(k, "del_per_second", json_object_new_double(rate[i][2]));
		json_object_array_add(list, k);
	}
	json_object_object_add(o, "table_api", list);
	if (strcmp(path, "-") == 0)
		rc = json_object_to_fd(STDOUT_FILENO, o, JSON_C_TO_STRING_PRETTY);
	else
		rc = json_object_to_file_ext(path, o, JSON_C_TO_STRING_PRETTY);
	json_object_put(o);
	return rc;
}

/* heddle-dp beside this program, in ../sbin, in the build tree, or on the PATH. */
static const char *dp_default(void)
{
	static const char *const where[] = { "heddle-dp", "../sbin/heddle-dp", "../pipelines/heddle-dp" };
	static char path[4200];
	char self[4000];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		char *dir = dirname(self);
		for (unsigned i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "%s/%s", dir, where[i]);
			if (access(path, X_OK) == 0)
				return path;
		}
	}
	return "heddle-dp";
}

int cmd_table_api(int argc, char **argv)
{
	char dir[] = "/tmp/heddle-bench.XXXXXX", sock[64];
	const char *dp = dp_default(), *json = NULL;
	double rate[N_KINDS][3];
	int fd, rc = -EINVAL;
	pid_t pid;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--dp") == 0 && i + 1 < argc) {
			dp = argv[++i];
		} else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
			json = argv[++i];
		} else {
			fprintf(stderr, "Usage: heddle-bench table-api [--dp PROGRAM] [--json FILE]\n");
			return 2;
		}
	}
	if (mkdtemp(dir) == NULL || (pid = fork()) < 0) {
		perror("heddle-bench");
		return 1;
	}
	if (pid == 0) {
		execlp(dp, dp, "--run-dir", dir, "--no-huge", "--power-save", "--log-level", "error",
		       "--max-interfaces", "2048", "--max-neighbours", "65536", (char *)NULL);
		fprintf(stderr, "heddle-bench: %s: %s\n", dp, strerror(errno));
		_exit(127);
	}
	snprintf(sock, sizeof(sock), "%s/dp.sock", dir);
	fd = dp_connect(sock);
	if (fd < 0) {
		fprintf(stderr, "heddle-bench: %s does not answer (%s)\n", dp, strerror(-fd));
	} else {
		rc = measure(fd, rate);
		close(fd);
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	snprintf(sock, sizeof(sock), "rm -rf %s", dir);
	if (system(sock) != 0)
		fprintf(stderr, "heddle-bench: %s is left\n", dir);
	if (rc < 0)
		return 1;
	fprintf(json != NULL && strcmp(json, "-") == 0 ? stderr : stdout,
		"%-16s %9s %14s %14s %14s\n", "objects a second", "objects", "new", "replayed", "deleted");
	for (size_t i = 0; i < N_KINDS; i++)
		fprintf(json != NULL && strcmp(json, "-") == 0 ? stderr : stdout,
			"%-16s %9u %14.0f %14.0f %14.0f%s\n", kinds[i].name, kinds[i].count, rate[i][0], rate[i][1],
			rate[i][2], rate[i][0] < TARGET ? "   below the target of 500,000" : "");
	return json != NULL && json_write(json, rate) < 0 ? 1 : 0;
}
