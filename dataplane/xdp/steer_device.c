/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/xdp/steer_device.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define CAP_NET_ADMIN_BIT 12
#define CAP_SYS_ADMIN_BIT 21

bool steer_devarg(const char *devargs, const char *name, char *ret, size_t size)
{
	size_t n = strlen(name);

	for (const char *p = strchr(devargs, ','); p != NULL; p = strchr(p, ',')) {
		p++;
		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		size_t len = strcspn(p + n + 1, ",");
		if (len >= size)
			return false;
		memcpy(ret, p + n + 1, len);
		ret[len] = '\0';
		return true;
	}
	return false;
}

static bool capable(unsigned bit)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long long caps = 0;
	char line[128];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return (caps >> bit & 1) != 0;
}

int steer_refused(char *why, size_t size)
{
	const struct bpf_insn pass[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
					 { .code = BPF_JMP | BPF_EXIT } };
	const char *what = "a socket of AF_XDP";
	int rc = 0, fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		close(fd);
		what = "loading an XDP program (CAP_BPF)";
		fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "heddle_probe", "BSD", pass, 2, NULL);
	}
	if (fd < 0) {
		rc = -errno;
	} else {
		close(fd);
		what = "attaching an XDP program (CAP_NET_ADMIN)";
		rc = capable(CAP_NET_ADMIN_BIT) ? 0 : -EPERM;
	}
	if (rc == 0 && !capable(CAP_SYS_ADMIN_BIT)) {
		what = "looking XDP programs up (CAP_SYS_ADMIN, for libxdp)";
		rc = -EPERM;
	}
	if (rc < 0)
		snprintf(why, size, "%s: %s", what, strerror(-rc));
	return rc;
}

int steer_prog_by_id(uint32_t id, struct bpf_prog_info *info, uint32_t *map_ids, uint32_t n)
{
	uint32_t len = sizeof(*info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return -errno;
	memset(info, 0, sizeof(*info));
	info->map_ids = (uint64_t)(uintptr_t)map_ids;
	info->nr_map_ids = n;
	if (bpf_obj_get_info_by_fd(fd, info, &len) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

enum steer_program steer_program_on(const char *ifname, const char *ours, char *why, size_t size)
{
	/* libxdp's program for sockets, and the one that calls several in turn: DPDK's driver shares them */
	static const char *const shared[] = { "xsk_def_prog", "xdp_dispatcher" };
	struct bpf_prog_info info;
	uint32_t id = 0;

	if (bpf_xdp_query_id((int)if_nametoindex(ifname), 0, &id) < 0 || id == 0)
		return STEER_PROGRAM_NONE;
	int fd = steer_prog_by_id(id, &info, NULL, 0);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && strcmp(info.name, ours) == 0)
		return STEER_PROGRAM_OURS;
	for (size_t i = 0; fd >= 0 && i < sizeof(shared) / sizeof(shared[0]); i++)
		if (strcmp(info.name, shared[i]) == 0)
			return STEER_PROGRAM_NONE;
	snprintf(
		why, size,
		"%s has the XDP program \"%.15s\" (id %u) of somebody else; without it, after ip link set dev "
		"%s xdp off, the port can be made anew",
		ifname, fd < 0 ? "?" : info.name, id, ifname);
	return STEER_PROGRAM_FOREIGN;
}

struct steer_queues steer_queues(const char *ifname)
{
	struct ethtool_channels c = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_data = (void *)&c };
	struct steer_queues q = { 1, 1 };
	int fd = socket(AF_LOCAL, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &ifr) == 0) {
		/* DPDK's driver counts combined channels only */
		q.usable = c.max_combined != 0 && c.combined_count != 0 ? c.combined_count : 1;
		q.all = c.combined_count + c.rx_count;
	}
	if (fd >= 0)
		close(fd);
	return q;
}
