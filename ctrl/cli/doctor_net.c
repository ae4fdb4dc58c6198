/* SPDX-License-Identifier: BSD-3-Clause
 * heddle doctor: network devices of the host, their drivers, and what the kernel can do. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/doctor.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif

#define PCI_DIR "/sys/bus/pci/devices"

/* --- drivers of DPDK --------------------------------------------------------------------------- */

/* Is a driver of DPDK installed ("ice")? */
static bool pmd_installed(const struct doctor *d, const char *name)
{
	static const char *const where[] = { "/usr/lib/*/dpdk/pmds-*", "/usr/lib*/dpdk/pmds-*",
					     "/usr/local/lib/*/dpdk/pmds-*" };
	char pattern[PATH_MAX];
	bool found = false;

	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]) && !found; i++) {
		glob_t g;

		snprintf(pattern, sizeof(pattern), "%s%s/librte_net_%s.so*", d->root, where[i],
			 name);
		found = glob(pattern, 0, NULL, &g) == 0;
		globfree(&g);
	}
	return found;
}

static void pmd_missing(struct doctor *d, enum doctor_level level, const char *name,
			const char *who)
{
	char package[40];

	snprintf(package, sizeof(package), "%s", name);
	for (char *p = package; *p != '\0'; p++)
		*p = *p == '_' ? '-' : *p;
	finding_mend(doctor_find(d, level, "drivers", "DPDK's driver net_%s is not installed (%s)",
				 name, who),
		     "ports of that kind cannot be made", "apt-get install librte-net-%s23",
		     package);
}

/* The kernel's driver of a NIC, and DPDK's for the same device; "": DPDK 22.11 has none. */
static const struct {
	const char *kernel, *pmd;
} twins[] = {
	{ "virtio-pci", "virtio" },
	{ "virtio_net", "virtio" },
	{ "ice", "ice" },
	{ "iavf", "iavf" },
	{ "i40e", "i40e" },
	{ "ixgbe", "ixgbe" },
	{ "ixgbevf", "ixgbe" },
	{ "igb", "e1000" },
	{ "igbvf", "e1000" },
	{ "e1000", "e1000" },
	{ "e1000e", "e1000" },
	{ "igc", "igc" },
	{ "mlx5_core", "mlx5" },
	{ "mlx4_core", "mlx4" },
	{ "vmxnet3", "vmxnet3" },
	{ "ena", "ena" },
	{ "bnxt_en", "bnxt" },
	{ "hv_netvsc", "netvsc" },
	{ "sfc", "sfc" },
	{ "qede", "qede" },
	{ "nfp", "nfp" },
	{ "atlantic", "atlantic" },
	{ "enic", "enic" },
	{ "r8169", "" },
	{ "tg3", "" },
	{ "gve", "" },
};

void doctor_drivers(struct doctor *d)
{
	static const char *const usual[] = { "af_packet", "af_xdp", "tap", "memif",
					     "virtio",    "iavf",   "ice", "mlx5" };
	size_t before = d->n;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (!pmd_installed(d, usual[i]))
			pmd_missing(d, DOCTOR_WARN, usual[i], "one of the usual ones");
	if (d->n == before)
		doctor_find(
			d, DOCTOR_OK, "drivers",
			"af_packet, af_xdp, tap, memif, virtio, iavf, ice and mlx5 are installed");
}

/* --- NICs -------------------------------------------------------------------------------------- */

static void one_nic(struct doctor *d, const char *pci)
{
	char class[20] = "", driver[60] = "", node[20] = "";
	const char *pmd = NULL;

	if (!host_line(d, class, sizeof(class), PCI_DIR "/%s/class", pci) ||
	    strncmp(class, "0x02", 4) != 0)
		return;
	host_line(d, node, sizeof(node), PCI_DIR "/%s/numa_node", pci);
	if (!host_link(d, driver, sizeof(driver), PCI_DIR "/%s/driver", pci)) {
		finding_mend(doctor_find(d, DOCTOR_NOTE, "nic", "%s has no driver", pci),
			     "neither the kernel nor Heddle can use it",
			     "driverctl set-override %s vfio-pci", pci);
		return;
	}
	if (strcmp(driver, "vfio-pci") == 0 || strcmp(driver, "uio_pci_generic") == 0 ||
	    strcmp(driver, "igb_uio") == 0) {
		doctor_find(d, DOCTOR_OK, "nic", "%s is bound to %s, memory node %s: a port \"%s\"",
			    pci, driver, node, pci);
		return;
	}
	for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++)
		if (strcmp(driver, twins[i].kernel) == 0)
			pmd = twins[i].pmd;
	if (pmd != NULL && pmd[0] != '\0' && !pmd_installed(d, pmd))
		pmd_missing(d, DOCTOR_WARN, pmd, pci);
	if (pmd == NULL || pmd[0] == '\0')
		doctor_find(
			d, DOCTOR_NOTE, "nic",
			"%s is the kernel's (%s), and no driver of DPDK is known for it: use it by net_af_xdp "
			"or net_af_packet",
			pci, driver);
	else if (strncmp(driver, "mlx", 3) == 0)
		doctor_find(d, DOCTOR_OK, "nic", "%s (%s) is shared with the kernel: a port \"%s\"",
			    pci, driver, pci);
	else
		finding_mend(
			doctor_find(d, DOCTOR_OK, "nic",
				    "%s is the kernel's (%s): usable by net_af_xdp or net_af_packet",
				    pci, driver),
			NULL, "to give it to Heddle whole: driverctl set-override %s vfio-pci",
			pci);
}

