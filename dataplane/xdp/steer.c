/* SPDX-License-Identifier: BSD-3-Clause
 * Loading, filling and taking down the steering program (steer.h). */
#include "dataplane/xdp/steer.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/api_server.h"
#include "dataplane/log.h"
#include "dataplane/stats.h"
#include "dataplane/xdp/steer_device.h"
#include "dataplane/xdp/steer_shared.h"
#include "dataplane/xdp/steer.skel.h"

#define PROGRAM     "heddle_steer" /* as in steer.bpf.c */
#define BPFFS       "/sys/fs/bpf"
#define BPFFS_MAGIC 0xcafe4a11u
#define PORTS_MAX   256u

static_assert(HD_XDP_RULES_MAX == STEER_RULES_MAX, "rule ids are rows of the counters");

enum { M_XSKS, M_FIXED, M_TYPE, M_UDP, M_VLAN, M_IP4, M_IP6, M_COUNT, N_MAPS };
static const char *const map_names[N_MAPS] = { "xsks_map",  "steer_fixed", "steer_type",
					       "steer_udp", "steer_vlan",  "steer_ip4",
					       "steer_ip6", "steer_count" };

struct steer {
	uint32_t port_id;
	int ifindex;
	char ifname[IF_NAMESIZE], pins[96];
	int lock; /* a socket whose name says that this device is taken, until the process ends however it ends */
	int elf; /* the program as a file, until the driver has read it */
	int prog, map[N_MAPS];
	struct steer_count
		last[STEER_RULES_MAX]; /* as read last: the maps count anew with each program */
};

static struct steer *steers[PORTS_MAX]; /* by port id; attached ones */
static int vec = -1;
enum { COL_PACKETS, COL_OCTETS, COL_KERNEL, N_COLS };

/* ---- the rules --------------------------------------------------------------------------------------------------- */

/* The map and key of a rule. */
static int rule_key(const struct hd_api_xdp_rule *r, uint8_t key[24])
{
	uint32_t which = r->match == HD_XDP_UNICAST ? STEER_UNICAST : STEER_LINK_LOCAL;
	struct steer_vlan_key vlan = { r->number, r->inner };
	struct steer_ip4_key k4 = { .plen = r->plen };
	struct steer_ip6_key k6 = { .plen = r->plen };

	switch (r->match) {
	case HD_XDP_UNICAST:
	case HD_XDP_LINK_LOCAL:
		memcpy(key, &which, sizeof(which));
		return M_FIXED;
	case HD_XDP_ETHERTYPE:
		memcpy(key, &r->number, sizeof(r->number));
		return M_TYPE;
	case HD_XDP_UDP_PORT:
		memcpy(key, &r->number, sizeof(r->number));
		return M_UDP;
	case HD_XDP_VLAN:
		memcpy(key, &vlan, sizeof(vlan));
		return M_VLAN;
	default:
		if (r->family == 4) {
			memcpy(k4.addr, r->addr, 4);
			memcpy(key, &k4, sizeof(k4));
			return M_IP4;
		}
		memcpy(k6.addr, r->addr, 16);
		memcpy(key, &k6, sizeof(k6));
		return M_IP6;
	}
}

static int rule_write(const struct steer *s, const struct hd_api_xdp_rule *r, bool del)
{
	struct steer_rule v = { .rule = r->rule_id,
				.action = r->action == HD_XDP_KERNEL ? STEER_PASS : STEER_TAKE,
				.own = (r->flags & HD_XDP_F_OWN) != 0 };
	uint8_t key[24] = { 0 };
	int map = rule_key(r, key), rc;

	if (del && map == M_FIXED) {
		memset(&v, 0, sizeof(v)); /* rule 0: none */
		del = false;
	}
	rc = del ? bpf_map_delete_elem(s->map[map], key) :
		   bpf_map_update_elem(s->map[map], key, &v, BPF_ANY);
	return rc < 0 && !(del && errno == ENOENT) ? -errno : 0;
}

static int rule_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_xdp_rule *r = m;
	unsigned bits = r->family == 4 ? 32 : 128;

	(void)old;
	if (r->rule_id == 0 || r->rule_id >= STEER_RULES_MAX)
		return object_fail(err, -EINVAL, "steering rule id %u is not between 1 and %u",
				   r->rule_id, STEER_RULES_MAX - 1);
	if (r->match < HD_XDP_UNICAST || r->match > HD_XDP_UDP_PORT || r->action > HD_XDP_KERNEL)
		return object_fail(err, -EINVAL, "steering rule of an unknown kind");
	if (r->match == HD_XDP_VLAN && (r->number == 0 || r->number > 4094 || r->inner > 4094))
		return object_fail(err, -EINVAL, "VLAN ids %u, %u are not between 1 and 4094",
				   r->number, r->inner);
	if (r->match != HD_XDP_PREFIX)
		return 0;
	if ((r->family != 4 && r->family != 6) || r->plen > bits)
		return object_fail(err, -EINVAL, "steering rule with a bad prefix");
	for (unsigned b = r->plen; b < bits; b++)
		if ((r->addr[b / 8] >> (7 - b % 8) & 1) != 0)
			return object_fail(err, -EINVAL,
					   "steering prefix has bits set behind its length %u",
					   r->plen);
	return 0;
}

static int rule_apply(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_xdp_rule *r = m;
	const struct steer *s = r->port_id < PORTS_MAX ? steers[r->port_id] : NULL;
	int rc = s != NULL ? rule_write(s, r, false) : 0;

	(void)old;
	if (rc == -E2BIG || rc == -ENOSPC)
		return object_fail(err, -ENOSPC, "no room for another steering rule of this kind");
	return rc < 0 ? object_fail(err, rc, "the kernel refuses the steering rule (%s)",
				    strerror(-rc)) :
			0;
}

static void rule_remove(const void *m)
{
	const struct hd_api_xdp_rule *r = m;

	if (r->port_id < PORTS_MAX && steers[r->port_id] != NULL)
		rule_write(steers[r->port_id], r, true);
}

static unsigned rule_refs(const void *m, struct object_ref *ref)
{
	const struct hd_api_xdp_rule *r = m;

	memset(ref, 0, sizeof(*ref));
	ref->type = HD_API_PORT;
	memcpy(ref->key, &r->port_id, sizeof(r->port_id));
	return 1;
}

static const struct object_kind rule_kind = {
	.type = HD_API_XDP_RULE,
	.rank = 25,
	.name = "steering rule",
	.key_size = HD_API_XDP_RULE_KEY,
	.min_size = sizeof(struct hd_api_xdp_rule),
	.max_size = sizeof(struct hd_api_xdp_rule),
	.check = rule_check,
	.apply = rule_apply,
	.remove = rule_remove,
	.refs = rule_refs,
	.capacity = STEER_RULES_MAX - 1,
};

/* ---- the program on the device ---- */

static unsigned long netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? (unsigned long)st.st_ino : 0;
}

static bool bpffs_mounted(void)
{
	struct statfs fs;

	return statfs(BPFFS, &fs) == 0 && (unsigned long)fs.f_type == BPFFS_MAGIC;
}