void doctor_nics(struct doctor *d)
{
	host_names(d, PCI_DIR, one_nic);
}

static void count_name(struct doctor *d, const char *name)
{
	(void)name;
	d->n++; /* taken back by the caller */
}

static size_t names_in(struct doctor *d, const char *dir)
{
	size_t before = d->n, n;

	host_names(d, dir, count_name);
	n = d->n - before;
	d->n = before;
	return n;
}

void doctor_iommu(struct doctor *d)
{
	size_t groups = names_in(d, "/sys/kernel/iommu_groups");
	uint64_t unsafe = 0;
	char text[8] = "";

	host_line(d, text, sizeof(text), "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	unsafe = text[0] == 'Y';
	if (groups != 0)
		doctor_find(d, DOCTOR_OK, "iommu", "on, %zu groups%s", groups,
			    host_exists(d, "/sys/module/vfio_pci") ? ", vfio-pci is loaded" : "");
	else
		finding_mend(
			doctor_find(d, DOCTOR_NOTE, "iommu", "off%s",
				    unsafe ? "; vfio runs without it (no-IOMMU mode)" : ""),
			"PCI ports want it; ports on af_xdp, af_packet, tap and memif do not",
			"kernel command line: iommu=pt, with intel_iommu=on on Intel; and switch it on in the firmware");
	if (groups != 0 && !host_exists(d, "/sys/module/vfio_pci"))
		finding_mend(doctor_find(d, DOCTOR_NOTE, "iommu", "vfio-pci is not loaded"),
			     "PCI devices cannot be bound to it", "modprobe vfio-pci");
}

/* --- the kernel -------------------------------------------------------------------------------- */

static void xdp_sockets(struct doctor *d)
{
	int fd;

	if (d->root[0] != '\0')
		return; /* files of another host */
	fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		close(fd);
	if (fd < 0 && errno == EAFNOSUPPORT)
		finding_mend(
			doctor_find(d, DOCTOR_WARN, "af_xdp",
				    "this kernel has no sockets of AF_XDP"),
			"ports of net_af_xdp run on af_packet, and no NIC is shared with the kernel",
			"a kernel with CONFIG_XDP_SOCKETS=y");
	else
		doctor_find(d, DOCTOR_OK, "af_xdp", "the kernel has AF_XDP");
}

void doctor_kernel_features(struct doctor *d)
{
	uint64_t jit = 1;
	char release[100] = "", mount[8];

	host_line(d, release, sizeof(release), "/proc/sys/kernel/osrelease");
	xdp_sockets(d);
	if (host_number(d, &jit, "/proc/sys/net/core/bpf_jit_enable") && jit == 0)
		finding_mend(doctor_find(d, DOCTOR_WARN, "bpf",
					 "programs are interpreted (bpf_jit_enable is 0)"),
			     "XDP steering costs several times as much a packet",
			     "sysctl -w net.core.bpf_jit_enable=1");
	if (!host_field(d, "/proc/mounts", "bpf ", mount, sizeof(mount)) &&
	    !host_field(d, "/proc/mounts", "bpffs ", mount, sizeof(mount)) &&
	    !host_field(d, "/proc/mounts", "none /sys/fs/bpf bpf", mount, sizeof(mount)))
		finding_mend(doctor_find(d, DOCTOR_NOTE, "bpf", "no bpf file system is mounted"),
			     "the maps of XDP steering are not pinned; it works without",
			     "mount -t bpf bpf /sys/fs/bpf");
	if (host_exists(d, "/proc/sys/net/ipv6/conf/all/seg6_enabled"))
		doctor_find(d, DOCTOR_OK, "seg6",
			    "Linux %s has SRv6: it can be a peer, and be mirrored", release);
	else
		doctor_find(
			d, DOCTOR_NOTE, "seg6",
			"Linux %s has no SRv6: labs have no peer, there is nothing to mirror; Heddle's own is not "
			"touched",
			release);
}