static void unpin(const struct steer *s)
{
	char path[160];

	for (unsigned i = 0; i < N_MAPS; i++) {
		snprintf(path, sizeof(path), "%s/%s", s->pins, map_names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/" PROGRAM, s->pins);
	unlink(path);
	rmdir(s->pins);
}

static void pin(const struct steer *s)
{
	char path[160];
	int rc = 0;

	if (!bpffs_mounted())
		return;
	mkdir(BPFFS "/heddle", 0700);
	if (mkdir(s->pins, 0700) < 0 && errno != EEXIST)
		rc = -errno;
	for (unsigned i = 0; i < N_MAPS && rc == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", s->pins, map_names[i]);
		rc = bpf_obj_pin(s->map[i], path) < 0 ? -errno : 0;
	}
	snprintf(path, sizeof(path), "%s/" PROGRAM, s->pins);
	if (rc == 0)
		rc = bpf_obj_pin(s->prog, path) < 0 ? -errno : 0;
	if (rc < 0)
		log_info("steering of %s: not pinned at %s (%s); it works without", s->ifname,
			 s->pins, strerror(-rc));
}

/* A name in the abstract namespace of this network namespace, held as long as we live. */
static int lock_take(struct steer *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "heddle-steer-%s", s->ifname);

	s->lock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->lock < 0)
		return -errno;
	return bind(s->lock, (struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0 ?
		       -errno :
		       0;
}

/* A program that one of ours left behind goes. */
static int leftover_remove(const struct steer *s, struct object_error *err)
{
	if (bpf_xdp_detach(s->ifindex, 0, NULL) < 0)
		return object_fail(err, -errno,
				   "%s: the steering program of a process that died "
				   "cannot be removed (%s)",
				   s->ifname, strerror(errno));
	log_info("steering of %s: taken over from a process that died", s->ifname);
	return 0;
}

static int elf_file(void)
{
	size_t size, at = 0;
	const uint8_t *elf = steer_bpf__elf_bytes(&size);
	int fd = memfd_create("heddle-steer", MFD_CLOEXEC);

	while (fd >= 0 && at < size) {
		ssize_t n = write(fd, elf + at, size - at);

		if (n <= 0) {
			close(fd);
			return -EIO;
		}
		at += (size_t)n;
	}
	return fd < 0 ? -errno : fd;
}

static void fall_back(const struct hd_api_port *msg, const char *ifname, const char *why,
		      char *devargs, size_t size)
{
	struct hd_api_event ev = { .kind = HD_EVENT_LOG };
	char queues[16] = "";

	steer_devarg(msg->devargs, "queue_count", queues, sizeof(queues));
	snprintf(devargs, size, "net_af_packet_%s,iface=%s%s%s", ifname, ifname,
		 queues[0] != '\0' ? ",qpairs=" : "", queues);
	log_warn(
		"port %.31s runs on af_packet, slower, and the kernel sees its packets too: AF_XDP is refused: %s",
		msg->name, why);
	snprintf(ev.text, sizeof(ev.text),
		 "port %.31s runs on af_packet: AF_XDP is refused: %.110s", msg->name, why);
	api_server_event(&ev);
}

/* All queues of the device, unless the configuration says how many. */
static void choose_queues(const char *ifname, char *devargs, size_t size)
{
	struct steer_queues q = steer_queues(ifname);
	char text[16];

	if (steer_devarg(devargs, "queue_count", text, sizeof(text)) ||
	    steer_devarg(devargs, "start_queue", text, sizeof(text)))
		return;
	if (q.usable > STEER_QUEUES_MAX)
		q.usable = STEER_QUEUES_MAX;
	if (q.usable > 1) {
		size_t len = strlen(devargs);
		snprintf(devargs + len, size - len, ",queue_count=%u", q.usable);
	}
	if (q.usable < q.all)
		log_warn(
			"steering of %s: AF_XDP takes frames of %u of its %u receive queues, those of the "
			"others are the kernel's; give it fewer: ethtool -L %s rx 1",
			ifname, q.usable, q.all, ifname);
}

static int steer_make(const struct hd_api_port *msg, const char *ifname, bool leftover,
		      struct steer **ret, struct object_error *err)
{
	struct steer *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	s->port_id = msg->port_id;
	s->ifindex = (int)if_nametoindex(ifname);
	snprintf(s->ifname, sizeof(s->ifname), "%s", ifname);
	snprintf(s->pins, sizeof(s->pins), BPFFS "/heddle/%lx-%s", netns_inode(), ifname);
	s->lock = s->elf = s->prog = -1;
	memset(s->map, 0xff, sizeof(s->map));
	rc = lock_take(s);
	if (rc < 0) {
		object_fail(err, -EBUSY, "%s is steered by another heddle-dp (%s)", ifname,
			    strerror(-rc));
		rc = -EBUSY;
		goto fail;
	}
	rc = leftover ? leftover_remove(s, err) : 0;
	if (rc < 0)
		goto fail;
	unpin(s);
	s->elf = elf_file();
	if (s->elf < 0) {
		rc = object_fail(err, s->elf, "no memory for the steering program");
		goto fail;
	}
	*ret = s;
	return 0;
fail:
	steer_release(s);
	return rc;
}

int steer_prepare(const struct hd_api_port *msg, char *devargs, size_t size, struct steer **ret,
		  struct object_error *err)
{
	bool want = (msg->flags & HD_PORT_F_STEER) != 0;
	char ifname[IF_NAMESIZE], text[256];
	enum steer_program there;
	int rc;

	*ret = NULL;
	snprintf(devargs, size, "%.255s", msg->devargs);
	if (strncmp(msg->devargs, "net_af_xdp", 10) != 0)
		return want ? object_fail(
				      err, -EINVAL,
				      "port %.31s: steering is for net_af_xdp ports, this one is %.60s",
				      msg->name, msg->devargs) :
			      0;
	if (!steer_devarg(msg->devargs, "iface", ifname, sizeof(ifname)) ||
	    if_nametoindex(ifname) == 0)
		return 0; /* the driver says what is wrong */
	there = steer_program_on(ifname, PROGRAM, text, sizeof(text));
	if (there == STEER_PROGRAM_FOREIGN || steer_refused(text, sizeof(text)) < 0) {
		fall_back(msg, ifname, text, devargs, size);
		return 0;
	}
	if (!want && there == STEER_PROGRAM_OURS) {
		rc = steer_make(msg, ifname, true, ret, err);
		steer_release(*ret);
		*ret = NULL;
		return rc;
	}
	if (!want)
		return 0;
	if (steer_devarg(msg->devargs, "xdp_prog", text, sizeof(text)))
		return object_fail(
			err, -EINVAL,
			"port %.31s: steering and an xdp_prog of your own exclude each other",
			msg->name);
	rc = steer_make(msg, ifname, there == STEER_PROGRAM_OURS, ret, err);
	if (rc < 0)
		return rc;
	choose_queues(ifname, devargs, size);
	size_t len = strlen(devargs);
	snprintf(devargs + len, size - len, ",xdp_prog=/proc/self/fd/%d", (*ret)->elf);
	return 0;
}

static int maps_find(struct steer *s)
{
	uint32_t ids[N_MAPS + 4] = { 0 }, id = 0;
	struct bpf_prog_info info;

	if (bpf_xdp_query_id(s->ifindex, 0, &id) < 0 || id == 0)
		return -ENOENT;
	s->prog = steer_prog_by_id(id, &info, ids, N_MAPS + 4);
	if (s->prog < 0)
		return s->prog;
	if (strcmp(info.name, PROGRAM) != 0)
		return -ENOENT;
	for (uint32_t i = 0; i < info.nr_map_ids && i < N_MAPS + 4; i++) {
		struct bpf_map_info mi = { 0 };
		uint32_t len = sizeof(mi);
		int fd = bpf_map_get_fd_by_id(ids[i]);
		bool used = false;

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &mi, &len) == 0)
			for (unsigned k = 0; k < N_MAPS && !used; k++)
				if (s->map[k] < 0 && strcmp(mi.name, map_names[k]) == 0) {
					s->map[k] = fd;
					used = true;
				}
		if (fd >= 0 && !used)
			close(fd);
	}
	for (unsigned k = 0; k < N_MAPS; k++)
		if (s->map[k] < 0)
			return -ENOENT;
	return 0;
}

struct fill {
	const struct steer *s;
	int rc;
};

static int fill_one(uint16_t type, const void *msg, size_t size, void *arg)
{
	const struct hd_api_xdp_rule *r = msg;
	struct fill *f = arg;

	(void)type;
	(void)size;
	if (r->port_id == f->s->port_id)
		f->rc = rule_write(f->s, r, false);
	return f->rc;
}

int steer_attached(struct steer *s, struct object_error *err)
{
	struct fill f = { .s = s };

	f.rc = maps_find(s);
	close(s->elf);
	s->elf = -1;
	if (f.rc < 0)
		return object_fail(err, f.rc, "%s: the steering program is not on the device (%s)",
				   s->ifname, strerror(-f.rc));
	objects_walk(HD_API_XDP_RULE, fill_one, &f);
	if (f.rc < 0)
		return object_fail(err, f.rc, "%s: the steering rules are refused (%s)", s->ifname,
				   strerror(-f.rc));
	pin(s);
	steers[s->port_id] = s;
	log_info("steering of %s: attached", s->ifname);
	return 0;
}

void steer_release(struct steer *s)
{
	if (s == NULL)
		return;
	if (steers[s->port_id] == s) {
		steers[s->port_id] = NULL;
		unpin(s);
	}
	for (unsigned i = 0; i < N_MAPS; i++)
		if (s->map[i] >= 0)
			close(s->map[i]);
	if (s->prog >= 0)
		close(s->prog);
	if (s->elf >= 0)
		close(s->elf);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

/* ---- counters ---------------------------------------------------------------------------------------------------- */

static void count_read(struct steer *s, uint32_t rule)
{
	static struct steer_count *cpu;
	static int n_cpus;
	struct steer_count sum = { 0 };
	uint64_t *cell = stats_slice(vec, dp_limits.workers) + (size_t)rule * N_COLS;

	if (cpu == NULL) {
		n_cpus = libbpf_num_possible_cpus();
		cpu = n_cpus > 0 ? calloc((size_t)n_cpus, sizeof(*cpu)) : NULL;
	}
	if (cpu == NULL || bpf_map_lookup_elem(s->map[M_COUNT], &rule, cpu) < 0)
		return;
	for (int i = 0; i < n_cpus; i++) {
		sum.packets += cpu[i].packets;
		sum.octets += cpu[i].octets;
		sum.passed += cpu[i].passed;
	}
	cell[COL_PACKETS] += sum.packets - s->last[rule].packets;
	cell[COL_OCTETS] += sum.octets - s->last[rule].octets;
	cell[COL_KERNEL] += sum.passed - s->last[rule].passed;
	s->last[rule] = sum;
}

static int count_one(uint16_t type, const void *msg, size_t size, void *arg)
{
	const struct hd_api_xdp_rule *r = msg;

	(void)type;
	(void)size;
	(void)arg;
	if (r->port_id < PORTS_MAX && steers[r->port_id] != NULL)
		count_read(steers[r->port_id], r->rule_id);
	return 0;
}

void steer_tick(void)
{
	static unsigned turn;

	if (turn++ % 10 != 0)
		return;
	objects_walk(HD_API_XDP_RULE, count_one, NULL);
	for (unsigned i = 0; i < PORTS_MAX; i++)
		if (steers[i] != NULL)
			count_read(steers[i], 0);
}

int steer_init(void)
{
	static const char *const cols[] = { "packets", "octets", "to-kernel", NULL };

	libbpf_set_print(NULL); /* what matters is logged here */
	vec = stats_vec_add("steering", HD_STATS_COUNTER, STEER_RULES_MAX, cols, NULL);
	if (vec < 0)
		return vec;
	return object_kind_register(&rule_kind);
}
